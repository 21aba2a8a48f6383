// SPDX-License-Identifier: Apache-2.0
#include "core/storage/stripe_writer.h"

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
  fill_shards();
  hash_shards();

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

void StripeWriter::fill_shards() {
  const std::size_t shard_bytes = stripe_.shard_bytes;
  shards_.resize(stripe_.code.shards() * shard_bytes);
  std::uint8_t* next = shards_.data();
  for (const Staged& each : segments_) {
    std::memcpy(next, staged_.data() + each.offset, each.size);
    next += each.size;
  }
  blake3::Key seed{};
  randomness_(seed);
  blake3::Hasher::keyed(seed).extended_output(
      0, std::span(shards_).first(stripe_.capacity()).subspan(used_));

  std::array<erasure::ShardBytes, erasure::kMaxShards> data{};
  std::array<erasure::ShardSpace, erasure::kMaxShards> parity{};
  const std::size_t k = stripe_.code.data;
  for (std::size_t i = 0; i < stripe_.code.shards(); ++i) {
    std::uint8_t* const shard = shards_.data() + i * shard_bytes;
    if (i < k) {
      data[i] = shard;
    } else {
      parity[i - k] = shard;
    }
  }
  coder_.encode(std::span(data).first(k), std::span(parity).first(stripe_.code.parity),
                shard_bytes);
}

void StripeWriter::hash_shards() {
  stripe_.roots.clear();
  for (std::size_t i = 0; i < stripe_.code.shards(); ++i) {
    stripe_.roots.push_back(
        blake3::hash(ByteView(shards_).subspan(i * stripe_.shard_bytes, stripe_.shard_bytes)));
  }
}

}  // namespace hm::storage
