// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/avx2.h"

#if defined(__AVX2__)
#include "foundation/crypto/ml_kem/coefficients.h"
#include "foundation/crypto/ml_kem/modular_avx2.h"

namespace hm::ml_kem {
namespace {

constexpr std::size_t kCandidates = 8;  // in 12 bytes
constexpr std::size_t kGroup = 12;

// For each set of eight candidates: the places of its members, in order, then anything.
struct Packing {
  std::uint8_t place[256][kCandidates];
};
constexpr Packing kPacking = [] {
  Packing packing{};
  for (unsigned set = 0; set < 256; ++set) {
    unsigned next = 0;
    for (unsigned i = 0; i < kCandidates; ++i) {
      if ((set >> i & 1) != 0) packing.place[set][next++] = static_cast<std::uint8_t>(i);
    }
  }
  return packing;
}();

// The 12-bit numbers of twelve bytes.
inline __m128i candidates(const std::uint8_t* bytes) {
  const __m128i spread = _mm_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11);
  const __m128i words =
      _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)), spread);
  return _mm_and_si128(_mm_blend_epi16(words, _mm_srli_epi16(words, 4), 0xaa),
                       _mm_set1_epi16(0xfff));
}

// The words whose places are given, first ones first.
inline __m128i pack(__m128i words, const std::uint8_t* places) {
  // Place p is bytes 2p and 2p + 1.
  const __m128i of_8_bits = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(places));
  const __m128i twice = _mm_add_epi8(of_8_bits, of_8_bits);
  const __m128i bytes = _mm_unpacklo_epi8(twice, _mm_add_epi8(twice, _mm_set1_epi8(1)));
  return _mm_shuffle_epi8(words, bytes);
}

inline void store_wide(std::int16_t* f, __m128i of_8_bits) {
  store(f, _mm256_cvtepi8_epi16(of_8_bits));
}

}  // namespace

void make_canonical_avx2(std::int16_t* f) {
  for (std::size_t i = 0; i < kCoefficients; i += kWidth) store(f + i, canonical(load(f + i)));
}

void compress_avx2(int d, std::int16_t* f) {
  // x·2^13/q, rounded down and at most a little too large, gives floor((x·2^d + q/2) / q) or one
  // more; the sign of the remainder tells which.
  const __m128i by_d = _mm_cvtsi32_si128(d);
  const __m128i rest = _mm_cvtsi32_si128(13 - d);
  const __m256i half = _mm256_set1_epi16(static_cast<std::int16_t>(1 << (12 - d)));
  const __m256i mask = _mm256_set1_epi16(static_cast<std::int16_t>((1 << d) - 1));
  for (std::size_t i = 0; i < kCoefficients; i += kWidth) {
    const __m256i x = canonical(load(f + i));
    const __m256i fine = _mm256_mulhi_epi16(_mm256_slli_epi16(x, 3), _mm256_set1_epi16(kBarrett));
    const __m256i quotient = _mm256_sra_epi16(_mm256_add_epi16(fine, half), rest);
    const __m256i numerator =
        _mm256_add_epi16(_mm256_sll_epi16(x, by_d), _mm256_set1_epi16(kQ / 2));
    const __m256i remainder =
        _mm256_sub_epi16(numerator, _mm256_mullo_epi16(quotient, _mm256_set1_epi16(kQ)));
    const __m256i exact = _mm256_add_epi16(quotient, _mm256_srai_epi16(remainder, 15));
    store(f + i, _mm256_and_si256(exact, mask));
  }
}

void decompress_avx2(int d, std::int16_t* f) {
  // The rounding high multiplication divides by 2^15.
  const __m128i to_15 = _mm_cvtsi32_si128(15 - d);
  for (std::size_t i = 0; i < kCoefficients; i += kWidth) {
    const __m256i y = _mm256_sll_epi16(load(f + i), to_15);
    store(f + i, _mm256_mulhrs_epi16(y, _mm256_set1_epi16(kQ)));
  }
}

void sample_binomial_avx2(const std::uint8_t* bytes, std::int16_t* f) {
  const __m256i one_of_two = _mm256_set1_epi8(0x55);
  const __m256i two_of_four = _mm256_set1_epi8(0x33);
  const __m256i low_nibble = _mm256_set1_epi8(0x0f);
  const __m256i bias = _mm256_set1_epi8(3);
  for (std::size_t i = 0; i < kCoefficients; i += 64, bytes += 32) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i sums = _mm256_add_epi8(_mm256_and_si256(bits, one_of_two),
                                         _mm256_and_si256(_mm256_srli_epi16(bits, 1), one_of_two));
    const __m256i plus = _mm256_add_epi8(_mm256_and_si256(sums, two_of_four), two_of_four);
    const __m256i biased =
        _mm256_sub_epi8(plus, _mm256_and_si256(_mm256_srli_epi16(sums, 2), two_of_four));
    const __m256i even = _mm256_sub_epi8(_mm256_and_si256(biased, low_nibble), bias);
    const __m256i odd =
        _mm256_sub_epi8(_mm256_and_si256(_mm256_srli_epi16(biased, 4), low_nibble), bias);
    const __m256i first = _mm256_unpacklo_epi8(even, odd);
    const __m256i second = _mm256_unpackhi_epi8(even, odd);
    store_wide(f + i, _mm256_castsi256_si128(first));
    store_wide(f + i + 16, _mm256_castsi256_si128(second));
    store_wide(f + i + 32, _mm256_extracti128_si256(first, 1));
    store_wide(f + i + 48, _mm256_extracti128_si256(second, 1));
  }
}

std::size_t sample_uniform_avx2(const std::uint8_t* bytes, std::size_t size, std::int16_t* f,
                                std::size_t have) {
  const std::uint8_t* end = bytes + size;
  // Eight are stored whatever their number; the last few are left to the portable loop.
  while (bytes != end && have <= kCoefficients - kCandidates) {
    const __m128i words = candidates(bytes);
    const __m128i below = _mm_cmpgt_epi16(_mm_set1_epi16(kQ), words);
    const auto set =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(below, _mm_setzero_si128())));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(f + have), pack(words, kPacking.place[set]));
    have += static_cast<std::size_t>(__builtin_popcount(set));
    bytes += kGroup;
  }
  return sample_uniform(bytes, static_cast<std::size_t>(end - bytes), f, have);
}

}  // namespace hm::ml_kem
#endif
