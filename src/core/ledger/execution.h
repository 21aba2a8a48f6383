// SPDX-License-Identifier: Apache-2.0
// One operation's way through the rules: whether its frame is right, then what its action does to
// the layer. The actions' own rules are grouped by subject in rules_*.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ledger/account_book.h"
#include "core/ledger/lease_book.h"
#include "core/ledger/rules.h"
#include "foundation/crypto/falcon/verifying_key.h"

namespace hm::ledger {

// Who acts: the owner whose rights and bond count, and its node if the node's key signed.
struct Acting {
  identity::OwnerId owner;
  std::optional<identity::NodeId> node;
};

class Execution {
 public:
  Execution(Layer& layer, const Frame& frame, const PreparedOperation& prepared)
      : layer_(layer),
        frame_(frame),
        id_(prepared.id),
        operation_(prepared.operation),
        key_(prepared.key),
        accounts_(layer, frame),
        leases_(layer, frame, prepared.id) {}

  std::optional<Refused> run();

 private:
  using Checked = std::optional<Refused>;
  static Refused refuse(Refusal rule, std::uint64_t given = 0, std::uint64_t wanted = 0) {
    return {rule, given, wanted};
  }

  // rules.cc: the frame.
  Checked check_actor();
  Checked check_sequence() const;
  Checked check_time();
  Checked check_cited() const;
  Checked check_bond() const;
  const ActorProgress& progress() const;
  void advance();

  // rules_identity.cc
  Checked act(const RegisterOwner& action);
  Checked act(const RegisterNode& action);
  Checked act(const RotateKeys& action);
  // The acting owner's current Falcon key: what is on the ledger was valid when it came there.
  falcon::VerifyingKey falcon_key() const;

  // rules_assets.cc
  Checked act(const RegisterAsset& action);
  Checked act(const UpdateAsset& action);
  Checked act(const TransferAsset& action);
  Checked act(const RetireAsset& action);
  Checked check_asset(const assets::AssetId& id, std::uint64_t expected_version) const;
  void touch(const crypto::Digest& hash, AssetEvent event);

  // rules_lending.cc
  Checked act(const AddGrant& action);
  Checked act(const RevokeGrant& action);
  Checked act(const SetGroup& action);
  Checked act(const RecordCertificate& action);
  Checked act(const RecordFederation& action);
  Checked act(const CommitVault& action);
  Checked act(const CommitStorage& action);
  Checked check_commits_for(const identity::NodeId& node) const;
  Checked check_parent(const privacy::Grant& grant) const;
  bool make_room(const privacy::Certificate& certificate);

  // rules_lease.cc
  Checked act(const OpenLease& action);
  Checked act(const AcceptLease& action);
  Checked act(const DeclineLease& action);
  Checked act(const RenewLease& action);
  Checked act(const CloseLease& action);
  Checked act(const ReclaimLease& action);
  Checked act(const MeterLease& action);
  Checked act(const SettleLease& action);
  Checked act(const SetAllowance& action);
  Checked check_open(const LeaseId& id);
  Checked check_tenant(const LeaseId& id) const;
  Checked check_provider(const LeaseId& id) const;
  bool signs_for(const crypto::PublicKey& key, const identity::OwnerId& owner) const;

  // rules_result.cc
  Checked act(const ReportDisagreement& action);
  Checked check_result_of(const SignedResult& result, const LeaseRecord& lease) const;

  // rules_fault.cc
  Checked act(const ReportFault& action);
  void slash(const identity::NodeId& node, caesar::Amount amount);

  // rules_caes.cc
  Checked act(const TransferCaes& action);
  Checked act(const Bond& action);
  Checked act(const Unbond& action);
  Checked act(const Delegate& action);
  Checked act(const Undelegate& action);

  Layer& layer_;
  const Frame& frame_;
  const crypto::Digest& id_;
  const Operation& operation_;
  const crypto::PublicKey& key_;
  AccountBook accounts_;
  LeaseBook leases_;
  Acting acting_;
  assets::TimeInterval interval_;
};

}  // namespace hm::ledger
