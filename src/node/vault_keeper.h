// SPDX-License-Identifier: Apache-2.0
// Keeps the owner's Private assets on this machine and their vault's root on the ledger.
//
// Promises: the first root is committed when the hardware is known, whether or not any of it is
// Private, and a new one when what is Private changes; so a node without Private assets looks like
// one with some. A root is committed only after the vault was remembered. Ids stay while the
// hardware does.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/privacy/vault.h"
#include "node/node.h"
#include "node/own_operations.h"

namespace hm::node {

// A Private item of hardware; its descriptor holds the key by which it is known again.
struct PrivateItem {
  assets::AssetKind kind = assets::AssetKind::Cpu;
  assets::AssetTerms terms;
};

class VaultKeeper {
 public:
  using Remember = std::function<Result<void>(const privacy::Vault&)>;

  // `vault`: as remembered.
  VaultKeeper(Node& node, OwnOperations& operations, std::optional<privacy::Vault> vault,
              Remember remember);
  ~VaultKeeper() { *alive_ = false; }

  // All that is Private from here on. What is above the vault's places is left out, and that is
  // logged.
  void keep(std::vector<PrivateItem> items);

  // None before the first keep() of a new node.
  const std::optional<privacy::Vault>& vault() const { return vault_; }

 private:
  std::vector<privacy::VaultAsset> with_ids(std::vector<PrivateItem> items) const;
  void commit();

  Node& node_;
  OwnOperations& operations_;
  std::optional<privacy::Vault> vault_;
  Remember remember_;
  bool is_committing_ = false;
  std::unique_ptr<ports::Timer> retry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::node
