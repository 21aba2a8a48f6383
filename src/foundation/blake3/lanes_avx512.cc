// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/lanes_simd.h"

#if defined(__AVX512F__) && defined(__AVX512VL__)
#include <immintrin.h>

#include "foundation/blake3/transpose_avx2.h"

namespace hm::blake3 {
namespace {

// Unmasked, the intrinsics of 512 bits make g++ 12 warn of what its own header leaves undefined;
// this mask of all lanes costs nothing.
constexpr __mmask16 kAll = 0xffff;
constexpr __mmask8 kAll8 = 0xff;
constexpr __mmask8 kAll4 = 0xf;

struct Avx512Ops8 : Transpose8 {
  static constexpr bool kManyRegisters = true;

  template <int n>
  [[gnu::always_inline]] static Word rotate(Word a) {
    return _mm256_ror_epi32(a, n);
  }
};

// Of each four rows, columns c, c + 4, c + 8 and c + 12 side by side, for c from 0 to 3.
[[gnu::always_inline]] inline void transpose_fours(const __m512i* rows, __m512i* out) {
  const __m512i low01 = _mm512_maskz_unpacklo_epi32(kAll, rows[0], rows[1]);
  const __m512i high01 = _mm512_maskz_unpackhi_epi32(kAll, rows[0], rows[1]);
  const __m512i low23 = _mm512_maskz_unpacklo_epi32(kAll, rows[2], rows[3]);
  const __m512i high23 = _mm512_maskz_unpackhi_epi32(kAll, rows[2], rows[3]);
  out[0] = _mm512_maskz_unpacklo_epi64(kAll8, low01, low23);
  out[1] = _mm512_maskz_unpackhi_epi64(kAll8, low01, low23);
  out[2] = _mm512_maskz_unpacklo_epi64(kAll8, high01, high23);
  out[3] = _mm512_maskz_unpackhi_epi64(kAll8, high01, high23);
}

// Quarter q of four vectors, in their order, into vector 4q of `out`.
[[gnu::always_inline]] inline void gather_quarters(__m512i a, __m512i b, __m512i c, __m512i d,
                                                   __m512i* out) {
  const __m512i even_ab =
      _mm512_maskz_shuffle_i32x4(kAll, a, b, 0x88);  // quarters 0 and 2 of a, then of b
  const __m512i odd_ab = _mm512_maskz_shuffle_i32x4(kAll, a, b, 0xdd);  // quarters 1 and 3
  const __m512i even_cd = _mm512_maskz_shuffle_i32x4(kAll, c, d, 0x88);
  const __m512i odd_cd = _mm512_maskz_shuffle_i32x4(kAll, c, d, 0xdd);
  out[0] = _mm512_maskz_shuffle_i32x4(kAll, even_ab, even_cd, 0x88);
  out[4] = _mm512_maskz_shuffle_i32x4(kAll, odd_ab, odd_cd, 0x88);
  out[8] = _mm512_maskz_shuffle_i32x4(kAll, even_ab, even_cd, 0xdd);
  out[12] = _mm512_maskz_shuffle_i32x4(kAll, odd_ab, odd_cd, 0xdd);
}

struct Avx512Ops16 {
  using Word = __m512i;
  static constexpr std::size_t kLanes = 16;
  static constexpr bool kManyRegisters = true;

  template <int n>
  [[gnu::always_inline]] static Word rotate(Word a) {
    return _mm512_maskz_ror_epi32(kAll, a, n);
  }
  [[gnu::always_inline]] static Word splat(std::uint32_t word) {
    return _mm512_set1_epi32(static_cast<int>(word));
  }
  [[gnu::always_inline]] static Word load(const std::uint32_t* words) {
    return _mm512_load_si512(words);
  }
  [[gnu::always_inline]] static Word add(Word a, Word b) { return _mm512_add_epi32(a, b); }
  [[gnu::always_inline]] static Word exclusive_or(Word a, Word b) { return _mm512_xor_si512(a, b); }

  [[gnu::always_inline]] static void load_block(const std::uint8_t* const* rows, std::size_t at,
                                                Word* message) {
    Word fours[16];
    unrolled<4>([&](auto group) {
      constexpr std::size_t i = 4 * group;
      const Word four[4] = {_mm512_loadu_si512(rows[i] + at), _mm512_loadu_si512(rows[i + 1] + at),
                            _mm512_loadu_si512(rows[i + 2] + at),
                            _mm512_loadu_si512(rows[i + 3] + at)};
      transpose_fours(four, fours + i);
    });
    unrolled<4>([&](auto c) {
      gather_quarters(fours[c], fours[4 + c], fours[8 + c], fours[12 + c], message + c);
    });
  }

  // After the first step a vector holds half the values of lanes c, c + 4, c + 8 and c + 12, whose
  // places in memory are apart anyway: no second step, but stores of quarters.
  [[gnu::always_inline]] static void store_values(const Word* words, std::uint8_t* out) {
    Word low[4];
    Word high[4];
    transpose_fours(words, low);
    transpose_fours(words + 4, high);
    unrolled<4>([&](auto c) {
      unrolled<4>([&](auto quarter) {
        auto* at = reinterpret_cast<__m128i*>(out + (c + 4 * quarter) * kValueSize);
        constexpr int kQuarter = static_cast<int>(quarter);
        _mm_storeu_si128(at, _mm512_maskz_extracti32x4_epi32(kAll4, low[c], kQuarter));
        _mm_storeu_si128(at + 1, _mm512_maskz_extracti32x4_epi32(kAll4, high[c], kQuarter));
      });
    });
  }
};

}  // namespace

void hash_8_lanes_avx512(const LaneInputs& inputs, std::size_t count, std::uint8_t* out) {
  hash_lanes<Avx512Ops8>(inputs, count, out);
}

void hash_16_lanes_avx512(const LaneInputs& inputs, std::size_t count, std::uint8_t* out) {
  hash_lanes<Avx512Ops16>(inputs, count, out);
}

}  // namespace hm::blake3
#endif
