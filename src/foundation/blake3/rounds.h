// SPDX-License-Identifier: Apache-2.0
// The constants of BLAKE3 and the seven rounds of its compression function (BLAKE3 §2.2 and its
// appendices), written once for every width: `Ops` says what a word is (one of 32 bits, or a vector
// of the same word of several inputs), how to add, mix and rotate it, and whether registers are
// many. Every index and every rotation is known to the compiler, so that there is no loop, no table
// and no branch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace hm::blake3 {

inline constexpr std::size_t kBlockSize = 64;
inline constexpr std::size_t kBlockWords = 16;
inline constexpr std::size_t kValueSize = 32;  // of a chaining value
inline constexpr std::size_t kValueWords = 8;
inline constexpr std::size_t kChunkSize = 1024;
inline constexpr std::size_t kChunkBlocks = kChunkSize / kBlockSize;

inline constexpr std::uint32_t kInitial[kValueWords] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// BLAKE3 §2.2, table of flags.
inline constexpr std::uint32_t kChunkStart = 1 << 0;
inline constexpr std::uint32_t kChunkEnd = 1 << 1;
inline constexpr std::uint32_t kParent = 1 << 2;
inline constexpr std::uint32_t kRoot = 1 << 3;
inline constexpr std::uint32_t kKeyedHash = 1 << 4;
inline constexpr std::uint32_t kDeriveKeyContext = 1 << 5;
inline constexpr std::uint32_t kDeriveKeyMaterial = 1 << 6;

// A number that the compiler knows. Always inlined, like all of this header: nothing of it that was
// compiled for one back end's instructions can be linked into another's.
template <std::size_t value>
struct Index {
  [[gnu::always_inline]] constexpr operator std::size_t()
      const {  // NOLINT(google-explicit-constructor)
    return value;
  }
};

// f(0), f(1), … f(count - 1).
template <std::size_t count>
[[gnu::always_inline]] inline void unrolled(auto f) {
  [&]<std::size_t... i>(std::index_sequence<i...>)
      __attribute__((always_inline)) { (f(Index<i>()), ...); }(std::make_index_sequence<count>());
}

inline constexpr std::size_t kRounds = 7;

// Which message word comes to each place from one round to the next.
inline constexpr std::uint8_t kPermutation[kBlockWords] = {2, 6,  3,  10, 7, 0,  4,  13,
                                                           1, 11, 12, 5,  9, 14, 15, 8};

// The message words of each round, in the order in which it takes them.
struct Schedule {
  std::uint8_t word[kRounds][kBlockWords];
};
inline constexpr Schedule kSchedule = [] {
  Schedule schedule{};
  for (std::size_t i = 0; i < kBlockWords; ++i) schedule.word[0][i] = static_cast<std::uint8_t>(i);
  for (std::size_t r = 1; r < kRounds; ++r) {
    for (std::size_t i = 0; i < kBlockWords; ++i) {
      schedule.word[r][i] = schedule.word[r - 1][kPermutation[i]];
    }
  }
  return schedule;
}();

// The function G on columns (half 0) or diagonals (half 1) `i` of round r, step by step side by
// side, since none waits for another.
template <class Ops, std::size_t r, std::size_t half, std::size_t... i>
[[gnu::always_inline]] inline void mix(typename Ops::Word* v, const typename Ops::Word* message,
                                       std::index_sequence<i...>) {
  constexpr auto kB = [](std::size_t column) { return 4 + (column + half) % 4; };
  constexpr auto kC = [](std::size_t column) { return 8 + (column + 2 * half) % 4; };
  constexpr auto kD = [](std::size_t column) { return 12 + (column + 3 * half) % 4; };
  constexpr auto kWord = [](std::size_t place) { return kSchedule.word[r][8 * half + place]; };
  ((v[i] = Ops::add(Ops::add(v[i], message[kWord(2 * i)]), v[kB(i)])), ...);
  ((v[kD(i)] = Ops::template rotate<16>(Ops::exclusive_or(v[kD(i)], v[i]))), ...);
  ((v[kC(i)] = Ops::add(v[kC(i)], v[kD(i)])), ...);
  ((v[kB(i)] = Ops::template rotate<12>(Ops::exclusive_or(v[kB(i)], v[kC(i)]))), ...);
  ((v[i] = Ops::add(Ops::add(v[i], message[kWord(2 * i + 1)]), v[kB(i)])), ...);
  ((v[kD(i)] = Ops::template rotate<8>(Ops::exclusive_or(v[kD(i)], v[i]))), ...);
  ((v[kC(i)] = Ops::add(v[kC(i)], v[kD(i)])), ...);
  ((v[kB(i)] = Ops::template rotate<7>(Ops::exclusive_or(v[kB(i)], v[kC(i)]))), ...);
}

// All four at once keep 16 words and their sums in registers; where there are no more than 16, two
// at a time spill less.
template <class Ops, std::size_t r, std::size_t half>
[[gnu::always_inline]] inline void half_round(typename Ops::Word* v,
                                              const typename Ops::Word* message) {
  if constexpr (Ops::kManyRegisters) {
    mix<Ops, r, half>(v, message, std::index_sequence<0, 1, 2, 3>());
  } else {
    mix<Ops, r, half>(v, message, std::index_sequence<0, 1>());
    mix<Ops, r, half>(v, message, std::index_sequence<2, 3>());
  }
}

template <class Ops>
[[gnu::always_inline]] inline void all_rounds(typename Ops::Word* v,
                                              const typename Ops::Word* message) {
  unrolled<kRounds>([&](auto r) __attribute__((always_inline)) {
    half_round<Ops, r, 0>(v, message);
    half_round<Ops, r, 1>(v, message);
  });
}

}  // namespace hm::blake3
