// SPDX-License-Identifier: Apache-2.0
#include "core/storage/content_parts.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/blake3/page_tree.h"

namespace hm::storage {
namespace {

using Subtree = PartContent::Subtree;

constexpr std::uint64_t kPage = blake3::kPageSize;
static_assert(kPartAlignment % kPage == 0);
constexpr std::uint64_t kChunk = 1024;  // BLAKE3 §2.1
// More pages than an object has.
constexpr std::uint8_t kMaxLevel = 47;

// Whether the last two are the halves of one subtree.
bool are_siblings(const std::vector<Subtree>& subtrees, const std::vector<std::uint64_t>& starts) {
  const std::size_t n = subtrees.size();
  if (n < 2 || subtrees[n - 1].level != subtrees[n - 2].level) return false;
  return starts[n - 2] % (std::uint64_t{2} << subtrees[n - 1].level) == 0;
}

void join_siblings(std::vector<Subtree>& subtrees, std::vector<std::uint64_t>& starts) {
  while (are_siblings(subtrees, starts)) {
    const Subtree right = subtrees.back();
    subtrees.pop_back();
    starts.pop_back();
    Subtree& left = subtrees.back();
    left = {static_cast<std::uint8_t>(left.level + 1),
            blake3::parent_value(left.value, right.value)};
  }
}

}  // namespace

PartHasher::PartHasher(std::uint64_t offset) : page_(offset / kPage) {
  HM_CHECK(offset % kPartAlignment == 0);
  content_.offset = offset;
}

void PartHasher::update(ByteView piece) {
  content_.size += piece.size();
  while (!piece.empty()) {
    if (held_.empty() && piece.size() >= kPage) {
      take_page(piece.first(kPage));
      piece = piece.subspan(kPage);
      continue;
    }
    const std::size_t taken = std::min<std::size_t>(piece.size(), kPage - held_.size());
    held_.insert(held_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(taken));
    piece = piece.subspan(taken);
    if (held_.size() < kPage) return;
    take_page(held_);
    held_.clear();
  }
}

void PartHasher::take_page(ByteView page) {
  join_siblings(content_.subtrees, starts_);
  content_.subtrees.push_back({0, blake3::subtree_value(page, page_ * (kPage / kChunk))});
  starts_.push_back(page_++);
}

PartContent PartHasher::finish() {
  HM_CHECK(content_.size > 0);
  if (!held_.empty()) take_page(held_);
  // What is joined within a part is never the root: with one part alone its own hash is taken.
  join_siblings(content_.subtrees, starts_);
  return std::move(content_);
}

Result<crypto::Digest, StorageError> content_of_parts(std::span<const PartContent> parts) {
  HM_CHECK(!parts.empty());
  std::uint64_t offset = 0;
  std::uint64_t page = 0;
  std::vector<Subtree> subtrees;
  std::vector<std::uint64_t> starts;
  for (const PartContent& part : parts) {
    if (part.offset != offset || part.size == 0 || part.offset % kPartAlignment != 0) {
      return fail(StorageError::NotParts);
    }
    for (const Subtree& each : part.subtrees) {
      if (each.level > kMaxLevel || page % (std::uint64_t{1} << each.level) != 0) {
        return fail(StorageError::NotParts);
      }
      // As late as possible: the parent of the last two may be the root.
      join_siblings(subtrees, starts);
      subtrees.push_back(each);
      starts.push_back(page);
      page += std::uint64_t{1} << each.level;
    }
    offset += part.size;
    if (page != (offset + kPage - 1) / kPage) return fail(StorageError::NotParts);
  }
  if (parts.size() == 1) return parts.front().alone;
  blake3::ChainingValue right = subtrees.back().value;
  for (std::size_t i = subtrees.size() - 1; i > 1; --i) {
    right = blake3::parent_value(subtrees[i - 1].value, right);
  }
  return blake3::root_of(subtrees.front().value, right);
}

}  // namespace hm::storage
