// SPDX-License-Identifier: Apache-2.0
// What the two back ends with eight lanes share: words of 32 bits of eight inputs in a vector of
// 256 bits, with all but the rotation. For files that are compiled for AVX2.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "foundation/blake3/rounds.h"

namespace hm::blake3 {
namespace {

// Row i of eight words becomes column i.
[[gnu::always_inline]] inline void transpose_8(__m256i* a) {
  __m256i pairs[8];
  unrolled<4>([&](auto i) {
    pairs[2 * i] = _mm256_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
  });
  __m256i fours[8];  // columns 0 and 4, 1 and 5, … of rows 0 to 3, then of rows 4 to 7
  unrolled<2>([&](auto half) {
    constexpr std::size_t i = 4 * half;
    fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  });
  unrolled<4>([&](auto i) {
    a[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
    a[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
  });
}

struct Transpose8 {
  using Word = __m256i;
  static constexpr std::size_t kLanes = 8;

  [[gnu::always_inline]] static Word splat(std::uint32_t word) {
    return _mm256_set1_epi32(static_cast<int>(word));
  }
  [[gnu::always_inline]] static Word load(const std::uint32_t* words) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(words));
  }
  [[gnu::always_inline]] static Word add(Word a, Word b) { return _mm256_add_epi32(a, b); }
  [[gnu::always_inline]] static Word exclusive_or(Word a, Word b) { return _mm256_xor_si256(a, b); }

  [[gnu::always_inline]] static void load_block(const std::uint8_t* const* rows, std::size_t at,
                                                Word* message) {
    unrolled<2>([&](auto half) {
      Word* part = message + 8 * half;
      unrolled<kLanes>([&](auto i) {
        const std::uint8_t* from = rows[i] + at + sizeof(Word) * half;
        part[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
      });
      transpose_8(part);
    });
  }
  [[gnu::always_inline]] static void store_values(Word* words, std::uint8_t* out) {
    transpose_8(words);
    unrolled<kLanes>(
        [&](auto i) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(out) + i, words[i]); });
  }
};

}  // namespace
}  // namespace hm::blake3
