// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/execution.h"

namespace hm::ledger {

Execution::Checked Execution::act(const RegisterAsset& action) {
  if (acting_.node && *acting_.node != action.node) return refuse(Refusal::NotOnThisNode);
  const NodeRecord* node = layer_.nodes.find(action.node);
  if (node == nullptr) return refuse(Refusal::UnknownNode);
  if (node->binding.owner != acting_.owner) return refuse(Refusal::NodeNotOwned);
  if (layer_.assets.find(action.id.hash) != nullptr) return refuse(Refusal::DuplicateAsset);
  const auto address = assets::address_of(layer_.chain().chain_id, action.id.hash);
  if (layer_.addresses.contains(address)) return refuse(Refusal::AddressCollision);
  layer_.add_asset({.id = action.id,
                    .owner = acting_.owner,
                    .node = action.node,
                    .terms = action.terms,
                    .address = address,
                    .registered_height = frame_.height});
  ++layer_.owners.edit(acting_.owner).records_created;
  touch(action.id.hash, AssetEvent::Registered);
  return std::nullopt;
}

Execution::Checked Execution::act(const UpdateAsset& action) {
  if (const auto refused = check_asset(action.id, action.expected_version)) return refused;
  assets::AssetTerms& terms = layer_.assets.edit(action.id.hash).terms;
  // Numbers in another unit are not what was leased.
  const bool is_gone = action.terms.state == assets::AssetState::Failed ||
                       action.terms.quantity.unit != terms.quantity.unit;
  terms = action.terms;
  touch(action.id.hash, AssetEvent::Updated);
  leases_.shrink(action.id.hash, is_gone ? 0 : action.terms.quantity.offered);
  return std::nullopt;
}

Execution::Checked Execution::act(const TransferAsset& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  if (const auto refused = check_asset(action.id, action.expected_version)) return refused;
  if (action.to == acting_.owner) return refuse(Refusal::TransferToSelf);
  if (layer_.owners.find(action.to) == nullptr) return refuse(Refusal::UnknownOwner);
  if (const AssetUseRecord* use = layer_.asset_uses.find(action.id.hash)) {
    return refuse(Refusal::AssetLeased, use->leases.size());
  }
  layer_.assets.edit(action.id.hash).owner = action.to;
  touch(action.id.hash, AssetEvent::Transferred);
  return std::nullopt;
}

Execution::Checked Execution::act(const RetireAsset& action) {
  if (const auto refused = check_asset(action.id, action.expected_version)) return refused;
  assets::AssetRecord& asset = layer_.assets.edit(action.id.hash);
  asset.terms.state = assets::AssetState::Retired;
  asset.terms.quantity.offered = 0;
  asset.terms.quantity.available = 0;
  touch(action.id.hash, AssetEvent::Retired);
  leases_.shrink(action.id.hash, 0);
  return std::nullopt;
}

// The asset exists, the actor may change it, and it is as the actor last saw it.
Execution::Checked Execution::check_asset(const assets::AssetId& id,
                                          std::uint64_t expected_version) const {
  const assets::AssetRecord* asset = layer_.assets.find(id.hash);
  if (asset == nullptr) return refuse(Refusal::UnknownAsset);
  if (asset->owner != acting_.owner) return refuse(Refusal::NotTheOwner);
  if (acting_.node && *acting_.node != asset->node) return refuse(Refusal::NotOnThisNode);
  if (asset->terms.state == assets::AssetState::Retired) return refuse(Refusal::AssetRetired);
  if (asset->version != expected_version) {
    return refuse(Refusal::VersionMismatch, expected_version, asset->version);
  }
  return std::nullopt;
}

// What every applied operation leaves on its asset.
void Execution::touch(const crypto::Digest& hash, AssetEvent event) {
  assets::AssetRecord& asset = layer_.assets.edit(hash);
  ++asset.version;
  asset.cited = operation_.proofs;
  asset.changed_height = frame_.height;
  asset.changed = interval_;
  asset.last_operation = id_;
  layer_.note({event, asset.id, asset.version, id_});
}

}  // namespace hm::ledger
