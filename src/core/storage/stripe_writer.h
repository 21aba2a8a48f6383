// SPDX-License-Identifier: Apache-2.0
// Packs sealed segments, of one or several objects, into stripes (docs/protocols/storage.md,
// "Stripes", is normative).
//
// Promises. The segments of a stripe lie in random order, one behind the other, also across shards,
// and random bytes behind the last: a shard shows no lengths and no order. A segment lies in one
// stripe. Memory: one stripe, and what others keep.
//
// A segment is asked for when its place is known, and written straight to it. Shards are whoever's
// wants them: those that nobody has kept are the memory of a later stripe.
//
// Does not do. It places no shards, and knows not what segments are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/storage/stripe.h"
#include "foundation/base/bytes.h"
#include "foundation/erasure/coder.h"

namespace hm::storage {

// Fills the span with bytes that are unpredictable and never used again.
using Randomness = std::function<void(std::span<std::uint8_t>)>;

using SharedShard = std::shared_ptr<const Bytes>;

struct FinishedStripe {
  std::uint64_t number = 0;  // of this writer's stripes, from 0 on
  const Stripe& stripe;      // without places
  std::span<const SharedShard> shards;
};

// Gets a stripe, which is valid during the call; its shards as long as they are kept.
using StripeSink = std::function<void(const FinishedStripe& stripe)>;

// Who has segments, and is told where they lie.
class SegmentKeeper {
 public:
  // Writes the segment of that add() into these pieces of space, which are its size together. Once
  // for each segment.
  virtual void write(std::uint64_t tag, std::span<const std::span<std::uint8_t>> space) = 0;
  // `tag` is that of add(); the segment begins at this offset of the data shards put together.
  virtual void placed(std::uint64_t tag, const FinishedStripe& stripe, std::uint32_t offset) = 0;

 protected:
  ~SegmentKeeper() = default;
};

class StripeWriter {
 public:
  // Requires: the layout is valid.
  StripeWriter(const Layout& layout, Randomness randomness, StripeSink sink);

  const Layout& layout() const { return layout_; }

  // A segment of this size, which the keeper writes when a stripe is made: in a later call. The
  // keeper must live until it was told the segment's place, after the sink got the stripe.
  // Requires: 0 < size <= capacity.
  void add(std::size_t size, SegmentKeeper& keeper, std::uint64_t tag);

  // Makes a stripe of what waits for one.
  void flush();

 private:
  struct Waiting {
    std::size_t size;
    SegmentKeeper* keeper;
    std::uint64_t tag;
  };

  void shuffle();
  std::vector<SharedShard> take_shards();
  void fill_data();
  void make_parity();

  Layout layout_;
  Randomness randomness_;
  StripeSink sink_;
  erasure::Coder coder_;
  std::size_t used_ = 0;
  std::vector<Waiting> segments_;
  std::vector<std::shared_ptr<Bytes>> memory_;  // of all shards that were handed out or will be
  std::vector<Bytes*> shards_;                  // of the stripe that is made, in memory_
  Stripe stripe_;
  std::uint64_t number_ = 0;
};

}  // namespace hm::storage
