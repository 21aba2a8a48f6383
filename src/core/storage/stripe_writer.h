// SPDX-License-Identifier: Apache-2.0
// Packs sealed segments, of one or several objects, into stripes (docs/protocols/storage.md,
// "Stripes", is normative).
//
// Promises. The segments of a stripe lie in random order, one behind the other, also across shards,
// and random bytes behind the last: a shard shows no lengths and no order. A segment lies in one
// stripe. Memory: kStripesWritten stripes.
//
// Does not do. It places no shards, and knows not what segments are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/storage/stripe.h"
#include "foundation/base/bytes.h"
#include "foundation/erasure/coder.h"

namespace hm::storage {

// Fills the span with bytes that are unpredictable and never used again.
using Randomness = std::function<void(std::span<std::uint8_t>)>;

struct FinishedStripe {
  std::uint64_t number = 0;  // of this writer's stripes, from 0 on
  const Stripe& stripe;      // without places
  std::span<const ByteView> shards;
};

// Gets a stripe, which is valid during the call.
using StripeSink = std::function<void(const FinishedStripe& stripe)>;

// Who handed segments in, and is told where they lie.
class SegmentKeeper {
 public:
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

  // Space for a segment of this size, to be filled before the next call. The keeper must live until
  // it was told the segment's place, after the sink got the stripe. Requires: 0 < size <= capacity.
  std::span<std::uint8_t> add(std::size_t size, SegmentKeeper& keeper, std::uint64_t tag);

  // Makes a stripe of what waits for one.
  void flush();

 private:
  struct Staged {
    std::size_t offset;  // in staged_
    std::size_t size;
    SegmentKeeper* keeper;
    std::uint64_t tag;
  };

  void shuffle();
  void fill_shards();
  void hash_shards();

  Layout layout_;
  Randomness randomness_;
  StripeSink sink_;
  erasure::Coder coder_;
  Bytes staged_;
  std::size_t used_ = 0;
  std::vector<Staged> segments_;
  Bytes shards_;  // one behind the other
  Stripe stripe_;
  std::uint64_t number_ = 0;
};

}  // namespace hm::storage
