// SPDX-License-Identifier: Apache-2.0
#include "core/storage/stripe_writer.h"

#include <algorithm>
#include <array>
#include <atomic>
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

void StripeWriter::add(std::size_t size, SegmentKeeper& keeper, std::uint64_t tag) {
  HM_CHECK(size > 0 && size <= layout_.capacity());
  if (size > layout_.capacity() - used_) flush();
  segments_.push_back({size, &keeper, tag});
  used_ += size;
}

void StripeWriter::flush() {
  if (segments_.empty()) return;
  shuffle();
  stripe_.code = layout_.code;
  stripe_.shard_bytes = shard_bytes_for(used_, layout_);
  stripe_.roots.clear();
  const std::vector<SharedShard> shards = take_shards();
  fill_data();
  make_parity();

  const FinishedStripe finished{number_++, stripe_, shards};
  sink_(finished);
  std::size_t offset = 0;
  for (const Waiting& each : segments_) {
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

// What only this writer has is free. Who gave the last other reference back may have been another
// thread: what it read is before what is written here.
std::vector<SharedShard> StripeWriter::take_shards() {
  std::vector<SharedShard> taken;
  shards_.clear();
  const auto take = [&](const std::shared_ptr<Bytes>& memory) {
    memory->resize(stripe_.shard_bytes);
    shards_.push_back(memory.get());
    taken.push_back(memory);
  };
  for (const std::shared_ptr<Bytes>& each : memory_) {
    if (taken.size() == stripe_.code.shards()) break;
    if (each.use_count() == 1) take(each);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  while (taken.size() < stripe_.code.shards()) {
    take(memory_.emplace_back(std::make_shared<Bytes>()));
  }
  return taken;
}

// Data shards are hashed as they are filled, while they are in a cache.
void StripeWriter::fill_data() {
  const std::size_t shard_bytes = stripe_.shard_bytes;
  std::size_t offset = 0;
  std::vector<std::span<std::uint8_t>> space;
  const auto next = [&](std::size_t size) {
    space.clear();
    while (size > 0) {
      Bytes& shard = *shards_[offset / shard_bytes];
      const std::size_t from = offset % shard_bytes;
      space.push_back(std::span(shard).subspan(from, std::min(size, shard_bytes - from)));
      offset += space.back().size();
      size -= space.back().size();
    }
  };
  const auto hash_filled = [&] {
    while (stripe_.roots.size() < offset / shard_bytes) {
      stripe_.roots.push_back(blake3::hash(*shards_[stripe_.roots.size()]));
    }
  };
  for (const Waiting& each : segments_) {
    next(each.size);
    each.keeper->write(each.tag, space);
    hash_filled();
  }
  blake3::Key seed{};
  randomness_(seed);
  const auto padding = blake3::Hasher::keyed(seed);
  next(stripe_.capacity() - offset);
  std::uint64_t position = 0;
  for (const std::span<std::uint8_t> each : space) {
    padding.extended_output(position, each);
    position += each.size();
  }
  hash_filled();
}

void StripeWriter::make_parity() {
  std::array<erasure::ShardBytes, erasure::kMaxShards> data{};
  std::array<erasure::ShardSpace, erasure::kMaxShards> parity{};
  const std::size_t k = stripe_.code.data;
  for (std::size_t i = 0; i < stripe_.code.shards(); ++i) {
    if (i < k) {
      data[i] = shards_[i]->data();
    } else {
      parity[i - k] = shards_[i]->data();
    }
  }
  coder_.encode(std::span(data).first(k), std::span(parity).first(stripe_.code.parity),
                stripe_.shard_bytes);
  for (std::size_t i = k; i < stripe_.code.shards(); ++i) {
    stripe_.roots.push_back(blake3::hash(*shards_[i]));
  }
}

}  // namespace hm::storage
