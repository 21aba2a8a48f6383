// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/avx2.h"

#if defined(__AVX2__)
#include "foundation/crypto/ml_kem/modular_avx2.h"

namespace hm::ml_kem {
namespace {

// The layers of lengths 128, 64 and 32 pair whole vectors. A pair of neighbouring vectors, 32
// coefficients, then goes through the layers of lengths 16, 8, 4 and 2 by itself; in the last
// three its parts are moved so that again whole vectors are paired.
constexpr std::size_t kPairs = kVectors / 2;

// The roots of one pair for lengths 16, 8, 4 and 2, one for each place of the moved vectors.
struct PairZetas {
  Multipliers of_16, of_8, of_4, of_2;
};

struct ZetaTables {
  Multiplier whole[8];  // by index, for lengths 128, 64 and 32
  PairZetas pairs[kPairs];
};

// Roots of `blocks` blocks of a layer, spread evenly over a vector; `step` is 1 for Algorithm 9
// and -1 for Algorithm 10.
constexpr void fill(Multipliers& out, int first, int step, std::size_t blocks) {
  for (std::size_t i = 0; i < kWidth; ++i) {
    const int at = first + step * static_cast<int>(i / (kWidth / blocks));
    const Multiplier zeta = multiplier(power_of_zeta(bit_reverse(static_cast<unsigned>(at))));
    out.value[i] = zeta.value;
    out.times_inverse[i] = zeta.times_inverse;
  }
}

constexpr ZetaTables make_tables(bool is_inverse) {
  ZetaTables tables{};
  for (unsigned i = 1; i < 8; ++i) tables.whole[i] = multiplier(power_of_zeta(bit_reverse(i)));
  const int step = is_inverse ? -1 : 1;
  for (int pair = 0; pair < static_cast<int>(kPairs); ++pair) {
    PairZetas& zetas = tables.pairs[pair];
    const auto first = [&](int begin) { return is_inverse ? 2 * begin - 1 : begin; };
    fill(zetas.of_16, first(8) + step * pair, step, 1);
    fill(zetas.of_8, first(16) + step * 2 * pair, step, 2);
    fill(zetas.of_4, first(32) + step * 4 * pair, step, 4);
    fill(zetas.of_2, first(64) + step * 8 * pair, step, 8);
  }
  return tables;
}

constexpr ZetaTables kForward = make_tables(false);
constexpr ZetaTables kInverse = make_tables(true);

inline void butterfly(__m256i& a, __m256i& b, VectorMultiplier zeta) {
  const __m256i t = multiply(b, zeta);
  b = _mm256_sub_epi16(a, t);
  a = _mm256_add_epi16(a, t);
}

inline void inverse_butterfly(__m256i& a, __m256i& b, VectorMultiplier zeta) {
  const __m256i t = a;
  a = _mm256_add_epi16(t, b);
  b = multiply(_mm256_sub_epi16(b, t), zeta);
}

// Each of these moves is its own inverse: the halves of 128, 64 and 32 bits change places such
// that the first halves meet in `a` and the second halves in `b`.
inline void move_128(__m256i& a, __m256i& b) {
  const __m256i first = _mm256_permute2x128_si256(a, b, 0x20);
  b = _mm256_permute2x128_si256(a, b, 0x31);
  a = first;
}

inline void move_64(__m256i& a, __m256i& b) {
  const __m256i first = _mm256_unpacklo_epi64(a, b);
  b = _mm256_unpackhi_epi64(a, b);
  a = first;
}

inline void move_32(__m256i& a, __m256i& b) {
  const __m256i first = _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa);
  b = _mm256_blend_epi32(_mm256_srli_epi64(a, 32), b, 0xaa);
  a = first;
}

}  // namespace

void ntt_avx2(const Polynomial& f, NttPolynomial& out) {
  for (std::size_t lane = 0; lane < 2; ++lane) {
    __m256i v[8];  // every second vector
    for (std::size_t i = 0; i < 8; ++i) v[i] = load(f.c + kWidth * (2 * i + lane));
    const VectorMultiplier of_128 = broadcast(kForward.whole[1]);
    for (std::size_t i = 0; i < 4; ++i) butterfly(v[i], v[i + 4], of_128);
    for (std::size_t block = 0; block < 2; ++block) {
      const VectorMultiplier of_64 = broadcast(kForward.whole[2 + block]);
      butterfly(v[4 * block], v[4 * block + 2], of_64);
      butterfly(v[4 * block + 1], v[4 * block + 3], of_64);
    }
    for (std::size_t block = 0; block < 4; ++block) {
      butterfly(v[2 * block], v[2 * block + 1], broadcast(kForward.whole[4 + block]));
    }
    for (std::size_t i = 0; i < 8; ++i) store(out.c + kWidth * (2 * i + lane), v[i]);
  }
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    std::int16_t* c = out.c + 2 * kWidth * pair;
    const PairZetas& zetas = kForward.pairs[pair];
    __m256i a = load(c);
    __m256i b = load(c + kWidth);
    butterfly(a, b, load(zetas.of_16));
    move_128(a, b);
    butterfly(a, b, load(zetas.of_8));
    move_64(a, b);
    butterfly(a, b, load(zetas.of_4));
    move_32(a, b);
    butterfly(a, b, load(zetas.of_2));
    move_32(a, b);
    move_64(a, b);
    move_128(a, b);
    store(c, barrett_reduce(a));
    store(c + kWidth, barrett_reduce(b));
  }
}

void inverse_ntt_avx2(const NttPolynomial& f, Polynomial& out) {
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    const std::int16_t* c = f.c + 2 * kWidth * pair;
    const PairZetas& zetas = kInverse.pairs[pair];
    __m256i a = load(c);
    __m256i b = load(c + kWidth);
    move_128(a, b);
    move_64(a, b);
    move_32(a, b);
    inverse_butterfly(a, b, load(zetas.of_2));
    move_32(a, b);
    inverse_butterfly(a, b, load(zetas.of_4));
    move_64(a, b);
    inverse_butterfly(a, b, load(zetas.of_8));
    a = barrett_reduce(a);
    move_128(a, b);
    inverse_butterfly(a, b, load(zetas.of_16));
    store(out.c + 2 * kWidth * pair, a);
    store(out.c + 2 * kWidth * pair + kWidth, b);
  }
  constexpr Multiplier kScale = multiplier(kInverseOf128);
  const VectorMultiplier scale = broadcast(kScale);
  for (std::size_t lane = 0; lane < 2; ++lane) {
    __m256i v[8];
    for (std::size_t i = 0; i < 8; ++i) v[i] = load(out.c + kWidth * (2 * i + lane));
    for (std::size_t block = 0; block < 4; ++block) {
      inverse_butterfly(v[2 * block], v[2 * block + 1], broadcast(kInverse.whole[7 - block]));
    }
    for (std::size_t block = 0; block < 2; ++block) {
      const VectorMultiplier of_64 = broadcast(kInverse.whole[3 - block]);
      for (std::size_t i = 4 * block; i < 4 * block + 2; ++i) {
        inverse_butterfly(v[i], v[i + 2], of_64);
        v[i] = barrett_reduce(v[i]);
      }
    }
    const VectorMultiplier of_128 = broadcast(kInverse.whole[1]);
    for (std::size_t i = 0; i < 4; ++i) inverse_butterfly(v[i], v[i + 4], of_128);
    for (std::size_t i = 0; i < 8; ++i) {
      store(out.c + kWidth * (2 * i + lane), multiply(v[i], scale));
    }
  }
}

}  // namespace hm::ml_kem
#endif
