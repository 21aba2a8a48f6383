// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/shard_pages.h"

#include <algorithm>

namespace hm::shard_store {
namespace {

using blake3::kPageSize;
using blake3::PageTree;

std::uint64_t body_offset(std::uint64_t record_offset, std::uint64_t shard_bytes) {
  return record_offset + kRecordHeaderBytes + values_bytes(shard_bytes);
}

// The tree that the values beside the body give, if they lead to the root.
std::optional<PageTree> tree_of(const Bytes& kept, const ports::ShardRoot& root,
                                std::uint64_t shard_bytes) {
  if (kept.size() != values_bytes(shard_bytes)) return std::nullopt;
  std::vector<blake3::ChainingValue> values(kept.size() / blake3::ChainingValue::kSize);
  auto from = kept.begin();
  for (blake3::ChainingValue& value : values) {
    std::copy_n(from, value.bytes.size(), value.bytes.begin());
    from += static_cast<std::ptrdiff_t>(value.bytes.size());
  }
  auto tree = PageTree::from_values(root, shard_bytes, std::move(values));
  if (!tree) return std::nullopt;
  return std::move(*tree);
}

std::optional<PageTree> kept_tree(const LogFile& file, std::uint64_t offset,
                                  const ports::ShardRoot& root, std::uint64_t shard_bytes) {
  Bytes kept;
  const std::uint64_t begin = offset + kRecordHeaderBytes;
  if (!file.read(begin, {{kept, values_bytes(shard_bytes)}})) return std::nullopt;
  return tree_of(kept, root, shard_bytes);
}

// What is read of a record: nothing where the disk does not give it, less where the file ends.
struct StoredPages {
  std::optional<PageTree> tree;
  Bytes bytes;
};

StoredPages read_stored(const LogFile& file, std::uint64_t offset, const ports::ShardRoot& root,
                        std::uint64_t shard_bytes, PageRange range) {
  const std::uint64_t body = body_offset(offset, shard_bytes);
  const std::uint64_t begin = range.first * kPageSize;
  const std::uint64_t count = std::min(shard_bytes - begin, range.count * kPageSize);
  StoredPages stored;
  if (range.first == 0) {
    Bytes kept;
    // The values stand before the first page: one access to the disk.
    const auto got = file.read(offset + kRecordHeaderBytes,
                               {{kept, values_bytes(shard_bytes)}, {stored.bytes, count}});
    if (got) {
      stored.tree = tree_of(kept, root, shard_bytes);
      return stored;
    }
    stored.bytes.clear();
  }
  stored.tree = kept_tree(file, offset, root, shard_bytes);
  if (!file.read(body + begin, {{stored.bytes, count}})) stored.bytes.clear();
  return stored;
}

// Page by page where it does not go at once; zeros for what cannot be read.
Bytes read_what_is_left(const LogFile& file, std::uint64_t offset, std::uint64_t bytes) {
  Bytes body(static_cast<std::size_t>(bytes));
  const auto got = file.read(offset, body);
  if (got && *got == body.size()) return body;
  std::ranges::fill(body, std::uint8_t{0});
  for (std::uint64_t at = 0; at < bytes; at += kPageSize) {
    const auto size = static_cast<std::size_t>(std::min(kPageSize, bytes - at));
    const auto page = std::span(body).subspan(static_cast<std::size_t>(at), size);
    if (!file.read(offset + at, page)) std::ranges::fill(page, std::uint8_t{0});
  }
  return body;
}

}  // namespace

PageRange all_pages(std::uint64_t shard_bytes) { return {0, blake3::page_count(shard_bytes)}; }

Result<ShardPages, DamagedPage> read_pages(const LogFile& file, std::uint64_t offset,
                                           const ports::ShardRoot& root, std::uint64_t shard_bytes,
                                           PageRange range) {
  StoredPages stored = read_stored(file, offset, root, shard_bytes, range);
  if (!stored.tree) {
    // Only the whole body can say then what each page is.
    Bytes whole;
    const auto got = file.read(body_offset(offset, shard_bytes), {{whole, shard_bytes}});
    if (!got || whole.size() != shard_bytes) return fail(DamagedPage{range.first});
    PageTree computed = PageTree::of(whole);
    if (computed.root() != root) return fail(DamagedPage{range.first});
    const auto part = ByteView(whole).subspan(static_cast<std::size_t>(range.first * kPageSize));
    const std::uint64_t wanted = std::min<std::uint64_t>(part.size(), range.count * kPageSize);
    return ShardPages{std::move(computed), to_bytes(part.first(static_cast<std::size_t>(wanted))),
                      true};
  }
  ShardPages pages{std::move(*stored.tree), std::move(stored.bytes), false};
  for (std::uint64_t i = 0; i < range.count; ++i) {
    const std::uint64_t length = blake3::page_length(shard_bytes, range.first + i);
    if (i * kPageSize + length > pages.bytes.size()) return fail(DamagedPage{range.first + i});
    const ByteView page =
        ByteView(pages.bytes)
            .subspan(static_cast<std::size_t>(i * kPageSize), static_cast<std::size_t>(length));
    if (!pages.tree.verify(range.first + i, page)) return fail(DamagedPage{range.first + i});
  }
  return pages;
}

std::optional<SalvagedShard> salvage(const LogFile& file, std::uint64_t offset,
                                     const ports::ShardRoot& root, std::uint64_t shard_bytes) {
  Bytes body = read_what_is_left(file, body_offset(offset, shard_bytes), shard_bytes);
  PageTree computed = PageTree::of(body);
  if (computed.root() == root) return SalvagedShard{std::move(computed), std::move(body), false};
  // The only page of a short shard is wrong then.
  if (shard_bytes <= kPageSize) return std::nullopt;
  auto kept = kept_tree(file, offset, root, shard_bytes);
  if (!kept) return std::nullopt;
  return SalvagedShard{std::move(*kept), std::move(body), true};
}

}  // namespace hm::shard_store
