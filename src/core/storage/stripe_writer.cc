// SPDX-License-Identifier: Apache-2.0
#include "core/storage/stripe_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/storage/limits.h"
#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/crypto/little_endian.h"

namespace hm::storage {

StripeWriter::StripeWriter(const Layout& layout, Randomness randomness, StripeSink sink)
    : layout_(layout),
      randomness_(std::move(randomness)),
      sink_(std::move(sink)),
      coder_(layout.code) {
  HM_CHECK(layout.is_valid());
}

std::span<std::uint8_t> StripeWriter::add(std::size_t size, SegmentKeeper& keeper,
                                          std::uint64_t tag) {
  HM_CHECK(size > 0 && size <= layout_.capacity());
  if (size > layout_.capacity() - used_) flush();
  if (staged_.size() < used_ + size) {
    // Small objects need little; what needs more than a little gets it all, at once.
    staged_.resize(used_ + size <= kMinShardBytes ? kMinShardBytes : layout_.capacity());
  }
  segments_.push_back({used_, size, &keeper, tag});
  used_ += size;
  return std::span(staged_).subspan(used_ - size, size);
}

void StripeWriter::flush() {
  if (segments_.empty()) return;
  shuffle();
  stripe_.code = layout_.code;
  stripe_.shard_bytes = shard_bytes_for(used_, layout_);
  make_shards();

  std::vector<ByteView> views;
  for (std::size_t i = 0; i < stripe_.code.shards(); ++i) {
    views.push_back(ByteView(shards_).subspan(i * stripe_.shard_bytes, stripe_.shard_bytes));
  }
  const FinishedStripe finished{number_++, stripe_, views};
  sink_(finished);
  std::size_t offset = 0;
  for (const Staged& each : segments_) {
    each.keeper->placed(each.tag, finished, static_cast<std::uint32_t>(offset));
    offset += each.size;
  }
  segments_.clear();
  used_ = 0;
}

// Fisher and Yates. Of 64 random bits, the remainder by a number of segments is even to 2^-40.
void StripeWriter::shuffle() {
  std::vector<std::uint8_t> chance(8 * segments_.size());
  randomness_(chance);
  for (std::size_t left = segments_.size(); left > 1; --left) {
    const std::uint64_t word = crypto::load_little_endian(chance.data() + 8 * (left - 1));
    std::swap(segments_[left - 1], segments_[word % left]);
  }
}

void StripeWriter::pad() {
  blake3::Key seed{};
  randomness_(seed);
  blake3::Hasher::keyed(seed).extended_output(
      0, std::span(shards_).first(stripe_.capacity()).subspan(used_));
}

StripeWriter::Cursor StripeWriter::cursor_at(std::size_t offset) const {
  Cursor cursor;
  while (cursor.segment < segments_.size() && offset >= segments_[cursor.segment].size) {
    offset -= segments_[cursor.segment++].size;
  }
  cursor.done = offset;
  return cursor;
}

// Up to where the padding begins.
void StripeWriter::copy(Cursor& from, std::span<std::uint8_t> into) const {
  while (!into.empty() && from.segment < segments_.size()) {
    const Staged& segment = segments_[from.segment];
    const std::size_t part = std::min(segment.size - from.done, into.size());
    std::memcpy(into.data(), staged_.data() + segment.offset + from.done, part);
    into = into.subspan(part);
    from.done += part;
    if (from.done == segment.size) from = {from.segment + 1, 0};
  }
}

// Cell by cell of all shards, so that what was copied is still in a cache when parity is made of it
// and when it is hashed.
void StripeWriter::make_shards() {
  const std::size_t shard_bytes = stripe_.shard_bytes;
  const std::size_t k = stripe_.code.data;
  const std::size_t count = stripe_.code.shards();
  shards_.resize(count * shard_bytes);
  pad();
  std::vector<Cursor> cursors;
  for (std::size_t i = 0; i < k; ++i) cursors.push_back(cursor_at(i * shard_bytes));
  std::vector<blake3::Hasher> hashers(count);
  std::array<erasure::ShardBytes, erasure::kMaxShards> data{};
  std::array<erasure::ShardSpace, erasure::kMaxShards> parity{};
  for (std::size_t at = 0; at < shard_bytes; at += erasure::kCell) {
    const std::size_t size = std::min(erasure::kCell, shard_bytes - at);
    const auto cell = [&](std::size_t i) {
      return std::span(shards_).subspan(i * shard_bytes + at, size);
    };
    for (std::size_t i = 0; i < k; ++i) {
      copy(cursors[i], cell(i));
      data[i] = cell(i).data();
    }
    for (std::size_t i = k; i < count; ++i) parity[i - k] = cell(i).data();
    coder_.encode(std::span(data).first(k), std::span(parity).first(count - k), size);
    for (std::size_t i = 0; i < count; ++i) hashers[i].update(cell(i));
  }
  stripe_.roots.clear();
  for (const blake3::Hasher& each : hashers) stripe_.roots.push_back(each.digest());
}

}  // namespace hm::storage
