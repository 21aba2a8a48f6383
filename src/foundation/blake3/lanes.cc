// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/lanes.h"

#include <algorithm>

#include "foundation/blake3/chunks_halves.h"
#include "foundation/blake3/lanes_simd.h"
#include "foundation/crypto/little_endian.h"

namespace hm::blake3 {
namespace {

using crypto::Backend;

// Vectors as the compiler makes them of whatever its target has.
struct PortableOps {
  using Word = std::uint32_t __attribute__((vector_size(16)));
  static constexpr std::size_t kLanes = 4;
  static constexpr bool kManyRegisters = false;

  template <int n>
  [[gnu::always_inline]] static Word rotate(Word a) {
    return (a >> n) | (a << (32 - n));
  }
  [[gnu::always_inline]] static Word splat(std::uint32_t word) {
    return Word{word, word, word, word};
  }
  [[gnu::always_inline]] static Word load(const std::uint32_t* words) {
    return Word{words[0], words[1], words[2], words[3]};
  }
  [[gnu::always_inline]] static Word add(Word a, Word b) { return a + b; }
  [[gnu::always_inline]] static Word exclusive_or(Word a, Word b) { return a ^ b; }

  [[gnu::always_inline]] static void load_block(const std::uint8_t* const* rows, std::size_t at,
                                                Word* message) {
    for (std::size_t i = 0; i < kBlockWords; ++i) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        message[i][lane] = static_cast<std::uint32_t>(
            crypto::load_little_endian(rows[lane] + at + 4 * i, sizeof(std::uint32_t)));
      }
    }
  }
  [[gnu::always_inline]] static void store_values(const Word* words, std::uint8_t* out) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      for (std::size_t i = 0; i < kValueWords; ++i) {
        crypto::store_little_endian(words[i][lane], out + lane * kValueSize + 4 * i, 4);
      }
    }
  }
};

void hash_4_lanes(const LaneInputs& inputs, std::size_t count, std::uint8_t* out) {
  hash_lanes<PortableOps>(inputs, count, out);
}

struct Kernel {
  std::size_t lanes;
  void (*run)(const LaneInputs& inputs, std::size_t count, std::uint8_t* out);
};

// Half the lanes take little more than half the time, so wide vectors are for many.
Kernel kernel_for(std::size_t count, Backend backend) {
#if defined(__x86_64__)
  if (backend == Backend::Avx512 && count > 8) return {16, hash_16_lanes_avx512};
  if (backend == Backend::Avx512) return {8, hash_8_lanes_avx512};
  if (backend == Backend::Avx2) return {8, hash_8_lanes_avx2};
#endif
  static_cast<void>(count);
  static_cast<void>(backend);
  return {4, hash_4_lanes};
}

void hash_all(LaneInputs inputs, std::size_t count, Value* out, Backend backend) {
  static_assert(sizeof(Value) == kValueSize);
  while (count > 0) {
    const Kernel kernel = kernel_for(count, backend);
    const std::size_t now = std::min(count, kernel.lanes);
    inputs.more = count >= 2 * kernel.lanes && inputs.blocks > 1;
    kernel.run(inputs, now, out->data());
    inputs.bytes += now * inputs.blocks * kBlockSize;
    inputs.counter += now * inputs.counter_step;
    out += now;
    count -= now;
  }
}

// Whether halves of a vector are faster than all of it: on the one family that has AVX-512 and runs
// it in halves.
#if defined(__x86_64__)
bool prefers_halves() {
  static const bool prefers = __builtin_cpu_is("amdfam19h") != 0;
  return prefers;
}
#endif

}  // namespace

void chunk_values(const Mode& mode, const std::uint8_t* chunks, std::size_t count,
                  std::uint64_t counter, Value* out, Backend backend) {
#if defined(__x86_64__)
  if (const std::size_t groups = count / kChunksSideBySide;
      groups > 0 && backend == Backend::Avx512 && prefers_halves()) {
    hash_chunks_in_halves({chunks, mode.key.data(), counter, mode.flags}, groups, out->data());
    const std::size_t done = groups * kChunksSideBySide;
    chunks += done * kChunkSize;
    counter += done;
    out += done;
    count -= done;
  }
#endif
  hash_all({chunks, kChunkBlocks, mode.key.data(), counter, 1, mode.flags, kChunkStart, kChunkEnd,
            false},
           count, out, backend);
}

void parent_values(const Mode& mode, const Value* pairs, std::size_t count, Value* out,
                   Backend backend) {
  if (count == 1) {  // alone it is faster without lanes
    *out = parent_node(mode, pairs[0], pairs[1]).value();
    return;
  }
  hash_all({pairs->data(), 1, mode.key.data(), 0, 0, mode.flags | kParent, 0, 0, false}, count, out,
           backend);
}

}  // namespace hm::blake3
