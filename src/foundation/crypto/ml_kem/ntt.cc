// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/ntt.h"

#include <algorithm>
#include <array>

#include "foundation/crypto/ml_kem/modular.h"

namespace hm::ml_kem {
namespace {

std::int16_t sum(std::int16_t a, std::int16_t b) { return static_cast<std::int16_t>(a + b); }
std::int16_t difference(std::int16_t a, std::int16_t b) { return static_cast<std::int16_t>(a - b); }

// One pass of the outer loop of Algorithm 9. Coefficients grow by less than q.
template <std::size_t len>
void layer(std::int16_t* f) {
  for (std::size_t block = 0; block < 128 / len; ++block, f += 2 * len) {
    const Multiplier zeta = kZetas[128 / len + block];
    for (std::size_t j = 0; j < len; ++j) {
      const std::int16_t t = multiply(f[j + len], zeta);
      f[j + len] = difference(f[j], t);
      f[j] = sum(f[j], t);
    }
  }
}

enum class Sums { Left, Reduced };

// One pass of the outer loop of Algorithm 10. Sums double, unless they are reduced.
template <std::size_t len, Sums sums = Sums::Left>
void inverse_layer(std::int16_t* f) {
  for (std::size_t block = 0; block < 128 / len; ++block, f += 2 * len) {
    const Multiplier zeta = kZetas[256 / len - 1 - block];
    for (std::size_t j = 0; j < len; ++j) {
      const std::int16_t t = f[j];
      f[j] = sum(t, f[j + len]);
      if constexpr (sums == Sums::Reduced) f[j] = barrett_reduce(f[j]);
      f[j + len] = multiply(difference(f[j + len], t), zeta);
    }
  }
}

// By what `prepare` multiplies: R for the first of a pair, γ·R for the second.
constexpr auto kGammas = [] {
  std::array<Multiplier, kCoefficients> gammas{};
  for (unsigned i = 0; i < kCoefficients / 2; ++i) {
    gammas[2 * i] = multiplier(kMontgomery);
    gammas[2 * i + 1] = multiplier(gamma(i) * kMontgomery);
  }
  return gammas;
}();

}  // namespace

void ntt(const Polynomial& from, NttPolynomial& out) {
  std::int16_t* f = out.c;
  std::copy_n(from.c, kCoefficients, f);
  // Seven layers from below q stay below 8q < 2^15.
  layer<128>(f);
  layer<64>(f);
  layer<32>(f);
  layer<16>(f);
  layer<8>(f);
  layer<4>(f);
  layer<2>(f);
  for (std::size_t i = 0; i < kCoefficients; ++i) f[i] = barrett_reduce(f[i]);
}

void inverse_ntt(const NttPolynomial& from, Polynomial& out) {
  std::int16_t* f = out.c;
  std::copy_n(from.c, kCoefficients, f);
  // A difference must fit 16 bits, so no layer may begin with more than 4q.
  inverse_layer<2>(f);
  inverse_layer<4>(f);
  inverse_layer<8, Sums::Reduced>(f);
  inverse_layer<16>(f);
  inverse_layer<32>(f);
  inverse_layer<64, Sums::Reduced>(f);
  inverse_layer<128>(f);
  constexpr Multiplier kScale = multiplier(kInverseOf128);
  for (std::size_t i = 0; i < kCoefficients; ++i) f[i] = multiply(f[i], kScale);
}

void prepare(const NttPolynomial& f, Factor& out) {
  for (std::size_t i = 0; i < kCoefficients; ++i) out.even[i] = multiply(f.c[i], kGammas[i]);
  for (std::size_t i = 0; i < kCoefficients; i += 2) {
    out.odd[i] = multiply(f.c[i + 1], kGammas[0]);
    out.odd[i + 1] = out.even[i];
  }
}

void dot_product(const NttPolynomial* a, const Factor* b, std::size_t count, NttPolynomial& out) {
  // Eight products of reduced values stay below 8q^2 < 2^15·q.
  for (std::size_t i = 0; i < kCoefficients; i += 2) {
    std::int32_t even = 0;
    std::int32_t odd = 0;
    for (std::size_t j = 0; j < count; ++j) {
      const std::int16_t* pair = a[j].c + i;
      even += pair[0] * b[j].even[i] + pair[1] * b[j].even[i + 1];
      odd += pair[0] * b[j].odd[i] + pair[1] * b[j].odd[i + 1];
    }
    out.c[i] = montgomery_reduce(even);
    out.c[i + 1] = montgomery_reduce(odd);
  }
}

}  // namespace hm::ml_kem
