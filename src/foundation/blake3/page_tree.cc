// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/page_tree.h"

#include <algorithm>
#include <array>
#include <bit>

#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/blake3/subtree.h"

namespace hm::blake3 {
namespace {

constexpr std::uint64_t kPageChunks = kPageSize / kChunkSize;
constexpr std::size_t kPageLevels = std::countr_zero(kPageChunks);
static_assert(kBatchSize % kPageSize == 0);

// One turn from the root down to a page: which pages lie on the other side, and on which.
struct Turn {
  std::uint64_t first;
  std::uint64_t count;
  bool other_is_left;
};

struct Path {
  std::array<Turn, kPageProofMax> turns;
  std::size_t length = 0;
};

// Pages are joined like chunks (§2.1): to the left the largest power of two that leaves some.
Path path_to(std::uint64_t index, std::uint64_t pages) {
  Path path;
  std::uint64_t first = 0;
  while (pages > 1) {
    const std::uint64_t left = std::bit_floor(pages - 1);
    const bool turn_left = index - first < left;
    path.turns[path.length++] =
        turn_left ? Turn{first + left, pages - left, false} : Turn{first, left, true};
    if (!turn_left) first += left;
    pages = turn_left ? left : pages - left;
  }
  return path;
}

// Joins until `target` values are left, 1 or 2.
std::vector<Value> joined(std::span<const ChainingValue> values, std::size_t target,
                          crypto::Backend backend) {
  std::vector<Value> level;
  level.reserve(values.size());
  for (const ChainingValue& value : values) level.push_back(value.bytes);
  while (level.size() > target) level.resize(join_level(kHashMode, level, backend));
  return level;
}

// Requires: at least two values.
crypto::Digest root_over(std::span<const ChainingValue> values, crypto::Backend backend) {
  const std::vector<Value> children = joined(values, 2, backend);
  return root_of({children[0]}, {children[1]});
}

// A batch of pages at a time: their chunks and parents fill the vectors better than one page's.
std::vector<ChainingValue> values_of(ByteView shard, crypto::Backend backend) {
  std::vector<ChainingValue> values;
  values.reserve(static_cast<std::size_t>(page_count(shard.size())));
  std::array<Value, kBatchChunks> batch;
  for (std::size_t at = 0; at < shard.size(); at += kBatchSize) {
    const ByteView part = shard.subspan(at, std::min(kBatchSize, shard.size() - at));
    std::size_t count = leaf_values(kHashMode, part, at / kChunkSize, batch, backend);
    for (std::size_t level = 0; level < kPageLevels; ++level) {
      count = join_level(kHashMode, std::span(batch).first(count), backend);
    }
    for (std::size_t i = 0; i < count; ++i) values.push_back({batch[i]});
  }
  return values;
}

}  // namespace

std::string_view name_of(PageRefusal refusal) {
  switch (refusal) {
    case PageRefusal::NoSuchPage: return "no_such_page";
    case PageRefusal::PageLength: return "page_length";
    case PageRefusal::ProofLength: return "proof_length";
    case PageRefusal::ValueCount: return "value_count";
    case PageRefusal::WrongRoot: return "wrong_root";
  }
  HM_CHECK(false);
}

std::uint64_t page_count(std::uint64_t shard_size) {
  return shard_size == 0 ? 1 : (shard_size - 1) / kPageSize + 1;
}

std::uint64_t page_length(std::uint64_t shard_size, std::uint64_t index) {
  HM_CHECK(index < page_count(shard_size));
  return std::min(kPageSize, shard_size - index * kPageSize);
}

PageTree PageTree::of(ByteView shard, crypto::Backend backend) {
  if (page_count(shard.size()) == 1) return {hash(shard, backend), shard.size(), {}};
  std::vector<ChainingValue> values = values_of(shard, backend);
  const crypto::Digest root = root_over(values, backend);
  return {root, shard.size(), std::move(values)};
}

Result<PageTree, PageRefusal> PageTree::from_values(const crypto::Digest& root,
                                                    std::uint64_t shard_size,
                                                    std::vector<ChainingValue> values,
                                                    crypto::Backend backend) {
  const std::uint64_t pages = page_count(shard_size);
  if (values.size() != (pages == 1 ? 0 : pages)) return fail(PageRefusal::ValueCount);
  if (pages > 1 && root_over(values, backend) != root) return fail(PageRefusal::WrongRoot);
  return PageTree(root, shard_size, std::move(values));
}

PageProof PageTree::prove(std::uint64_t index, crypto::Backend backend) const {
  const std::uint64_t pages = page_count(shard_size_);
  HM_CHECK(index < pages);
  const Path path = path_to(index, pages);
  PageProof proof;
  for (std::size_t i = path.length; i > 0; --i) {
    const Turn& turn = path.turns[i - 1];
    const auto other = values().subspan(static_cast<std::size_t>(turn.first),
                                        static_cast<std::size_t>(turn.count));
    proof.push_back({joined(other, 1, backend).front()});
  }
  return proof;
}

Result<void, PageRefusal> PageTree::verify(std::uint64_t index, ByteView page,
                                           crypto::Backend backend) const {
  if (index >= page_count(shard_size_)) return fail(PageRefusal::NoSuchPage);
  if (page.size() != page_length(shard_size_, index)) return fail(PageRefusal::PageLength);
  const bool is_right = values_.empty()
                            ? hash(page, backend) == root_
                            : subtree_value(page, index * kPageChunks, backend) == values_[index];
  if (!is_right) return fail(PageRefusal::WrongRoot);
  return {};
}

Result<void, PageRefusal> verify_page(const crypto::Digest& root, std::uint64_t shard_size,
                                      std::uint64_t index, ByteView page,
                                      std::span<const ChainingValue> proof,
                                      crypto::Backend backend) {
  const std::uint64_t pages = page_count(shard_size);
  if (index >= pages) return fail(PageRefusal::NoSuchPage);
  if (page.size() != page_length(shard_size, index)) return fail(PageRefusal::PageLength);
  const Path path = path_to(index, pages);
  if (proof.size() != path.length) return fail(PageRefusal::ProofLength);
  if (path.length == 0) {
    if (hash(page, backend) != root) return fail(PageRefusal::WrongRoot);
    return {};
  }
  ChainingValue value = subtree_value(page, index * kPageChunks, backend);
  for (std::size_t up = 0;; ++up) {
    const bool other_is_left = path.turns[path.length - 1 - up].other_is_left;
    const ChainingValue& left = other_is_left ? proof[up] : value;
    const ChainingValue& right = other_is_left ? value : proof[up];
    if (up + 1 < path.length) {
      value = parent_value(left, right);
      continue;
    }
    if (root_of(left, right) != root) return fail(PageRefusal::WrongRoot);
    return {};
  }
}

}  // namespace hm::blake3
