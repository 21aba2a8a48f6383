// SPDX-License-Identifier: Apache-2.0
// Changes over the tables that are not yet part of them. Layers stack: an operation writes into its
// own, which the block's absorbs if the operation is applied and which is dropped if it is refused,
// so that a refused operation changes nothing by construction.
#pragma once

#include <optional>
#include <vector>

#include "core/ledger/ledger.h"
#include "core/ledger/overlay.h"
#include "core/ledger/tables.h"

namespace hm::ledger {

class Layer {
 public:
  explicit Layer(const Tables& tables);
  explicit Layer(const Layer& below);

  const ChainRecord& chain() const { return tables_->chain; }
  // As genesis has them, but for what changed since in the state below: keys and voting weights
  // never do.
  const std::map<identity::NodeId, ValidatorRecord>& genesis_validators() const {
    return tables_->validators;
  }
  // The anchor window; a layer never changes it.
  const BlockRecord* block(std::uint64_t height) const;

  const caesar::Supply& supply() const;
  caesar::Supply& edit_supply();
  const caesar::Pools& pools() const;
  caesar::Pools& edit_pools();

  // New rows in two tables at once. Requires: they do not exist.
  OwnerRecord& add_owner(const identity::OwnerId& id, OwnerRecord record, OwnerKeyRecord keys);
  void add_asset(assets::AssetRecord record);

  void note(AssetChange change) { changes_.push_back(std::move(change)); }
  void note(LeaseChange change) { lease_changes_.push_back(std::move(change)); }

  // Takes over everything that `above`, a layer over this one, has.
  void absorb(Layer&& above);

  // What this layer alone holds.
  const std::optional<caesar::Supply>& changed_supply() const { return supply_; }
  const std::optional<caesar::Pools>& changed_pools() const { return pools_; }
  const std::vector<AssetChange>& changes() const { return changes_; }
  const std::vector<LeaseChange>& lease_changes() const { return lease_changes_; }

  Overlay<identity::OwnerId, OwnerRecord> owners;
  Overlay<identity::NodeId, NodeRecord> nodes;
  Overlay<identity::NodeId, ValidatorRecord> validators;
  Overlay<crypto::Digest, assets::AssetRecord> assets;
  Overlay<assets::Address, crypto::Digest> addresses;
  Overlay<identity::OwnerId, OwnerKeyRecord> owner_keys;
  Overlay<GrantKey, GrantRecord> grants;
  Overlay<GrantKey, GrantUseRecord> grant_uses;
  Overlay<privacy::GroupId, GroupRecord> groups;
  Overlay<identity::OwnerId, CertificatesRecord> certificates;
  Overlay<identity::ChainId, FederationRecord> federations;
  Overlay<LeaseId, LeaseRecord> leases;
  Overlay<crypto::Digest, AssetUseRecord> asset_uses;
  Overlay<identity::NodeId, trust::Behaviour> behaviours;
  Overlay<DelegationKey, DelegationRecord> delegations;
  Overlay<identity::OwnerId, UnbondingRecord> unbondings;
  Overlay<identity::NodeId, StorageCommitment> storage_commitments;

 private:
  const Tables* tables_;
  const Layer* below_ = nullptr;
  std::optional<caesar::Supply> supply_;
  std::optional<caesar::Pools> pools_;
  std::vector<AssetChange> changes_;
  std::vector<LeaseChange> lease_changes_;
};

}  // namespace hm::ledger
