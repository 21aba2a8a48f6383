// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/layer.h"

#include "foundation/base/check.h"

namespace hm::ledger {

Layer::Layer(const Tables& tables)
    : owners(tables.owners),
      nodes(tables.nodes),
      validators(tables.validators),
      assets(tables.assets),
      addresses(tables.addresses),
      owner_keys(tables.owner_keys),
      grants(tables.grants),
      grant_uses(tables.grant_uses),
      groups(tables.groups),
      certificates(tables.certificates),
      federations(tables.federations),
      leases(tables.leases),
      asset_uses(tables.asset_uses),
      behaviours(tables.behaviours),
      delegations(tables.delegations),
      unbondings(tables.unbondings),
      storage_commitments(tables.storage_commitments),
      tables_(&tables) {}

Layer::Layer(const Layer& below)
    : owners(&below.owners),
      nodes(&below.nodes),
      validators(&below.validators),
      assets(&below.assets),
      addresses(&below.addresses),
      owner_keys(&below.owner_keys),
      grants(&below.grants),
      grant_uses(&below.grant_uses),
      groups(&below.groups),
      certificates(&below.certificates),
      federations(&below.federations),
      leases(&below.leases),
      asset_uses(&below.asset_uses),
      behaviours(&below.behaviours),
      delegations(&below.delegations),
      unbondings(&below.unbondings),
      storage_commitments(&below.storage_commitments),
      tables_(below.tables_),
      below_(&below) {}

const BlockRecord* Layer::block(std::uint64_t height) const {
  const auto found = tables_->blocks.find(height);
  return found == tables_->blocks.end() ? nullptr : &found->second;
}

const caesar::Supply& Layer::supply() const {
  if (supply_) return *supply_;
  return below_ != nullptr ? below_->supply() : tables_->supply;
}

caesar::Supply& Layer::edit_supply() {
  if (!supply_) supply_ = supply();
  return *supply_;
}

const caesar::Pools& Layer::pools() const {
  if (pools_) return *pools_;
  return below_ != nullptr ? below_->pools() : tables_->pools;
}

caesar::Pools& Layer::edit_pools() {
  if (!pools_) pools_ = pools();
  return *pools_;
}

OwnerRecord& Layer::add_owner(const identity::OwnerId& id, OwnerRecord record,
                              OwnerKeyRecord keys) {
  owner_keys.add(id, std::move(keys));
  return owners.add(id, std::move(record));
}

void Layer::add_asset(assets::AssetRecord record) {
  const crypto::Digest hash = record.id.hash;
  addresses.add(record.address, hash);
  assets.add(hash, std::move(record));
}

void Layer::absorb(Layer&& above) {
  HM_CHECK(above.below_ == this);
  zip_tables(*this, above, [](Table, auto& own, auto& theirs) { own.absorb(std::move(theirs)); });
  if (above.supply_) supply_ = above.supply_;
  if (above.pools_) pools_ = above.pools_;
  const auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  append(changes_, above.changes_);
  append(lease_changes_, above.lease_changes_);
}

}  // namespace hm::ledger
