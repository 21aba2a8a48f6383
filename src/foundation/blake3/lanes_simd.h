// SPDX-License-Identifier: Apache-2.0
// Several inputs of the same number of whole blocks hashed side by side, one in each lane of a
// vector, and the vector forms of it, each in a file that is compiled for its instructions. Such a
// file uses nothing but intrinsics, this header, rounds.h and plain arrays: an inline function of
// the library compiled there could be linked in place of the portable one and run on an older
// processor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/blake3/rounds.h"

namespace hm::blake3 {

// What to hash: inputs that lie one after another, `blocks` blocks each.
struct LaneInputs {
  const std::uint8_t* bytes;
  std::size_t blocks;
  const std::uint32_t* key;    // kValueWords
  std::uint64_t counter;       // of the first input
  std::uint64_t counter_step;  // from one input to the next
  std::uint32_t flags;         // of every block
  std::uint32_t first_flags;   // besides, of the first block of each input
  std::uint32_t last_flags;    // besides, of the last block of each input
  bool more;                   // as many inputs as there are lanes follow after these lanes
};

// Writes the chaining values of the first `count` inputs to `out`, kValueSize bytes each. `out` may
// be where the inputs are. Requires: count is at least 1 and at most the lanes that the name says.
void hash_8_lanes_avx2(const LaneInputs& inputs, std::size_t count, std::uint8_t* out);
void hash_8_lanes_avx512(const LaneInputs& inputs, std::size_t count, std::uint8_t* out);
void hash_16_lanes_avx512(const LaneInputs& inputs, std::size_t count, std::uint8_t* out);

// The same for any `Ops`, which besides those of rounds.h has: kLanes; splat(word); load(words),
// one for each lane; load_block(rows, at, message), the block at offset `at` of each row as
// message words; store_values(words, out), the values of all lanes one after another.
template <class Ops>
[[gnu::always_inline]] inline void hash_lanes(const LaneInputs& inputs, std::size_t count,
                                              std::uint8_t* out) {
  using Word = typename Ops::Word;
  constexpr std::size_t kLanes = Ops::kLanes;
  const std::uint8_t* rows[kLanes];
  alignas(64) std::uint32_t counter_low[kLanes];
  alignas(64) std::uint32_t counter_high[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t from = lane < count ? lane : 0;  // a lane without an input repeats the first
    rows[lane] = inputs.bytes + from * inputs.blocks * kBlockSize;
    const std::uint64_t counter = inputs.counter + from * inputs.counter_step;
    counter_low[lane] = static_cast<std::uint32_t>(counter);
    counter_high[lane] = static_cast<std::uint32_t>(counter >> 32);
  }
  Word value[kValueWords];
  unrolled<kValueWords>([&](auto i) { value[i] = Ops::splat(inputs.key[i]); });
  for (std::size_t block = 0; block < inputs.blocks; ++block) {
    Word message[kBlockWords];
    Ops::load_block(rows, block * kBlockSize, message);
    if (inputs.more) {
      // They come from memory while these are hashed. Not inlined, a lambda that only prefetches
      // counts as one without effect and is dropped by g++.
      unrolled<kLanes>([&](auto lane) __attribute__((always_inline)) {
        __builtin_prefetch(rows[lane] + (kLanes * inputs.blocks + block) * kBlockSize, 0, 2);
      });
    }
    const std::uint32_t flags = inputs.flags | (block == 0 ? inputs.first_flags : 0) |
                                (block + 1 == inputs.blocks ? inputs.last_flags : 0);
    Word v[kBlockWords];
    unrolled<kValueWords>([&](auto i) { v[i] = value[i]; });
    unrolled<4>([&](auto i) { v[8 + i] = Ops::splat(kInitial[i]); });
    v[12] = Ops::load(counter_low);
    v[13] = Ops::load(counter_high);
    v[14] = Ops::splat(kBlockSize);
    v[15] = Ops::splat(flags);
    all_rounds<Ops>(v, message);
    unrolled<kValueWords>([&](auto i) { value[i] = Ops::exclusive_or(v[i], v[8 + i]); });
  }
  if (count == kLanes) return Ops::store_values(value, out);
  alignas(64) std::uint8_t all[kLanes * kValueSize];
  Ops::store_values(value, all);
  for (std::size_t i = 0; i < count * kValueSize; ++i) out[i] = all[i];
}

}  // namespace hm::blake3
