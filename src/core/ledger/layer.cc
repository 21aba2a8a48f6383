// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/layer.h"

#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

template <class K, class V>
const V* look(const std::map<K, V>& rows, const K& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? nullptr : &found->second;
}

// The row in `own`, copied there from `found` first if it is not.
template <class K, class V>
V& own_copy(std::map<K, V>& own, const K& key, const V* found) {
  HM_CHECK(found != nullptr);
  const auto place = own.lower_bound(key);
  if (place != own.end() && place->first == key) return place->second;
  return own.emplace_hint(place, key, *found)->second;
}

}  // namespace

const BlockRecord* Layer::block(std::uint64_t height) const {
  return look(tables_->blocks, height);
}

const OwnerRecord* Layer::owner(const identity::OwnerId& id) const {
  if (const OwnerRecord* own = look(owners_, id)) return own;
  return below_ != nullptr ? below_->owner(id) : look(tables_->owners, id);
}

const OwnerKeyRecord* Layer::owner_keys(const identity::OwnerId& id) const {
  if (const OwnerKeyRecord* own = look(owner_keys_, id)) return own;
  return below_ != nullptr ? below_->owner_keys(id) : look(tables_->owner_keys, id);
}

const NodeRecord* Layer::node(const identity::NodeId& id) const {
  if (const NodeRecord* own = look(nodes_, id)) return own;
  return below_ != nullptr ? below_->node(id) : look(tables_->nodes, id);
}

const assets::AssetRecord* Layer::asset(const crypto::Digest& hash) const {
  if (const assets::AssetRecord* own = look(assets_, hash)) return own;
  return below_ != nullptr ? below_->asset(hash) : look(tables_->assets, hash);
}

bool Layer::is_address_taken(const assets::Address& address) const {
  if (addresses_.contains(address)) return true;
  return below_ != nullptr ? below_->is_address_taken(address)
                           : tables_->addresses.contains(address);
}

const caesar::Supply& Layer::supply() const {
  if (supply_) return *supply_;
  return below_ != nullptr ? below_->supply() : tables_->supply;
}

OwnerRecord& Layer::edit_owner(const identity::OwnerId& id) {
  return own_copy(owners_, id, owner(id));
}

OwnerKeyRecord& Layer::edit_owner_keys(const identity::OwnerId& id) {
  return own_copy(owner_keys_, id, owner_keys(id));
}

NodeRecord& Layer::edit_node(const identity::NodeId& id) { return own_copy(nodes_, id, node(id)); }

assets::AssetRecord& Layer::edit_asset(const crypto::Digest& hash) {
  return own_copy(assets_, hash, asset(hash));
}

caesar::Supply& Layer::edit_supply() {
  if (!supply_) supply_ = supply();
  return *supply_;
}

OwnerRecord& Layer::add_owner(const identity::OwnerId& id, OwnerRecord record,
                              OwnerKeyRecord keys) {
  HM_CHECK(owner(id) == nullptr);
  owner_keys_.emplace(id, std::move(keys));
  return owners_.emplace(id, std::move(record)).first->second;
}

void Layer::add_node(const identity::NodeId& id, NodeRecord record) {
  HM_CHECK(node(id) == nullptr);
  nodes_.emplace(id, std::move(record));
}

void Layer::add_asset(assets::AssetRecord record) {
  const crypto::Digest hash = record.id.hash;
  HM_CHECK(asset(hash) == nullptr && !is_address_taken(record.address));
  addresses_.emplace(record.address, hash);
  assets_.emplace(hash, std::move(record));
}

void Layer::absorb(Layer&& above) {
  HM_CHECK(above.below_ == this);
  for (auto& [id, record] : above.owners_) owners_.insert_or_assign(id, std::move(record));
  for (auto& [id, keys] : above.owner_keys_) owner_keys_.insert_or_assign(id, std::move(keys));
  for (auto& [id, record] : above.nodes_) nodes_.insert_or_assign(id, std::move(record));
  for (auto& [hash, record] : above.assets_) assets_.insert_or_assign(hash, std::move(record));
  addresses_.merge(above.addresses_);
  if (above.supply_) supply_ = above.supply_;
  changes_.insert(changes_.end(), std::make_move_iterator(above.changes_.begin()),
                  std::make_move_iterator(above.changes_.end()));
}

}  // namespace hm::ledger
