// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/keccak/permutation_x4_simd.h"

#if defined(__AVX512VL__)
#include <immintrin.h>

#include "foundation/crypto/keccak/rounds.h"

namespace hm::keccak {
namespace {

// Truth tables for the ternary logic instruction, a, b, c being 0xf0, 0xcc, 0xaa.
constexpr int kChi = 0xf0 ^ (~0xcc & 0xaa);
constexpr int kXor3 = 0xf0 ^ 0xcc ^ 0xaa;

struct Avx512Ops {
  using Lane = __m256i;
  template <int n>
  [[gnu::always_inline]] static Lane rotate(Lane a) {
    return _mm256_rol_epi64(a, n);
  }
  [[gnu::always_inline]] static Lane exclusive_or(Lane a, Lane b) { return _mm256_xor_si256(a, b); }
  [[gnu::always_inline]] static Lane chi(Lane a, Lane b, Lane c) {
    return _mm256_ternarylogic_epi64(a, b, c, kChi);
  }
  [[gnu::always_inline]] static Lane parity(Lane a, Lane b, Lane c, Lane d, Lane e) {
    return _mm256_ternarylogic_epi64(_mm256_ternarylogic_epi64(a, b, c, kXor3), d, e, kXor3);
  }
};

}  // namespace

void permute_x4_avx512(std::uint64_t* lanes) {
  __m256i a[kLanes];
  __m256i b[kLanes];
  auto* memory = reinterpret_cast<__m256i*>(lanes);
  for (std::size_t i = 0; i < kLanes; ++i) a[i] = _mm256_load_si256(memory + i);
  for (std::size_t i = 0; i < kRounds; i += 2) {
    round<Avx512Ops>(a, b, _mm256_set1_epi64x(static_cast<long long>(kRoundConstant[i])));
    round<Avx512Ops>(b, a, _mm256_set1_epi64x(static_cast<long long>(kRoundConstant[i + 1])));
  }
  for (std::size_t i = 0; i < kLanes; ++i) _mm256_store_si256(memory + i, a[i]);
}

}  // namespace hm::keccak
#endif
