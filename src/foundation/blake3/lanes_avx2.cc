// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/lanes_simd.h"

#if defined(__AVX2__)
#include <immintrin.h>

#include "foundation/blake3/transpose_avx2.h"

namespace hm::blake3 {
namespace {

struct Avx2Ops : Transpose8 {
  static constexpr bool kManyRegisters = false;

  template <int n>
  [[gnu::always_inline]] static Word rotate(Word a) {
    if constexpr (n % 8 == 0) {  // whole bytes move in one shuffle
      constexpr auto kFrom = [](int byte) {
        return static_cast<char>(byte / 4 * 4 + (byte + n / 8) % 4);
      };
      const __m256i from = _mm256_broadcastsi128_si256(_mm_setr_epi8(
          kFrom(0), kFrom(1), kFrom(2), kFrom(3), kFrom(4), kFrom(5), kFrom(6), kFrom(7), kFrom(8),
          kFrom(9), kFrom(10), kFrom(11), kFrom(12), kFrom(13), kFrom(14), kFrom(15)));
      return _mm256_shuffle_epi8(a, from);
    }
    return _mm256_or_si256(_mm256_srli_epi32(a, n), _mm256_slli_epi32(a, 32 - n));
  }
};

}  // namespace

void hash_8_lanes_avx2(const LaneInputs& inputs, std::size_t count, std::uint8_t* out) {
  hash_lanes<Avx2Ops>(inputs, count, out);
}

}  // namespace hm::blake3
#endif
