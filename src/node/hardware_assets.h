// SPDX-License-Identifier: Apache-2.0
// Keeps the ledger in step with this machine's hardware: registers what appeared, updates what
// changed, marks what vanished, in operations signed by the node's own key. Readings (free bytes,
// load) never go on the ledger. One batch is under way at a time; what a final block refuses is
// logged and tried again when the hardware changes or after a pause.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/assets/record.h"
#include "core/ledger/operation.h"
#include "node/node.h"
#include "node/own_operations.h"
#include "node/vault_keeper.h"
#include "ports/hardware_probe.h"
#include "ports/timer.h"

namespace hm::node {

struct SharingPolicy {
  // Part of each offerable item that is offered; sharing starts at nothing.
  std::uint8_t share_percent = 0;
  // Private: hardware that is not on the ledger yet goes into the vault and stays off it.
  assets::PrivacyLevel level = assets::PrivacyLevel::PublicNetwork;
};

// What the ledger should say about an item; `key` of the item is kept in the descriptor.
assets::AssetTerms terms_of(const ports::HardwareItem& item, const SharingPolicy& policy);
assets::AssetKind kind_of(ports::HardwareKind kind);
// The key of the item that an asset stands for; null if it was registered by hand.
const std::string* hardware_key(const assets::AssetTerms& terms);

// What of the snapshot belongs into the vault: all that is not on the ledger, at level Private.
std::vector<PrivateItem> private_hardware(const ledger::Ledger& ledger,
                                          const identity::NodeId& node,
                                          const ports::HardwareSnapshot& snapshot,
                                          const SharingPolicy& policy);

// The actions that lead from the node's assets on the ledger to `snapshot`, at most `count`. New
// ids come from `make_id`.
std::vector<ledger::Action> plan_hardware(
    const ledger::Ledger& ledger, const identity::NodeId& node,
    const ports::HardwareSnapshot& snapshot, const SharingPolicy& policy, std::size_t count,
    const std::function<assets::AssetId(assets::AssetKind)>& make_id);

class HardwareAssets final : public ports::HardwareListener {
 public:
  HardwareAssets(Node& node, OwnOperations& operations, VaultKeeper& vault, SharingPolicy policy);
  ~HardwareAssets() override;

  void on_hardware_changed(const ports::HardwareSnapshot& now,
                           const ports::HardwareChanges& changes) override;
  void on_hardware_probe_failed(const Error& error) override;

  // The newest snapshot, readings included; empty before the first.
  const ports::HardwareSnapshot& snapshot() const { return snapshot_; }

 private:
  void reconcile();
  void settled(bool applied);

  Node& node_;
  OwnOperations& operations_;
  VaultKeeper& vault_;
  SharingPolicy policy_;
  ports::HardwareSnapshot snapshot_;
  bool has_snapshot_ = false;
  std::size_t under_way_ = 0;
  bool some_failed_ = false;
  std::unique_ptr<ports::Timer> retry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::node
