// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/merkle.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/codec/writer.h"

namespace hm::ledger {
namespace {

constexpr std::size_t kMaxDepth = 256;

// Bit `depth` of a key hash, the most significant bit of the first byte being bit 0.
bool bit(const crypto::Digest& key_hash, std::size_t depth) {
  return ((key_hash.bytes[depth / 8] >> (7 - depth % 8)) & 1) != 0;
}

bool share_prefix(const crypto::Digest& a, const crypto::Digest& b, std::size_t bits) {
  for (std::size_t depth = 0; depth < bits; ++depth) {
    if (bit(a, depth) != bit(b, depth)) return false;
  }
  return true;
}

crypto::Digest leaf_hash(const MerkleLeaf& leaf) {
  std::array<std::uint8_t, 64> both{};
  std::ranges::copy(leaf.value_hash.bytes,
                    std::ranges::copy(leaf.key_hash.bytes, both.begin()).out);
  return crypto::tagged_hash("hm.leaf.v1", both);
}

// Where the sorted updates, which agree in the bits before `depth`, turn from 0 to 1 at it.
std::size_t split(std::span<const MerkleUpdate> updates, std::size_t depth) {
  const auto ones = std::ranges::partition_point(
      updates, [&](const MerkleUpdate& update) { return !bit(update.key_hash, depth); });
  return static_cast<std::size_t>(ones - updates.begin());
}

}  // namespace

bool verify_state(const crypto::Digest& root, ByteView key, const std::optional<Bytes>& value,
                  const MerkleProof& proof) {
  const crypto::Digest key_hash = crypto::sha256(key);
  const std::size_t depth = proof.siblings.size();
  if (depth > kMaxDepth) return false;
  crypto::Digest hash;
  if (proof.leaf) {
    const bool own = proof.leaf->key_hash == key_hash;
    if (own != value.has_value()) return false;
    if (own && proof.leaf->value_hash != crypto::sha256(*value)) return false;
    if (!share_prefix(proof.leaf->key_hash, key_hash, depth)) return false;
    hash = leaf_hash(*proof.leaf);
  } else if (value) {
    return false;
  }
  for (std::size_t i = depth; i-- > 0;) {
    hash = bit(key_hash, i) ? crypto::hash_pair(proof.siblings[i], hash)
                            : crypto::hash_pair(hash, proof.siblings[i]);
  }
  return hash == root;
}

crypto::Digest MerkleTree::root() const { return hash_of(root_); }

crypto::Digest MerkleTree::hash_of(Index at) const {
  if (at == 0) return {};
  return (at & kLeafBit) != 0 ? leaves_[at & ~kLeafBit].hash : interiors_[at - 1].hash;
}

void MerkleTree::update(std::vector<MerkleUpdate> updates) {
  std::ranges::sort(updates, {}, &MerkleUpdate::key_hash);
  const auto twice = std::ranges::adjacent_find(updates, {}, &MerkleUpdate::key_hash);
  HM_CHECK(twice == updates.end());
  root_ = apply(root_, updates, 0);
}

MerkleTree::Index MerkleTree::apply(Index at, std::span<const MerkleUpdate> updates,
                                    std::size_t depth) {
  if (updates.empty()) return at;
  if (at == 0) return build(updates, depth);
  if ((at & kLeafBit) != 0) {
    const MerkleLeaf leaf = leaves_[at & ~kLeafBit].content;
    drop(at);
    const auto place =
        std::ranges::lower_bound(updates, leaf.key_hash, {}, &MerkleUpdate::key_hash);
    if (place != updates.end() && place->key_hash == leaf.key_hash) return build(updates, depth);
    std::vector<MerkleUpdate> merged(updates.begin(), place);
    merged.push_back({leaf.key_hash, leaf.value_hash});
    merged.insert(merged.end(), place, updates.end());
    return build(merged, depth);
  }
  const std::size_t middle = split(updates, depth);
  const Index left = apply(interiors_[at - 1].left, updates.first(middle), depth + 1);
  const Index right = apply(interiors_[at - 1].right, updates.subspan(middle), depth + 1);
  return join(at, left, right);
}

MerkleTree::Index MerkleTree::build(std::span<const MerkleUpdate> updates, std::size_t depth) {
  const auto present = [](const MerkleUpdate& update) { return update.value_hash.has_value(); };
  const auto first = std::ranges::find_if(updates, present);
  if (first == updates.end()) return 0;
  if (std::find_if(std::next(first), updates.end(), present) == updates.end()) {
    return new_leaf(*first);
  }
  const std::size_t middle = split(updates, depth);
  const Index left = build(updates.first(middle), depth + 1);
  const Index right = build(updates.subspan(middle), depth + 1);
  return join(new_interior(), left, right);
}

// An interior node over the two, in the place of `reuse`; or what is left of it.
MerkleTree::Index MerkleTree::join(Index reuse, Index left, Index right) {
  const bool lonely_left = right == 0 && (left == 0 || (left & kLeafBit) != 0);
  const bool lonely_right = left == 0 && (right & kLeafBit) != 0;
  if (lonely_left || lonely_right) {
    drop(reuse);
    return lonely_left ? left : right;
  }
  Interior& node = interiors_[reuse - 1];
  node = {crypto::hash_pair(hash_of(left), hash_of(right)), left, right};
  return reuse;
}

MerkleTree::Index MerkleTree::new_leaf(const MerkleUpdate& update) {
  const MerkleLeaf content{update.key_hash, *update.value_hash};
  ++leaf_count_;
  if (free_leaves_.empty()) {
    HM_CHECK(leaves_.size() < kLeafBit);
    leaves_.push_back({content, leaf_hash(content)});
    return static_cast<Index>(leaves_.size() - 1) | kLeafBit;
  }
  const Index at = free_leaves_.back();
  free_leaves_.pop_back();
  leaves_[at & ~kLeafBit] = {content, leaf_hash(content)};
  return at;
}

MerkleTree::Index MerkleTree::new_interior() {
  if (free_interiors_.empty()) {
    HM_CHECK(interiors_.size() + 1 < kLeafBit);
    interiors_.emplace_back();
    return static_cast<Index>(interiors_.size());
  }
  const Index at = free_interiors_.back();
  free_interiors_.pop_back();
  return at;
}

void MerkleTree::drop(Index at) {
  if ((at & kLeafBit) != 0) {
    --leaf_count_;
    free_leaves_.push_back(at);
  } else {
    free_interiors_.push_back(at);
  }
}

MerkleProof MerkleTree::prove(const crypto::Digest& key_hash) const {
  MerkleProof proof;
  Index at = root_;
  for (std::size_t depth = 0; at != 0 && (at & kLeafBit) == 0; ++depth) {
    const Interior& node = interiors_[at - 1];
    const bool right = bit(key_hash, depth);
    proof.siblings.push_back(hash_of(right ? node.left : node.right));
    at = right ? node.right : node.left;
  }
  if (at != 0) proof.leaf = leaves_[at & ~kLeafBit].content;
  return proof;
}

}  // namespace hm::ledger
