// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/keccak/permutation_x4_simd.h"

#if defined(__AVX2__)
#include <immintrin.h>

#include "foundation/crypto/keccak/rounds.h"

namespace hm::keccak {
namespace {

struct Avx2Ops {
  using Lane = __m256i;
  template <int n>
  [[gnu::always_inline]] static Lane rotate(Lane a) {
    if constexpr (n == 0) return a;
    if constexpr (n % 8 == 0) {  // whole bytes move in one shuffle
      constexpr auto kFrom = [](int byte) { return static_cast<char>((byte + 8 - n / 8) % 8); };
      const __m256i from = _mm256_broadcastsi128_si256(
          _mm_setr_epi8(kFrom(0), kFrom(1), kFrom(2), kFrom(3), kFrom(4), kFrom(5), kFrom(6),
                        kFrom(7), kFrom(0) + 8, kFrom(1) + 8, kFrom(2) + 8, kFrom(3) + 8,
                        kFrom(4) + 8, kFrom(5) + 8, kFrom(6) + 8, kFrom(7) + 8));
      return _mm256_shuffle_epi8(a, from);
    }
    return _mm256_or_si256(_mm256_slli_epi64(a, n), _mm256_srli_epi64(a, 64 - n));
  }
  [[gnu::always_inline]] static Lane exclusive_or(Lane a, Lane b) { return _mm256_xor_si256(a, b); }
  [[gnu::always_inline]] static Lane chi(Lane a, Lane b, Lane c) {
    return _mm256_xor_si256(a, _mm256_andnot_si256(b, c));
  }
  [[gnu::always_inline]] static Lane parity(Lane a, Lane b, Lane c, Lane d, Lane e) {
    return _mm256_xor_si256(_mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d)), e);
  }
};

}  // namespace

void permute_x4_avx2(std::uint64_t* lanes) {
  __m256i a[kLanes];
  __m256i b[kLanes];
  auto* memory = reinterpret_cast<__m256i*>(lanes);
  for (std::size_t i = 0; i < kLanes; ++i) a[i] = _mm256_load_si256(memory + i);
  for (std::size_t i = 0; i < kRounds; i += 2) {
    round<Avx2Ops>(a, b, _mm256_set1_epi64x(static_cast<long long>(kRoundConstant[i])));
    round<Avx2Ops>(b, a, _mm256_set1_epi64x(static_cast<long long>(kRoundConstant[i + 1])));
  }
  for (std::size_t i = 0; i < kLanes; ++i) _mm256_store_si256(memory + i, a[i]);
}

}  // namespace hm::keccak
#endif
