// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/ntt.h"

#include <algorithm>
#include <utility>

#include "foundation/crypto/ml_kem/modular.h"
#include "foundation/crypto/wipe.h"

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

enum class After { Nothing, Reduction };

// One pass of the outer loop of Algorithm 10. Sums double, unless they are reduced.
template <std::size_t len, After sums = After::Nothing>
void inverse_layer(std::int16_t* f) {
  for (std::size_t block = 0; block < 128 / len; ++block, f += 2 * len) {
    const Multiplier zeta = kZetas[256 / len - 1 - block];
    for (std::size_t j = 0; j < len; ++j) {
      const std::int16_t t = f[j];
      f[j] = sum(t, f[j + len]);
      if constexpr (sums == After::Reduction) f[j] = barrett_reduce(f[j]);
      f[j + len] = multiply(difference(f[j + len], t), zeta);
    }
  }
}

// By what `prepare` multiplies: R for the first of a pair, γ·R for the second. Two arrays, because
// compilers vectorise no array of pairs.
struct GammaTable {
  std::int16_t value[kCoefficients];
  std::int16_t times_inverse[kCoefficients];
};
constexpr GammaTable kGammas = [] {
  GammaTable table{};
  for (unsigned i = 0; i < kCoefficients; ++i) {
    const Multiplier by = multiplier(i % 2 == 0 ? kMontgomery : gamma(i / 2) * kMontgomery);
    table.value[i] = by.value;
    table.times_inverse[i] = by.times_inverse;
  }
  return table;
}();

// Sums of the two inner products of dot_product(), before pairs are added up.
struct Sums {
  std::int16_t even[kCoefficients];
  std::int16_t odd[kCoefficients];
};

// In the following nothing overlaps, and only if told so do compilers vectorise.

void multiply_each(std::int16_t* __restrict out, const std::int16_t* __restrict a,
                   const std::int16_t* __restrict value,
                   const std::int16_t* __restrict times_inverse) {
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    out[i] = multiply(a[i], {value[i], times_inverse[i]});
  }
}

void multiply_each(std::int16_t* __restrict out, const std::int16_t* __restrict a, Multiplier by) {
  for (std::size_t i = 0; i < kCoefficients; ++i) out[i] = multiply(a[i], by);
}

// sum += a·b / R.
void accumulate(std::int16_t* __restrict sum, const std::int16_t* __restrict a,
                const std::int16_t* __restrict b) {
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    const auto low = static_cast<std::int16_t>(a[i] * b[i]);
    const auto quotient = static_cast<std::int16_t>(low * kInverseOfQ);
    sum[i] = static_cast<std::int16_t>(sum[i] + high_half(a[i], b[i]) - high_half(quotient, kQ));
  }
}

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
  inverse_layer<8, After::Reduction>(f);
  inverse_layer<16>(f);
  inverse_layer<32>(f);
  inverse_layer<64, After::Reduction>(f);
  inverse_layer<128>(f);
  constexpr Multiplier kScale = multiplier(kInverseOf128);
  for (std::size_t i = 0; i < kCoefficients; ++i) f[i] = multiply(f[i], kScale);
}

void prepare(const NttPolynomial& f, Factor& out) {
  multiply_each(out.even, f.c, kGammas.value, kGammas.times_inverse);
  multiply_each(out.odd, f.c, multiplier(kMontgomery));
  for (std::size_t i = 0; i < kCoefficients; i += 2) std::swap(out.odd[i], out.odd[i + 1]);
}

void dot_product(const NttPolynomial* a, const Factor* b, std::size_t count, NttPolynomial& out) {
  // Each term is below 0.6q, so that four of a pair stay below 5q.
  crypto::Wiped<Sums> sums;
  for (std::size_t j = 0; j < count; ++j) {
    accumulate(sums->even, a[j].c, b[j].even);
    accumulate(sums->odd, a[j].c, b[j].odd);
  }
  for (std::size_t i = 0; i < kCoefficients; i += 2) {
    out.c[i] = sum(sums->even[i], sums->even[i + 1]);
    out.c[i + 1] = sum(sums->odd[i], sums->odd[i + 1]);
  }
  for (std::size_t i = 0; i < kCoefficients; ++i) out.c[i] = barrett_reduce(out.c[i]);
}

}  // namespace hm::ml_kem
