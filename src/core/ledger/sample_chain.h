// SPDX-License-Identifier: Apache-2.0
// A small chain with keys from fixed seeds, for tests, benches and fuzz targets. Not for programs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/ledger/genesis.h"
#include "core/ledger/ledger.h"
#include "core/ledger/operation.h"
#include "foundation/base/check.h"
#include "foundation/codec/writer.h"

namespace hm::ledger::sample {

inline constexpr std::uint64_t kGenesisTime = 1'760'000'000'000;

inline crypto::SigningKey key(std::uint32_t seed) {
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  bytes.back() = 0x5e;
  return crypto::SigningKey::from_seed(bytes);
}

inline identity::OwnerKeys make_owner(std::uint32_t seed) {
  identity::OwnerSeeds seeds;
  seeds.ed25519 = key(seed).seed();
  std::ranges::copy(seeds.ed25519, seeds.falcon.begin());
  std::ranges::copy(seeds.ed25519, seeds.ml_kem.begin());
  return identity::OwnerKeys::generate(seeds, falcon::Arithmetic::Hardware);
}

// The owner whose Ed25519 key is key(seed); made once in a process, because Falcon takes its time.
inline const identity::OwnerKeys& owner(std::uint32_t seed) {
  static std::map<std::uint32_t, identity::OwnerKeys> made;
  const auto found = made.find(seed);
  return found != made.end() ? found->second : made.emplace(seed, make_owner(seed)).first->second;
}

// The keys of `seed` after a rotation of the owner `id`.
inline identity::OwnerKeys owner_as(std::uint32_t seed, const identity::OwnerId& id) {
  return make_owner(seed).as_owner(id);
}

inline const identity::KeyBundle& bundle(std::uint32_t owner_seed) {
  return owner(owner_seed).bundle();
}

inline const identity::OwnerId& owner_id(std::uint32_t owner_seed) {
  return owner(owner_seed).id();
}

// The same signature every time: only for keys that guard nothing.
inline falcon::SigningRandomness fixed_randomness(std::uint8_t number = 0) {
  falcon::SigningRandomness randomness;
  randomness.nonce.fill(number);
  randomness.seed.fill(number);
  return randomness;
}

inline identity::NodeId node_id(const crypto::SigningKey& key) {
  return identity::node_id_of(key.public_key());
}

inline identity::NodeBinding binding(std::uint32_t owner_seed, std::uint32_t node_seed,
                                     const crypto::Digest& context, std::string name) {
  return identity::bind_node(owner(owner_seed), key(node_seed), context, std::move(name),
                             fixed_randomness());
}

// Owner i has seed i and the node with seed 1000 + i, which is a validator.
inline Genesis genesis(std::uint32_t owners = 4, std::uint64_t balance_caes = 1'000,
                       std::uint64_t bond_caes = 1'000, Preset preset = Preset::Localhost) {
  Genesis genesis;
  genesis.chain_name = "sample";
  genesis.preset = preset;
  genesis.time = UnixMillis{kGenesisTime};
  genesis.root = owner_id(0);
  genesis.economy = economy_of(preset);
  const auto context = identity::genesis_binding_context(genesis.chain_name, kGenesisTime);
  for (std::uint32_t i = 0; i < owners; ++i) {
    genesis.owners.push_back({"owner-" + std::to_string(i), bundle(i), caesar::caes(balance_caes),
                              caesar::caes(bond_caes)});
    genesis.nodes.push_back(binding(i, 1000 + i, context, "node-" + std::to_string(i)));
    genesis.validators.push_back({node_id(key(1000 + i)), caesar::caes(bond_caes)});
  }
  return genesis;
}

// A valid id whose uuid depends on `number` alone.
inline assets::AssetId asset_id(const identity::ChainId& chain, std::uint64_t number,
                                assets::AssetKind kind = assets::AssetKind::Cpu) {
  std::array<std::uint8_t, assets::kUuidRandomSize> random{};
  for (std::size_t i = 0; i < 6; ++i) random[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return assets::AssetId::make(chain, kind, UnixMillis{kGenesisTime + number}, random);
}

// A CPU as the probe describes one.
inline assets::AssetTerms terms(std::uint64_t cores = 8) {
  assets::AssetTerms terms;
  terms.descriptor = {
      {"brand", std::string("Sample CPU @ 3.00GHz")},
      {"logical_cores", cores},
      {"smt", true},
      {"features", std::vector<std::string>{"aes", "avx", "avx2", "sha_ni", "sse4_2"}}};
  terms.quantity = {cores, cores, cores, "threads"};
  return terms;
}

// Believes any evidence that is a node id: what proves a fault is not the ledger's to know.
inline std::optional<ProvenFault> judge_by_node_id(
    ByteView evidence, const identity::ChainId&,
    const std::map<identity::NodeId, ValidatorRecord>&) {
  identity::NodeId node;
  if (evidence.size() != node.bytes.size()) return std::nullopt;
  std::ranges::copy(evidence, node.bytes.begin());
  return ProvenFault{node, caesar::Fault::DoubleVote};
}

// A ledger and what is needed to write operations for it.
class Chain {
 public:
  explicit Chain(const Genesis& document = genesis(), FaultJudge judge = nullptr)
      : genesis_(document), ledger_(Ledger::from_genesis(document, judge)) {}

  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }
  const Genesis& genesis_document() const { return genesis_; }
  const identity::ChainId& id() const { return ledger_.chain().chain_id; }

  // An operation that is right in everything but perhaps its action.
  Operation operation(Actor actor, Action action) const {
    return {.chain_id = id(),
            .actor = actor,
            .sequence = ledger_.next_sequence(actor).value_or(1),
            .anchor = ledger_.anchor(),
            .expiry_height = ledger_.height() + 100,
            .action = std::move(action)};
  }

  PreparedOperation prepared(Operation operation, const crypto::SigningKey& key) const {
    auto checked = prepare(sign(std::move(operation), key), id());
    HM_CHECK(checked.has_value());
    return std::move(*checked);
  }

  // By owner `seed` with its own key.
  PreparedOperation by_owner(std::uint32_t seed, Action action) const {
    return prepared(operation(owner_id(seed), std::move(action)), key(seed));
  }
  // By node `seed` with its own key.
  PreparedOperation by_node(std::uint32_t seed, Action action) const {
    const auto signer = key(seed);
    return prepared(operation(node_id(signer), std::move(action)), signer);
  }

  // Applies a block of these at the next height.
  BlockOutcome block(const std::vector<PreparedOperation>& operations) {
    return block_at(UnixMillis{kGenesisTime + 10 * (ledger_.height() + 1)}, operations);
  }
  // The same at a time of the caller's.
  BlockOutcome block_at(UnixMillis time, const std::vector<PreparedOperation>& operations) {
    const std::uint64_t height = ledger_.height() + 1;
    const crypto::Digest hash = crypto::tagged_hash("hm.sample-block.v1", codec::encode(height));
    return ledger_.apply({height, hash, time}, operations);
  }

 private:
  Genesis genesis_;
  Ledger ledger_;
};

}  // namespace hm::ledger::sample
