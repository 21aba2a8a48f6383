// SPDX-License-Identifier: Apache-2.0
// Compact sparse Merkle tree over key → value bytes. A key's place follows the bits of its SHA-256;
// a leaf stands at the shallowest depth where it is alone, so the tree, and with it the root, is a
// function of the set of entries and not of their history. Proofs show that a key has a value or
// that it has none. docs/protocols/ledger.md §6 is normative.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"

namespace hm::ledger {

// SHA-256 of a key and of a value: what a leaf holds.
struct MerkleLeaf {
  crypto::Digest key_hash;
  crypto::Digest value_hash;
  bool operator==(const MerkleLeaf&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.key_hash, self.value_hash); }
};

// The path from a key's place up to the root.
struct MerkleProof {
  // The leaf found there: the key's own, another one (then the key is absent), or none (absent).
  std::optional<MerkleLeaf> leaf;
  // Sibling hashes from the root down; the zero digest stands for an empty subtree.
  std::vector<crypto::Digest> siblings;
  bool operator==(const MerkleProof&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.leaf, self.siblings); }
};

// Stand-alone check: under `root`, `key` has exactly `value`, or no value if that is empty.
bool verify_state(const crypto::Digest& root, ByteView key, const std::optional<Bytes>& value,
                  const MerkleProof& proof);

struct MerkleUpdate {
  crypto::Digest key_hash;
  std::optional<crypto::Digest> value_hash;  // none removes
};

class MerkleTree {
 public:
  // The zero digest for an empty tree.
  crypto::Digest root() const;
  std::size_t size() const { return leaf_count_; }

  // Applies all updates, each key at most once, in any order. Cost: O(updates · log size) hashes,
  // shared paths once. Removing a missing key changes nothing.
  void update(std::vector<MerkleUpdate> updates);

  MerkleProof prove(const crypto::Digest& key_hash) const;

 private:
  // 0 is the empty subtree; the top bit tells leaves from interior nodes.
  using Index = std::uint32_t;
  static constexpr Index kLeafBit = Index{1} << 31;

  struct Interior {
    crypto::Digest hash;
    Index left = 0;
    Index right = 0;
  };
  struct Leaf {
    MerkleLeaf content;
    crypto::Digest hash;
  };

  Index apply(Index at, std::span<const MerkleUpdate> updates, std::size_t depth);
  Index build(std::span<const MerkleUpdate> updates, std::size_t depth);
  Index join(Index reuse, Index left, Index right);
  Index new_leaf(const MerkleUpdate& update);
  Index new_interior();
  void drop(Index at);
  crypto::Digest hash_of(Index at) const;

  std::vector<Interior> interiors_;
  std::vector<Leaf> leaves_;
  std::vector<Index> free_interiors_;
  std::vector<Index> free_leaves_;
  std::size_t leaf_count_ = 0;
  Index root_ = 0;
};

}  // namespace hm::ledger
