// SPDX-License-Identifier: Apache-2.0
// The ledger's records of lending other than leases: who may use what, what is in use, and what
// was staked with whom.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "core/caesar/amount.h"
#include "core/identity/owner_signature.h"
#include "core/ledger/lease.h"
#include "core/privacy/grant.h"
#include "core/privacy/group.h"

namespace hm::ledger {

// The owner of the assets first, so that its grants stand together.
using GrantKey = std::pair<identity::OwnerId, privacy::GrantId>;

struct GrantRecord {
  privacy::Grant grant;
  identity::OwnerSignature signature;  // the issuer's, of grant_statement()
  std::uint64_t height = 0;
  bool revoked = false;  // kept until the leases under it have ended: it says where they count
  bool operator==(const GrantRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.grant, self.signature, self.height, self.revoked);
  }
};

// What is in use under a grant and the grants passed on from it. A row of its own, because it
// changes with every lease; no row stands for nothing in use yet.
struct GrantUseRecord {
  std::uint32_t open_leases = 0;
  std::uint64_t day = 0;  // of block time, since 1970
  std::uint32_t opened_on_day = 0;
  std::map<crypto::Digest, std::uint64_t> leased;  // by asset hash, none 0
  bool operator==(const GrantUseRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.open_leases, self.day, self.opened_on_day, self.leased);
  }
};

struct GroupRecord {
  privacy::Group group;
  std::uint64_t version = 0;  // 1 at first, +1 for every change
  std::uint64_t changed_height = 0;
  bool operator==(const GroupRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.group, self.version, self.changed_height);
  }
};

struct CertificateRecord {
  privacy::Certificate certificate;
  std::uint64_t height = 0;
  bool operator==(const CertificateRecord&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.certificate, self.height); }
};

// The certificates of one subject, one for each issuer.
struct CertificatesRecord {
  std::map<identity::OwnerId, CertificateRecord> by_issuer;
  bool operator==(const CertificatesRecord&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.by_issuer); }
};

struct FederationRecord {
  privacy::Federation federation;
  identity::OwnerSignature first;
  identity::OwnerSignature second;
  std::uint64_t height = 0;
  bool operator==(const FederationRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.federation, self.first, self.second, self.height);
  }
  // The other mesh. Requires: `chain` is one of the two.
  const privacy::MeshRoot& other(const identity::ChainId& chain) const {
    return federation.first.chain == chain ? federation.second : federation.first;
  }
};

// The open leases of one asset, in the order of their opening.
struct AssetUseRecord {
  std::uint64_t leased = 0;
  std::vector<LeaseId> leases;
  bool operator==(const AssetUseRecord&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.leased, self.leases); }
};

// Who staked with a validator.
using DelegationKey = std::pair<identity::NodeId, identity::OwnerId>;

struct DelegationRecord {
  std::uint64_t shares = 0;  // of the validator's delegation pool
  bool operator==(const DelegationRecord&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.shares); }
};

// Stake on its way back to an owner's balance. It can still be slashed.
struct UnbondingEntry {
  caesar::Amount amount;
  UnixMillis release;
  std::optional<identity::NodeId> validator;  // that it was delegated to; none: the owner's bond
  bool operator==(const UnbondingEntry&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.amount, self.release, self.validator);
  }
};
struct UnbondingRecord {
  std::vector<UnbondingEntry> entries;  // by release
  bool operator==(const UnbondingRecord&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.entries); }
};

}  // namespace hm::ledger
