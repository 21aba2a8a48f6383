// SPDX-License-Identifier: Apache-2.0
// Changes over the tables that are not yet part of them. Layers stack: an operation writes into its
// own, which the block's absorbs if the operation is applied and which is dropped if it is refused,
// so that a refused operation changes nothing by construction.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/ledger/ledger.h"
#include "core/ledger/tables.h"

namespace hm::ledger {

class Layer {
 public:
  explicit Layer(const Tables& tables) : tables_(&tables) {}
  explicit Layer(const Layer& below) : tables_(below.tables_), below_(&below) {}

  const ChainRecord& chain() const { return tables_->chain; }
  const BlockRecord* block(std::uint64_t height) const;

  const OwnerRecord* owner(const identity::OwnerId& id) const;
  const OwnerKeyRecord* owner_keys(const identity::OwnerId& id) const;
  const NodeRecord* node(const identity::NodeId& id) const;
  const assets::AssetRecord* asset(const crypto::Digest& hash) const;
  bool is_address_taken(const assets::Address& address) const;
  const caesar::Supply& supply() const;

  // A copy in this layer, to write to. Requires: the row exists.
  OwnerRecord& edit_owner(const identity::OwnerId& id);
  OwnerKeyRecord& edit_owner_keys(const identity::OwnerId& id);
  NodeRecord& edit_node(const identity::NodeId& id);
  assets::AssetRecord& edit_asset(const crypto::Digest& hash);
  caesar::Supply& edit_supply();

  // New rows. Requires: the row does not exist.
  OwnerRecord& add_owner(const identity::OwnerId& id, OwnerRecord record, OwnerKeyRecord keys);
  void add_node(const identity::NodeId& id, NodeRecord record);
  void add_asset(assets::AssetRecord record);

  void note(AssetChange change) { changes_.push_back(std::move(change)); }

  // Takes over everything that `above`, a layer over this one, has.
  void absorb(Layer&& above);

  // What this layer alone holds; a commit may move the rows out.
  std::map<identity::OwnerId, OwnerRecord>& owners() { return owners_; }
  std::map<identity::OwnerId, OwnerKeyRecord>& owner_keys() { return owner_keys_; }
  std::map<identity::NodeId, NodeRecord>& nodes() { return nodes_; }
  std::map<crypto::Digest, assets::AssetRecord>& assets() { return assets_; }
  const std::map<assets::Address, crypto::Digest>& addresses() const { return addresses_; }
  const std::optional<caesar::Supply>& changed_supply() const { return supply_; }
  const std::vector<AssetChange>& changes() const { return changes_; }

 private:
  const Tables* tables_;
  const Layer* below_ = nullptr;
  std::map<identity::OwnerId, OwnerRecord> owners_;
  std::map<identity::OwnerId, OwnerKeyRecord> owner_keys_;
  std::map<identity::NodeId, NodeRecord> nodes_;
  std::map<crypto::Digest, assets::AssetRecord> assets_;
  std::map<assets::Address, crypto::Digest> addresses_;
  std::optional<caesar::Supply> supply_;
  std::vector<AssetChange> changes_;
};

}  // namespace hm::ledger
