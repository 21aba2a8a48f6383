// SPDX-License-Identifier: Apache-2.0
#include "node/vault_keeper.h"

#include <algorithm>
#include <array>
#include <utility>

#include "foundation/base/log.h"
#include "node/hardware_assets.h"
#include "node/limits.h"

namespace hm::node {
namespace {

bool is_same_hardware(const privacy::VaultAsset& asset, const PrivateItem& item) {
  if (asset.id.kind != item.kind) return false;
  const std::string* known = hardware_key(asset.terms);
  const std::string* found = hardware_key(item.terms);
  return known != nullptr && found != nullptr && *known == *found;
}

}  // namespace

VaultKeeper::VaultKeeper(Node& node, OwnOperations& operations, std::optional<privacy::Vault> vault,
                         Remember remember)
    : node_(node),
      operations_(operations),
      vault_(std::move(vault)),
      remember_(std::move(remember)),
      retry_(node.ports().timers.create([this] { commit(); })) {}

void VaultKeeper::keep(std::vector<PrivateItem> items) {
  if (items.size() > privacy::kVaultPlaces) {
    log::warning("vault", "more private hardware than a vault has places; the rest is not kept",
                 {{"items", items.size()}, {"places", privacy::kVaultPlaces}});
    items.resize(privacy::kVaultPlaces);
  }
  std::vector<privacy::VaultAsset> assets = with_ids(std::move(items));
  std::ranges::sort(assets, {}, &privacy::VaultAsset::id);
  std::vector<privacy::VaultAsset> before;
  if (vault_) before = vault_->assets();
  std::ranges::sort(before, {}, &privacy::VaultAsset::id);
  if (!vault_ || assets != before) {
    auto sealed = privacy::Vault::seal(
        std::move(assets), [this](std::span<std::uint8_t> out) { node_.ports().random.fill(out); });
    if (!sealed) {
      log::error("vault", "the private hardware cannot be sealed",
                 {{"why", name_of(sealed.error())}});
      return;
    }
    if (auto remembered = remember_(*sealed); !remembered) {
      log::error("vault", remembered.error().message, {{"why", remembered.error().detail}});
      return;
    }
    vault_ = std::move(*sealed);
  }
  commit();
}

std::vector<privacy::VaultAsset> VaultKeeper::with_ids(std::vector<PrivateItem> items) const {
  std::vector<privacy::VaultAsset> known;
  if (vault_) known = vault_->assets();
  std::vector<privacy::VaultAsset> assets;
  for (PrivateItem& item : items) {
    const auto same = std::ranges::find_if(
        known, [&](const privacy::VaultAsset& asset) { return is_same_hardware(asset, item); });
    if (same != known.end()) {
      assets.push_back({same->id, std::move(item.terms)});
      continue;
    }
    std::array<std::uint8_t, assets::kUuidRandomSize> random{};
    node_.ports().random.fill(random);
    assets.push_back(
        {assets::AssetId::make(node_.chain_id(), item.kind, node_.ports().clock.wall(), random),
         std::move(item.terms)});
  }
  return assets;
}

void VaultKeeper::commit() {
  if (!vault_ || is_committing_ || node_.halt_reason()) return;
  const ledger::NodeRecord* self = node_.ledger().node(node_.id());
  if (self != nullptr && self->vault_root == vault_->root()) return;
  if (self == nullptr) {
    // The ledger here is too old to know this node.
    retry_->arm(node_.ports().clock.now() + kOwnOperationPause);
    return;
  }
  is_committing_ = true;
  operations_.submit(ledger::CommitVault{node_.id(), vault_->root()},
                     [this, alive = alive_](const auto& refused) {
                       if (!*alive) return;
                       is_committing_ = false;
                       if (!refused) return commit();
                       log::warning("vault", "the ledger refused the vault's root",
                                    {{"why", ledger::explain(*refused)}});
                       retry_->arm(node_.ports().clock.now() + kVaultRetryPause);
                     });
}

}  // namespace hm::node
