// SPDX-License-Identifier: Apache-2.0
#include "core/storage/commitment_tree.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "core/storage/limits.h"
#include "foundation/base/check.h"
#include "foundation/codec/writer.h"

namespace hm::storage {
namespace {

constexpr std::string_view tag_of(const ObjectEntry*) { return "hm.storage.object-leaf.v1"; }
constexpr std::string_view tag_of(const ShardEntry*) { return "hm.storage.shard-leaf.v1"; }

bool is_before(const ObjectEntry& a, const ObjectEntry& b) { return a.object < b.object; }
bool is_before(const ShardEntry& a, const ShardEntry& b) { return a < b; }

template <class Entry>
using Entries = std::span<const Entry>;

template <class Entry>
void check_order(Entries<Entry> entries) {
  const auto is_out_of_order = [](const Entry& a, const Entry& b) { return !is_before(a, b); };
  HM_CHECK(std::ranges::adjacent_find(entries, is_out_of_order) == entries.end());
}

template <class Entry>
crypto::Digest leaf_of(const Entry& entry) {
  return crypto::tagged_hash(tag_of(&entry), codec::encode(entry));
}

// RFC 6962 §2.1: the left subtree is the largest whole one that is not all.
std::size_t left_size(std::size_t size) { return std::bit_floor(size - 1); }

template <class Entry>
crypto::Digest subtree(Entries<Entry> entries) {
  if (entries.size() == 1) return leaf_of(entries.front());
  const std::size_t left = left_size(entries.size());
  return crypto::hash_pair(subtree(entries.first(left)), subtree(entries.subspan(left)));
}

template <class Entry>
crypto::Digest root(Entries<Entry> entries) {
  check_order(entries);
  // No entry is encoded as nothing.
  if (entries.empty()) return crypto::tagged_hash(tag_of(entries.data()), {});
  return subtree(entries);
}

template <class Entry>
CommitmentPath path(Entries<Entry> entries, std::size_t index) {
  check_order(entries);
  HM_CHECK(index < entries.size());
  CommitmentPath path;
  while (entries.size() > 1) {
    const auto left = entries.first(left_size(entries.size()));
    const auto right = entries.subspan(left.size());
    const bool is_right = index >= left.size();
    path.left = path.left << 1 | (is_right ? 1 : 0);
    path.siblings.push_back(subtree(is_right ? left : right));
    if (is_right) index -= left.size();
    entries = is_right ? right : left;
  }
  std::ranges::reverse(path.siblings);
  return path;
}

template <class Entry>
bool leads_to(const crypto::Digest& root, const Entry& entry, const CommitmentPath& path) {
  const std::size_t length = path.siblings.size();
  if (length > kMaxCommitmentPath || path.left >> length != 0) return false;
  crypto::Digest node = leaf_of(entry);
  for (std::size_t i = 0; i < length; ++i) {
    const crypto::Digest& sibling = path.siblings[i];
    node = (path.left >> i & 1) != 0 ? crypto::hash_pair(sibling, node)
                                     : crypto::hash_pair(node, sibling);
  }
  return node == root;
}

}  // namespace

crypto::Digest root_of(std::span<const ObjectEntry> entries) { return root(entries); }
crypto::Digest root_of(std::span<const ShardEntry> entries) { return root(entries); }

CommitmentPath prove(std::span<const ObjectEntry> entries, std::size_t index) {
  return path(entries, index);
}
CommitmentPath prove(std::span<const ShardEntry> entries, std::size_t index) {
  return path(entries, index);
}

bool verify(const crypto::Digest& root, const ObjectEntry& entry, const CommitmentPath& path) {
  return leads_to(root, entry, path);
}
bool verify(const crypto::Digest& root, const ShardEntry& entry, const CommitmentPath& path) {
  return leads_to(root, entry, path);
}

}  // namespace hm::storage
