// SPDX-License-Identifier: Apache-2.0
// The records of the ledger's state other than assets, and the key of each in the ordered key-value
// state. A key is one byte for the table followed by the row; docs/protocols/ledger.md §5.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "core/assets/record.h"
#include "core/caesar/supply.h"
#include "core/identity/key_bundle.h"
#include "core/identity/node_binding.h"
#include "core/ledger/limits.h"
#include "core/ledger/policy.h"

namespace hm::ledger {

// An actor's progress. `recent[s % kRecentOperations]` is the first 8 bytes (big-endian) of the id
// of its operation with sequence s, for the last kRecentOperations sequences.
struct ActorProgress {
  std::uint64_t sequence = 0;  // of the last applied operation
  std::array<std::uint64_t, kRecentOperations> recent{};
  bool operator==(const ActorProgress&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.sequence, self.recent); }
};

struct OwnerRecord {
  std::string name;
  caesar::Account account;
  std::uint64_t records_created = 0;  // owners, nodes and assets; each ties up bond
  std::uint64_t registered_height = 0;
  ActorProgress progress;
  bool operator==(const OwnerRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.account, self.records_created, self.registered_height,
                    self.progress);
  }
};

// A key that was replaced and still signs operations for a while.
struct RetiringKey {
  crypto::PublicKey key;
  std::uint64_t until_height = 0;  // the last block that takes an operation signed with it
  bool operator==(const RetiringKey&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.key, self.until_height); }
};

// The keys of an owner: a row of their own, because they are some thousand bytes that change once
// in years, and the account changes with every payment.
struct OwnerKeyRecord {
  identity::KeyBundle bundle;
  std::uint64_t since_height = 0;  // of the registration or the last rotation
  std::optional<RetiringKey> retiring;
  bool operator==(const OwnerKeyRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.bundle, self.since_height, self.retiring);
  }
};

struct NodeRecord {
  identity::NodeBinding binding;
  std::uint64_t registered_height = 0;
  ActorProgress progress;
  bool operator==(const NodeRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.binding, self.registered_height, self.progress);
  }
};

struct ValidatorRecord {
  crypto::PublicKey key;
  caesar::Amount stake;
  bool operator==(const ValidatorRecord&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.key, self.stake); }
};

// A final block within the anchor window. Height 0 is genesis, its hash the chain id.
struct BlockRecord {
  crypto::Digest hash;
  UnixMillis time;
  std::uint32_t operations = 0;
  crypto::Digest receipts_root;
  bool operator==(const BlockRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.hash, self.time, self.operations, self.receipts_root);
  }
};

struct ChainRecord {
  identity::ChainId chain_id;
  std::string name;
  Preset preset = Preset::Default;
  bool operator==(const ChainRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.chain_id, self.name, self.preset);
  }
};

// First byte of a state key.
enum class Table : std::uint8_t {
  Chain = 0,      // no row
  Supply = 1,     // no row
  Block = 2,      // height, 8 bytes big-endian
  Owner = 3,      // owner id
  Node = 4,       // node id
  Validator = 5,  // node id
  Asset = 6,      // asset hash
  Address = 7,    // the 16 bytes of an address; the value is the asset's hash
  OwnerKeys = 8,  // owner id
};

Bytes chain_key();
Bytes supply_key();
Bytes block_key(std::uint64_t height);
Bytes owner_key(const identity::OwnerId& owner);
Bytes owner_keys_key(const identity::OwnerId& owner);
Bytes node_key(const identity::NodeId& node);
Bytes validator_key(const identity::NodeId& node);
Bytes asset_key(const crypto::Digest& asset_hash);
Bytes address_key(const assets::Address& address);

}  // namespace hm::ledger
