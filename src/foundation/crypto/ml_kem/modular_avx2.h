// SPDX-License-Identifier: Apache-2.0
// The operations of modular.h on sixteen coefficients. Only for files that are compiled for AVX2.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "foundation/crypto/ml_kem/modular.h"

namespace hm::ml_kem {
namespace {

constexpr std::size_t kWidth = 16;
constexpr std::size_t kVectors = kCoefficients / kWidth;

// Sixteen multipliers.
struct alignas(32) Multipliers {
  std::int16_t value[kWidth];
  std::int16_t times_inverse[kWidth];
};

struct VectorMultiplier {
  __m256i value;
  __m256i times_inverse;
};

inline __m256i load(const std::int16_t* f) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(f));
}

inline void store(std::int16_t* f, __m256i a) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(f), a);
}

inline VectorMultiplier load(const Multipliers& b) {
  return {load(b.value), load(b.times_inverse)};
}

inline VectorMultiplier broadcast(Multiplier b) {
  return {_mm256_set1_epi16(b.value), _mm256_set1_epi16(b.times_inverse)};
}

inline __m256i multiply(__m256i a, VectorMultiplier b) {
  const __m256i low = _mm256_mullo_epi16(a, b.times_inverse);
  return _mm256_sub_epi16(_mm256_mulhi_epi16(a, b.value),
                          _mm256_mulhi_epi16(low, _mm256_set1_epi16(kQ)));
}

inline __m256i barrett_reduce(__m256i a) {
  const __m256i half = _mm256_set1_epi16(1 << (kBarrettShift - 1));
  const __m256i quotient = _mm256_srai_epi16(
      _mm256_add_epi16(_mm256_mulhi_epi16(a, _mm256_set1_epi16(kBarrett)), half), kBarrettShift);
  return _mm256_sub_epi16(a, _mm256_mullo_epi16(quotient, _mm256_set1_epi16(kQ)));
}

inline __m256i canonical(__m256i a) {
  const __m256i reduced = barrett_reduce(a);
  return _mm256_add_epi16(reduced,
                          _mm256_and_si256(_mm256_srai_epi16(reduced, 15), _mm256_set1_epi16(kQ)));
}

}  // namespace
}  // namespace hm::ml_kem
