// SPDX-License-Identifier: Apache-2.0
// The actions of lending: who may use what, leases, staking, and what a node has stored with
// others. docs/protocols/lending.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/caesar/amount.h"
#include "core/identity/owner_signature.h"
#include "core/ledger/job_result.h"
#include "core/ledger/lease.h"
#include "core/privacy/grant.h"
#include "core/privacy/group.h"

namespace hm::ledger {

// A grant that the acting owner issues. Both halves of its signature count.
struct AddGrant {
  privacy::Grant grant;
  identity::OwnerSignature signature;  // of grant_statement()
  bool operator==(const AddGrant&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.grant, self.signature); }
};

// By the issuer, or by the owner of the assets. Ends no lease, but no lease is opened, renewed or
// moved under it, or under what was passed on from it, any more.
struct RevokeGrant {
  identity::OwnerId owner;  // of the assets
  privacy::GrantId grant;
  bool operator==(const RevokeGrant&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.owner, self.grant); }
};

// Makes the acting owner's group of this name, or replaces its members. No members and a version:
// the group is removed.
struct SetGroup {
  std::string name;
  std::uint64_t expected_version = 0;  // 0: there is none
  std::vector<privacy::GroupMember> members;
  bool operator==(const SetGroup&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.expected_version, self.members);
  }
};

// Puts a certificate on the ledger, in place of one of the same issuer for this subject that ends
// sooner. By anyone; if the subject holds as many as it may, one that is no root's yields to what
// the subject records and to a root's.
struct RecordCertificate {
  privacy::Certificate certificate;
  identity::OwnerSignature signature;  // the issuer's, of certificate_statement()
  bool operator==(const RecordCertificate&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.certificate, self.signature); }
};

// Recognises another mesh's root, in place of an earlier record of the same mesh. By this mesh's
// root.
struct RecordFederation {
  privacy::Federation federation;
  identity::OwnerSignature first;  // of federation_statement(), by the root of `first`
  identity::OwnerSignature second;
  bool operator==(const RecordFederation&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.federation, self.first, self.second);
  }
};

// Replaces the root over a node's Private assets.
struct CommitVault {
  identity::NodeId node;
  crypto::Digest root;
  bool operator==(const CommitVault&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.node, self.root); }
};

// By the tenant or one of its nodes: asks for a quantity of the first of the choices that admits
// it. The escrow, the cost of all the time at the highest price, leaves the tenant's balance and,
// by a node, what that node is allowed (SetAllowance).
struct OpenLease {
  std::vector<LeaseChoice> choices;  // 1 … kMaxLeaseChoices, best first
  std::uint64_t quantity = 0;
  std::uint64_t duration_ms = 0;
  privacy::NetworkClass network = privacy::NetworkClass::None;
  caesar::Price highest_price;
  std::optional<crypto::Digest> purpose;
  bool operator==(const OpenLease&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.choices, self.quantity, self.duration_ms, self.network, self.highest_price,
                    self.purpose);
  }
};

// By the provider or its node: what was asked for is reserved, and time runs.
struct AcceptLease {
  LeaseId lease;
  bool operator==(const AcceptLease&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease); }
};

// By the provider or its node, of a request.
struct DeclineLease {
  LeaseId lease;
  bool operator==(const DeclineLease&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease); }
};

// By the tenant or one of its nodes, as OpenLease: more time, judged anew, and escrow for it.
struct RenewLease {
  LeaseId lease;
  std::uint64_t extra_ms = 0;
  bool operator==(const RenewLease&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease, self.extra_ms); }
};

// By the tenant or one of its nodes. Settles; the rest of the escrow goes back.
struct CloseLease {
  LeaseId lease;
  bool operator==(const CloseLease&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease); }
};

enum class Notice : std::uint8_t {
  AsGranted,  // the tenant has the grant's notice to leave
  None,       // at once
};

// By the provider or its node.
struct ReclaimLease {
  LeaseId lease;
  Notice notice = Notice::AsGranted;
  bool operator==(const ReclaimLease&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease, self.notice); }
};

// By anyone: both sides signed it.
struct MeterLease {
  MeterReading reading;
  bool operator==(const MeterLease&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.reading); }
};

// By anyone: pays the provider what the readings say, and lets the lease's clock catch up.
struct SettleLease {
  LeaseId lease;
  bool operator==(const SettleLease&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.lease); }
};

struct Bond {
  caesar::Amount amount;
  bool operator==(const Bond&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.amount); }
};

// Back to the balance after the unbonding time. What backs validators and records stays.
struct Unbond {
  caesar::Amount amount;
  bool operator==(const Unbond&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.amount); }
};

struct Delegate {
  identity::NodeId validator;
  caesar::Amount amount;
  bool operator==(const Delegate&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.validator, self.amount); }
};

// `shares` of the validator's delegation pool, at their worth, after the unbonding time.
struct Undelegate {
  identity::NodeId validator;
  std::uint64_t shares = 0;
  bool operator==(const Undelegate&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.validator, self.shares); }
};

// By anyone: evidence that a validator broke the rules of ordering (fault.h).
struct ReportFault {
  Bytes evidence;  // at most kMaxEvidenceBytes
  bool operator==(const ReportFault&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.evidence); }
};

// By the tenant or one of its nodes: what the nodes of leases with different providers signed as
// the result of one and the same purpose, and that not all are alike.
struct ReportDisagreement {
  std::vector<SignedResult> results;  // kMinResults … kMaxResults, by lease, none twice
  std::uint8_t quorum = 0;            // of how many that agree the tenant believes the result
  bool operator==(const ReportDisagreement&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.results, self.quorum); }
};

// By an owner, of one of its own nodes: how much that node may take out of the owner's balance for
// leases that it opens or renews by itself, from now on, in place of what it had left; 0: nothing.
// Leases that cost nothing need none.
//
// The node never spends more than `amount` under it: what it puts into an escrow is subtracted, and
// only what of that is not paid comes back, at the end of a lease that this node opened. Of such an
// escrow the node's part is spent before what the owner added. What was put in before this
// operation, or into a lease that the owner or another node opened, does not come back. Open leases
// keep their escrow.
struct SetAllowance {
  identity::NodeId node;
  caesar::Amount amount;
  bool operator==(const SetAllowance&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.node, self.amount); }
};

// By a node, or by its owner for it: replaces the node's storage commitment. The ledger judges the
// generation alone; what the roots stand for is its readers' to check (core/storage).
struct CommitStorage {
  identity::NodeId node;
  std::uint64_t generation = 0;  // the last one's + 1; the first is 1
  crypto::Digest objects;        // root over the manifests of its objects
  crypto::Digest shards;         // root over the leases and the shards under them
  bool operator==(const CommitStorage&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.node, self.generation, self.objects, self.shards);
  }
};

}  // namespace hm::ledger

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::ledger::Notice> = hm::ledger::Notice::None;
