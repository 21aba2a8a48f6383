// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/chunks_halves.h"

#if defined(__AVX512F__) && defined(__AVX512VL__)
#include <immintrin.h>

#include "foundation/blake3/transpose_avx2.h"

namespace hm::blake3 {
namespace {

constexpr std::size_t kLanes = kChunksSideBySide;
constexpr std::size_t kHalf = kLanes / 2;
constexpr std::size_t kGroupSize = kLanes * kChunkSize;

struct Pair {
  __m256i low;
  __m256i high;
};

[[gnu::always_inline]] inline Pair splat(std::uint32_t word) {
  const __m256i all = Transpose8::splat(word);
  return {all, all};
}
[[gnu::always_inline]] inline Pair load(const std::uint32_t* words) {
  return {Transpose8::load(words), Transpose8::load(words + kHalf)};
}
[[gnu::always_inline]] inline Pair add(Pair a, Pair b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
[[gnu::always_inline]] inline Pair exclusive_or(Pair a, Pair b) {
  return {_mm256_xor_si256(a.low, b.low), _mm256_xor_si256(a.high, b.high)};
}
template <int n>
[[gnu::always_inline]] inline Pair rotate(Pair a) {
  return {_mm256_ror_epi32(a.low, n), _mm256_ror_epi32(a.high, n)};
}

// The words of one block of each lane, word by word.
struct alignas(64) Message {
  std::uint32_t words[kBlockWords * kLanes];
};

// Puts a block in order, word after word, in as many steps as the rounds have.
class Order {
 public:
  static constexpr std::size_t kSteps = kRounds * 2 * 8;

  [[gnu::always_inline]] Order(const std::uint8_t* block, Message& into)
      : block_(block), into_(into.words) {}

  template <std::size_t step>
  [[gnu::always_inline]] void run() const {
    constexpr std::size_t kWords = kBlockWords * kLanes;
    constexpr std::size_t kEach = (kWords + kSteps - 1) / kSteps;
    unrolled<kEach>([&](auto i) __attribute__((always_inline)) {
      constexpr std::size_t n = step * kEach + i;
      if constexpr (n < kWords) {
        constexpr std::size_t lane = n / kBlockWords;
        constexpr std::size_t word = n % kBlockWords;
        __builtin_memcpy(into_ + word * kLanes + lane,
                         block_ + lane * kChunkSize + word * sizeof(std::uint32_t),
                         sizeof(std::uint32_t));
      }
    });
    asm volatile("" ::: "memory");  // where it stands, it costs nothing
  }

 private:
  const std::uint8_t* block_;
  std::uint32_t* into_;
};

// The function G of rounds.h, on columns or diagonals, and steps of the order in between.
template <std::size_t r, std::size_t half, std::size_t... i>
[[gnu::always_inline]] inline void mix(Pair* v, const std::uint32_t* message, const Order& next,
                                       std::index_sequence<i...>) {
  constexpr auto kB = [](std::size_t column) { return 4 + (column + half) % 4; };
  constexpr auto kC = [](std::size_t column) { return 8 + (column + 2 * half) % 4; };
  constexpr auto kD = [](std::size_t column) { return 12 + (column + 3 * half) % 4; };
  constexpr auto kWord = [](std::size_t place) {
    return kLanes * kSchedule.word[r][8 * half + place];
  };
  constexpr std::size_t step = (2 * r + half) * 8;
  ((v[i] = add(add(v[i], load(message + kWord(2 * i))), v[kB(i)])), ...);
  next.template run<step>();
  ((v[kD(i)] = rotate<16>(exclusive_or(v[kD(i)], v[i]))), ...);
  next.template run<step + 1>();
  ((v[kC(i)] = add(v[kC(i)], v[kD(i)])), ...);
  next.template run<step + 2>();
  ((v[kB(i)] = rotate<12>(exclusive_or(v[kB(i)], v[kC(i)]))), ...);
  next.template run<step + 3>();
  ((v[i] = add(add(v[i], load(message + kWord(2 * i + 1))), v[kB(i)])), ...);
  next.template run<step + 4>();
  ((v[kD(i)] = rotate<8>(exclusive_or(v[kD(i)], v[i]))), ...);
  next.template run<step + 5>();
  ((v[kC(i)] = add(v[kC(i)], v[kD(i)])), ...);
  next.template run<step + 6>();
  ((v[kB(i)] = rotate<7>(exclusive_or(v[kB(i)], v[kC(i)]))), ...);
  next.template run<step + 7>();
}

[[gnu::always_inline]] inline void store_values(const Pair* values, std::uint8_t* out) {
  __m256i words[kValueWords];
  unrolled<kValueWords>([&](auto i) { words[i] = values[i].low; });
  Transpose8::store_values(words, out);
  unrolled<kValueWords>([&](auto i) { words[i] = values[i].high; });
  Transpose8::store_values(words, out + kHalf * kValueSize);
}

}  // namespace

void hash_chunks_in_halves(const ChunkInputs& inputs, std::size_t groups, std::uint8_t* out) {
  Message messages[2];
  unrolled<Order::kSteps>([&](auto step) __attribute__((always_inline)) {
    Order(inputs.bytes, messages[0]).run<step>();
  });
  for (std::size_t group = 0; group < groups; ++group) {
    const std::uint8_t* const chunks = inputs.bytes + group * kGroupSize;
    const bool is_last = group + 1 == groups;
    alignas(64) std::uint32_t counter_low[kLanes];
    alignas(64) std::uint32_t counter_high[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::uint64_t counter = inputs.counter + group * kLanes + lane;
      counter_low[lane] = static_cast<std::uint32_t>(counter);
      counter_high[lane] = static_cast<std::uint32_t>(counter >> 32);
    }
    Pair value[kValueWords];
    unrolled<kValueWords>([&](auto i) { value[i] = splat(inputs.key[i]); });
    for (std::size_t block = 0; block < kChunkBlocks; ++block) {
      const bool is_end = block + 1 == kChunkBlocks;
      // Also behind the last group: what lies there is often hashed next, and nothing is read.
      unrolled<kLanes>([&](auto lane) __attribute__((always_inline)) {
        __builtin_prefetch(chunks + kGroupSize + lane * kChunkSize + block * kBlockSize, 0, 2);
      });
      // Behind the last block of all there is nothing: the first of this group is as good.
      const std::uint8_t* const next =
          !is_end ? chunks + (block + 1) * kBlockSize : chunks + (is_last ? 0 : kGroupSize);
      const Order order(next, messages[(block + 1) % 2]);
      const std::uint32_t* const message = messages[block % 2].words;
      Pair v[kBlockWords];
      unrolled<kValueWords>([&](auto i) { v[i] = value[i]; });
      unrolled<4>([&](auto i) { v[8 + i] = splat(kInitial[i]); });
      v[12] = load(counter_low);
      v[13] = load(counter_high);
      v[14] = splat(kBlockSize);
      v[15] = splat(inputs.flags | (block == 0 ? kChunkStart : 0) | (is_end ? kChunkEnd : 0));
      unrolled<kRounds>([&](auto r) __attribute__((always_inline)) {
        mix<r, 0>(v, message, order, std::index_sequence<0, 1, 2, 3>());
        mix<r, 1>(v, message, order, std::index_sequence<0, 1, 2, 3>());
      });
      unrolled<kValueWords>([&](auto i) { value[i] = exclusive_or(v[i], v[8 + i]); });
    }
    store_values(value, out + group * kLanes * kValueSize);
  }
}

}  // namespace hm::blake3
#endif
