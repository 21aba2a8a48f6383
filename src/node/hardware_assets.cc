// SPDX-License-Identifier: Apache-2.0
#include "node/hardware_assets.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "foundation/base/log.h"

namespace hm::node {
namespace {

using assets::AssetState;

// Operations of one batch; a machine with more items takes several blocks.
constexpr std::size_t kBatch = 32;
// After a refusal or a busy node.
constexpr Duration kRetryPause = std::chrono::seconds(5);
// Blocks by which this node may be behind its peers and still speak for its hardware.
constexpr std::uint64_t kTolerableLag = 4;
// Between looks at the ledger while a node that has just joined fetches the chain.
constexpr Duration kJoinPause = std::chrono::milliseconds(500);

constexpr const char* kKeyField = "key";
constexpr const char* kLendableField = "lendable";
constexpr const char* kUnknownField = "quantity_unknown";

assets::DescriptorValue to_descriptor(const ports::HardwareValue& value) {
  return std::visit([](const auto& v) { return assets::DescriptorValue(v); }, value);
}

bool is_lendable(const assets::AssetRecord& asset) {
  const auto field = asset.terms.descriptor.find(kLendableField);
  if (field == asset.terms.descriptor.end()) return false;
  const bool* lendable = std::get_if<bool>(&field->second);
  return lendable != nullptr && *lendable;
}

// What to do about an asset whose hardware is gone. Lendable hardware may come back, with its id;
// a virtual link will not.
std::optional<ledger::Action> plan_vanished(const assets::AssetRecord& asset) {
  if (!is_lendable(asset)) return ledger::RetireAsset{asset.id, asset.version};
  if (asset.terms.state == AssetState::Failed) return std::nullopt;
  assets::AssetTerms terms = asset.terms;
  terms.state = AssetState::Failed;
  terms.quantity.available = 0;
  return ledger::UpdateAsset{asset.id, asset.version, std::move(terms)};
}

// The terms for hardware that is on the ledger already: what the owner set there stays.
assets::AssetTerms merge(const assets::AssetTerms& current, assets::AssetTerms measured) {
  measured.level = current.level;
  measured.price = current.price;
  measured.quantity.offered = std::min(current.quantity.offered, measured.quantity.detected);
  // What had vanished is back whole.
  measured.quantity.available =
      current.state == AssetState::Failed
          ? measured.quantity.offered
          : std::min(current.quantity.available, measured.quantity.offered);
  if (current.state == AssetState::Maintenance) measured.state = current.state;
  return measured;
}

}  // namespace

const std::string* hardware_key(const assets::AssetTerms& terms) {
  const auto field = terms.descriptor.find(kKeyField);
  return field == terms.descriptor.end() ? nullptr : std::get_if<std::string>(&field->second);
}

assets::AssetKind kind_of(ports::HardwareKind kind) {
  switch (kind) {
    case ports::HardwareKind::Cpu: return assets::AssetKind::Cpu;
    case ports::HardwareKind::Memory: return assets::AssetKind::Memory;
    case ports::HardwareKind::Storage: return assets::AssetKind::Storage;
    case ports::HardwareKind::Network: return assets::AssetKind::Network;
    case ports::HardwareKind::Gpu: return assets::AssetKind::Gpu;
  }
  return assets::AssetKind::Cpu;
}

assets::AssetTerms terms_of(const ports::HardwareItem& item, const SharingPolicy& policy) {
  assets::AssetTerms terms;
  for (const auto& [name, value] : item.descriptor) {
    terms.descriptor.emplace(name, to_descriptor(value));
  }
  terms.descriptor.insert_or_assign(kKeyField, item.key);
  terms.descriptor.insert_or_assign(kLendableField, item.offerable);
  if (!item.detected) terms.descriptor.insert_or_assign(kUnknownField, true);
  terms.quantity.unit = std::string(ports::name_of(ports::unit_of(item.kind)));
  terms.quantity.detected = item.detected.value_or(0);
  if (item.offerable) {
    const std::uint64_t usable =
        std::min(item.usable.value_or(terms.quantity.detected), terms.quantity.detected);
    // Divided first: detected bytes times a hundred need not fit 64 bits.
    terms.quantity.offered =
        usable / 100 * policy.share_percent + usable % 100 * policy.share_percent / 100;
  }
  terms.quantity.available = terms.quantity.offered;
  terms.level = policy.level;
  return terms;
}

std::vector<ledger::Action> plan_hardware(
    const ledger::Ledger& ledger, const identity::NodeId& node,
    const ports::HardwareSnapshot& snapshot, const SharingPolicy& policy, std::size_t count,
    const std::function<assets::AssetId(assets::AssetKind)>& make_id) {
  std::map<std::pair<assets::AssetKind, std::string>, const ports::HardwareItem*> wanted;
  for (const ports::HardwareItem& item : snapshot.items) {
    wanted.emplace(std::pair(kind_of(item.kind), item.key), &item);
  }
  std::vector<ledger::Action> actions;
  for (const crypto::Digest& hash : ledger.index().of_node(node)) {
    const assets::AssetRecord* asset = ledger.asset(hash);
    if (asset == nullptr || asset->terms.state == AssetState::Retired) continue;
    const std::string* key = hardware_key(asset->terms);
    // Registered by hand: not ours to change.
    if (key == nullptr) continue;
    const auto item = wanted.find(std::pair(asset->id.kind, *key));
    if (item == wanted.end()) {
      if (auto action = plan_vanished(*asset)) actions.push_back(std::move(*action));
      continue;
    }
    assets::AssetTerms terms = merge(asset->terms, terms_of(*item->second, policy));
    if (terms != asset->terms) {
      actions.push_back(ledger::UpdateAsset{asset->id, asset->version, std::move(terms)});
    }
    wanted.erase(item);
  }
  if (policy.level == assets::PrivacyLevel::Private) wanted.clear();
  for (const auto& [name, item] : wanted) {
    actions.push_back(ledger::RegisterAsset{make_id(name.first), node, terms_of(*item, policy)});
  }
  if (actions.size() > count) actions.resize(count);
  return actions;
}

std::vector<PrivateItem> private_hardware(const ledger::Ledger& ledger,
                                          const identity::NodeId& node,
                                          const ports::HardwareSnapshot& snapshot,
                                          const SharingPolicy& policy) {
  if (policy.level != assets::PrivacyLevel::Private) return {};
  std::set<std::pair<assets::AssetKind, std::string>> shown;
  for (const crypto::Digest& hash : ledger.index().of_node(node)) {
    const assets::AssetRecord* asset = ledger.asset(hash);
    if (asset == nullptr || asset->terms.state == AssetState::Retired) continue;
    const std::string* key = hardware_key(asset->terms);
    if (key != nullptr) shown.emplace(asset->id.kind, *key);
  }
  std::vector<PrivateItem> items;
  for (const ports::HardwareItem& item : snapshot.items) {
    if (shown.contains({kind_of(item.kind), item.key})) continue;
    items.push_back({kind_of(item.kind), terms_of(item, policy)});
  }
  return items;
}

HardwareAssets::HardwareAssets(Node& node, OwnOperations& operations, VaultKeeper& vault,
                               SharingPolicy policy)
    : node_(node),
      operations_(operations),
      vault_(vault),
      policy_(policy),
      retry_(node.ports().timers.create([this] { reconcile(); })) {}

HardwareAssets::~HardwareAssets() { *alive_ = false; }

void HardwareAssets::on_hardware_changed(const ports::HardwareSnapshot& now,
                                         const ports::HardwareChanges& changes) {
  snapshot_ = now;
  has_snapshot_ = true;
  log::info("hardware", "inventory changed",
            {{"appeared", changes.appeared.size()},
             {"changed", changes.changed.size()},
             {"vanished", changes.vanished.size()}});
  reconcile();
}

void HardwareAssets::on_hardware_probe_failed(const Error& error) {
  log::warning("hardware", error.message, {{"why", error.detail}});
}

void HardwareAssets::reconcile() {
  if (!has_snapshot_ || under_way_ > 0 || node_.halt_reason()) return;
  const ledger::Ledger& ledger = node_.ledger();
  if (ledger.node(node_.id()) == nullptr ||
      node_.replica().claimed_height() > ledger.height() + kTolerableLag) {
    // The ledger here is old: the node has just joined, or lost its data, and catches up. It may
    // hold assets of this node that are not known here yet.
    retry_->arm(node_.ports().clock.now() + kJoinPause);
    return;
  }
  const auto make_id = [this](assets::AssetKind kind) {
    std::array<std::uint8_t, assets::kUuidRandomSize> random{};
    node_.ports().random.fill(random);
    return assets::AssetId::make(node_.chain_id(), kind, node_.ports().clock.wall(), random);
  };
  auto actions = plan_hardware(ledger, node_.id(), snapshot_, policy_, kBatch, make_id);
  vault_.keep(private_hardware(ledger, node_.id(), snapshot_, policy_));
  under_way_ = actions.size();
  some_failed_ = false;
  for (ledger::Action& action : actions) {
    operations_.submit(std::move(action), [this, alive = alive_](const auto& refused) {
      if (!*alive) return;
      if (refused) {
        log::warning("hardware", "the ledger refused an asset operation",
                     {{"why", ledger::explain(*refused)}});
      }
      settled(!refused);
    });
  }
}

void HardwareAssets::settled(bool applied) {
  some_failed_ = some_failed_ || !applied;
  if (--under_way_ > 0) return;
  if (some_failed_) {
    retry_->arm(node_.ports().clock.now() + kRetryPause);
  } else {
    reconcile();
  }
}

}  // namespace hm::node
