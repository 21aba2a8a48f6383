// SPDX-License-Identifier: Apache-2.0
// The ledger's state as typed, ordered tables: the only copy in memory. Key and value bytes are
// made from it when something is written, proven or exported.
#pragma once

#include <cstdint>
#include <map>

#include "core/ledger/records.h"

namespace hm::ledger {

struct Tables {
  ChainRecord chain;
  caesar::Supply supply;
  std::map<std::uint64_t, BlockRecord> blocks;  // the anchor window, by height
  std::map<identity::OwnerId, OwnerRecord> owners;
  std::map<identity::OwnerId, OwnerKeyRecord> owner_keys;  // one for each owner
  std::map<identity::NodeId, NodeRecord> nodes;
  std::map<identity::NodeId, ValidatorRecord> validators;
  std::map<crypto::Digest, assets::AssetRecord> assets;  // by AssetId::hash
  std::map<assets::Address, crypto::Digest> addresses;

  bool operator==(const Tables&) const = default;
};

}  // namespace hm::ledger
