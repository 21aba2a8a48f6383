// SPDX-License-Identifier: Apache-2.0
// The records of the ledger's state other than assets and lending, and the tables that all of them
// stand in; docs/protocols/ledger.md §5.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "core/assets/record.h"
#include "core/caesar/delegation.h"
#include "core/caesar/economy.h"
#include "core/caesar/supply.h"
#include "core/identity/key_bundle.h"
#include "core/identity/node_binding.h"
#include "core/ledger/limits.h"
#include "core/ledger/policy.h"
#include "core/trust/behaviour.h"

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
  std::uint32_t grants = 0;           // issued and not revoked
  std::uint32_t groups = 0;
  caesar::Amount staked;            // of the bond: what backs its validators
  std::uint32_t leases = 0;         // as tenant, ended ones that are still kept included
  std::uint64_t demurrage_day = 0;  // up to which the balance has paid it
  std::uint64_t registered_height = 0;
  ActorProgress progress;
  bool operator==(const OwnerRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.account, self.records_created, self.grants, self.groups,
                    self.staked, self.leases, self.demurrage_day, self.registered_height,
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
  // Root over the node's Private assets, salted and padded (core/privacy/vault.h); every node has
  // one, whether it has such assets or not.
  std::optional<crypto::Digest> vault_root;
  // What the node may still take out of its owner's balance for leases that it opens or renews.
  caesar::Amount allowance;
  std::uint64_t allowance_version = 0;  // +1 for every SetAllowance
  ActorProgress progress;
  bool operator==(const NodeRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.binding, self.registered_height, self.vault_root, self.allowance,
                    self.allowance_version, self.progress);
  }
};

// What a node says it keeps with other nodes: two roots (core/storage/commitment_tree.h), the last
// that it committed. A row of its own, so that it is proven without the node's binding.
struct StorageCommitment {
  std::uint64_t generation = 0;  // 1 at first, +1 for every CommitStorage
  crypto::Digest objects;
  crypto::Digest shards;
  std::uint64_t changed_height = 0;
  crypto::Digest last_operation;
  bool operator==(const StorageCommitment&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.generation, self.objects, self.shards, self.changed_height,
                    self.last_operation);
  }
};

struct ValidatorRecord {
  crypto::PublicKey key;
  caesar::Amount stake;               // its voting weight, out of its owner's bond
  caesar::DelegationPool delegated;   // what others staked with it; no voting weight
  caesar::Amount slashed;             // of the stake, for proven faults
  std::optional<UnixMillis> faulted;  // when the last of them was reported
  bool operator==(const ValidatorRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.key, self.stake, self.delegated, self.slashed, self.faulted);
  }
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
  UnixMillis genesis_time;
  identity::OwnerId root;  // whose certificates this mesh recognises
  caesar::Economy economy;
  bool operator==(const ChainRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.chain_id, self.name, self.preset, self.genesis_time, self.root,
                    self.economy);
  }
};

// First byte of a state key; the row follows (row_key.h).
enum class Table : std::uint8_t {
  Chain = 0,         // no row
  Supply = 1,        // no row
  Block = 2,         // height, 8 bytes big-endian
  Owner = 3,         // owner id
  Node = 4,          // node id
  Validator = 5,     // node id
  Asset = 6,         // asset hash
  Address = 7,       // the 16 bytes of an address; the value is the asset's hash
  OwnerKeys = 8,     // owner id
  Pools = 9,         // no row
  Grant = 10,        // owner of the assets, grant id
  GrantUse = 11,     // the same
  Group = 12,        // group id
  Certificate = 13,  // owner id of the subject
  Federation = 14,   // chain id of the other mesh
  Lease = 15,        // lease id
  AssetUse = 16,     // asset hash
  Behaviour = 17,    // node id
  Delegation = 18,   // node id of the validator, owner id
  Unbonding = 19,    // owner id
  Storage = 20,      // node id
};

}  // namespace hm::ledger
