// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/avx2.h"

#if defined(__AVX2__)
#include "foundation/crypto/ml_kem/modular_avx2.h"

namespace hm::ml_kem {
namespace {

struct GammaTable {
  Multipliers of[kVectors];
};

// As in ntt.cc: R for the first of a pair, γ·R for the second.
constexpr GammaTable kGammas = [] {
  GammaTable table{};
  for (unsigned i = 0; i < kCoefficients; ++i) {
    const Multiplier by = multiplier(i % 2 == 0 ? kMontgomery : gamma(i / 2) * kMontgomery);
    table.of[i / kWidth].value[i % kWidth] = by.value;
    table.of[i / kWidth].times_inverse[i % kWidth] = by.times_inverse;
  }
  return table;
}();

inline __m256i swap_pairs(__m256i a) {
  constexpr int kSwap = 0b10'11'00'01;
  return _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(a, kSwap), kSwap);
}

}  // namespace

void prepare_avx2(const NttPolynomial& f, Factor& out) {
  constexpr Multiplier kR = multiplier(kMontgomery);
  const VectorMultiplier by_r = broadcast(kR);
  for (std::size_t i = 0; i < kVectors; ++i) {
    const __m256i c = load(f.c + kWidth * i);
    store(out.even + kWidth * i, multiply(c, load(kGammas.of[i])));
    store(out.odd + kWidth * i, swap_pairs(multiply(c, by_r)));
  }
}

void dot_product_avx2(const NttPolynomial* a, const Factor* b, std::size_t count,
                      NttPolynomial& out) {
  for (std::size_t i = 0; i < kCoefficients; i += kWidth) {
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    for (std::size_t j = 0; j < count; ++j) {
      const __m256i pairs = load(a[j].c + i);
      even = _mm256_add_epi32(even, _mm256_madd_epi16(pairs, load(b[j].even + i)));
      odd = _mm256_add_epi32(odd, _mm256_madd_epi16(pairs, load(b[j].odd + i)));
    }
    // The halves of the 32-bit sums, in the order of the coefficients.
    const __m256i low = _mm256_blend_epi16(even, _mm256_slli_epi32(odd, 16), 0xaa);
    const __m256i high = _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa);
    const __m256i quotient = _mm256_mullo_epi16(low, _mm256_set1_epi16(kInverseOfQ));
    store(out.c + i, barrett_reduce(_mm256_sub_epi16(
                         high, _mm256_mulhi_epi16(quotient, _mm256_set1_epi16(kQ)))));
  }
}

}  // namespace hm::ml_kem
#endif
