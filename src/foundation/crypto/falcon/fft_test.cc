// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/fft.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <vector>

#include "foundation/crypto/falcon/fft_roots.h"

namespace hm::falcon {
namespace {

using Doubles = std::vector<double>;
using Complexes = std::vector<std::complex<double>>;

std::size_t reversed_bits(std::size_t x, int bits) {
  std::size_t result = 0;
  for (int b = 0; b < bits; ++b) result |= ((x >> b) & 1) << (bits - 1 - b);
  return result;
}

// sin(πk/1024) for |k| <= 512, with an argument of at most 45 degrees, so that it is exact to the
// last places of the extended precision.
long double sine_of(int k) {
  const auto angle = [](int of) { return std::numbers::pi_v<long double> * of / kDegree; };
  const int half = kDegree / 2;
  if (std::abs(k) <= half / 2) return std::sin(angle(k));
  return k > 0 ? std::cos(angle(half - k)) : -std::cos(angle(half + k));
}

// In units of the last place.
double error_of(std::uint64_t bits, long double exact) {
  const double got = std::bit_cast<double>(bits);
  const double ulp = std::nextafter(std::fabs(got), 2.0) - std::fabs(got);
  return static_cast<double>(std::fabs(got - exact)) / ulp;
}

TEST(FftRoots, AreTheNearestNumbersToTheRootsOfUnity) {
  const int half = kDegree / 2;
  for (int k = 0; k < static_cast<int>(kDegree); ++k) {
    const RootBits& root = fft_roots[reversed_bits(static_cast<std::size_t>(k), kLogDegree)];
    if (k % half == 0) continue;
    // Half a unit, and the error of the extended precision.
    EXPECT_LE(error_of(root.real, sine_of(half - k)), 0.501) << k;
    EXPECT_LE(error_of(root.imaginary, sine_of(k <= half ? k : 2 * half - k)), 0.501) << k;
  }
  constexpr auto kOne = std::bit_cast<std::uint64_t>(1.0);
  EXPECT_EQ(fft_roots[0].real, kOne);
  EXPECT_EQ(fft_roots[0].imaginary, 0U);
  EXPECT_EQ(fft_roots[1].real, 0U);
  EXPECT_EQ(fft_roots[1].imaginary, kOne);
}

template <class Real>
std::vector<Real> reals(const Doubles& values) {
  std::vector<Real> result;
  for (const double v : values) result.push_back(Real::from_bits(std::bit_cast<std::uint64_t>(v)));
  return result;
}

template <class Real>
Doubles doubles(const std::vector<Real>& values) {
  Doubles result;
  for (const Real v : values) result.push_back(std::bit_cast<double>(v.to_bits()));
  return result;
}

// Small integers with a fraction, as many as the degree.
rc::Gen<Doubles> polynomial(std::size_t degree) {
  return rc::gen::container<Doubles>(
      degree, rc::gen::map(rc::gen::inRange(-100'000, 100'001), [](int i) { return i / 64.0; }));
}

Doubles any_polynomial(std::size_t degree) { return *polynomial(degree); }

std::size_t any_degree() { return std::size_t{1} << *rc::gen::inRange(1, 9); }

// Polynomials in coefficients, multiplied by the school method modulo x^n + 1.
Doubles product(const Doubles& a, const Doubles& b) {
  const std::size_t n = a.size();
  Doubles c(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i + j < n) {
        c[i + j] += a[i] * b[j];
      } else {
        c[i + j - n] -= a[i] * b[j];
      }
    }
  }
  return c;
}

// a* has the coefficients a0, -a(n-1), ..., -a1.
Doubles adjoint(const Doubles& a) {
  Doubles c(a.size());
  c[0] = a[0];
  for (std::size_t i = 1; i < a.size(); ++i) c[i] = -a[a.size() - i];
  return c;
}

void expect_near(const Doubles& got, const Doubles& expected) {
  RC_ASSERT(got.size() == expected.size());
  double scale = 1;
  for (const double x : expected) scale = std::max(scale, std::fabs(x));
  for (std::size_t i = 0; i < got.size(); ++i) {
    RC_ASSERT(std::fabs(got[i] - expected[i]) < 1e-11 * scale);
  }
}

// Runs `compute` on both back ends, requires equal bits and returns the value.
template <class Compute>
Doubles on_both(const Compute& compute) {
  const Doubles emulated = doubles(compute.template operator()<EmulatedReal>());
  const Doubles hardware = doubles(compute.template operator()<HardwareReal>());
  RC_ASSERT(reals<EmulatedReal>(emulated).size() == hardware.size());
  for (std::size_t i = 0; i < emulated.size(); ++i) {
    RC_ASSERT(std::bit_cast<std::uint64_t>(emulated[i]) ==
              std::bit_cast<std::uint64_t>(hardware[i]));
  }
  return emulated;
}

template <class Real>
std::vector<Real> transformed(const Doubles& a) {
  auto f = reals<Real>(a);
  Fft<Real>::forward(f);
  return f;
}

template <class Real>
std::vector<Real> inverted(std::vector<Real> f) {
  Fft<Real>::inverse(f);
  return f;
}

RC_GTEST_PROP(Fft, EvaluatesAtRootsOfUnityInBitReversedOrder, ()) {
  const std::size_t n = any_degree();
  const Doubles a = any_polynomial(n);
  const Doubles f = on_both([&]<class Real> { return transformed<Real>(a); });
  const int bits = std::countr_zero(n) - 1;
  Doubles expected(n);
  for (std::size_t i = 0; i < n / 2; ++i) {
    // The exponents are 1 modulo 4: of each pair of conjugates, the one that the split of x^n + 1
    // into x^(n/2) - i and its conjugate puts first.
    const auto exponent = static_cast<double>(4 * reversed_bits(i, bits) + 1);
    const std::complex<double> point =
        std::polar(1.0, std::numbers::pi * exponent / static_cast<double>(n));
    std::complex<double> value = 0, power = 1;
    for (const double c : a) {
      value += c * power;
      power *= point;
    }
    expected[i] = value.real();
    expected[i + n / 2] = value.imag();
  }
  expect_near(f, expected);
}

RC_GTEST_PROP(Fft, InverseUndoesForward, ()) {
  const Doubles a = any_polynomial(any_degree());
  expect_near(on_both([&]<class Real> { return inverted(transformed<Real>(a)); }), a);
}

RC_GTEST_PROP(Fft, MultipliesModuloTheCyclotomicPolynomial, ()) {
  const std::size_t n = any_degree();
  const Doubles a = any_polynomial(n), b = any_polynomial(n);
  const auto with = [&](auto operation, const Doubles& expected) {
    expect_near(on_both([&]<class Real> {
                  auto f = transformed<Real>(a);
                  operation(std::span<Real>(f), std::span<const Real>(transformed<Real>(b)));
                  return inverted(f);
                }),
                expected);
  };
  with([]<class Real>(std::span<Real> f, std::span<const Real> g) { Fft<Real>::multiply(f, g); },
       product(a, b));
  with([]<class Real>(std::span<Real> f,
                      std::span<const Real> g) { Fft<Real>::multiply_adjoint(f, g); },
       product(a, adjoint(b)));
  with([]<class Real>(std::span<Real> f,
                      std::span<const Real>) { Fft<Real>::multiply_self_adjoint(f); },
       product(a, adjoint(a)));
  with([]<class Real>(std::span<Real> f, std::span<const Real>) { Fft<Real>::adjoint(f); },
       adjoint(a));
}

RC_GTEST_PROP(Fft, AddsSubtractsNegatesAndScales, ()) {
  const std::size_t n = any_degree();
  const Doubles a = any_polynomial(n), b = any_polynomial(n);
  const Doubles f = on_both([&]<class Real> {
    auto x = reals<Real>(a);
    const auto y = reals<Real>(b);
    Fft<Real>::add(x, y);
    Fft<Real>::multiply_constant(x, Real::of(3));
    Fft<Real>::sub(x, y);
    Fft<Real>::neg(x);
    return x;
  });
  for (std::size_t i = 0; i < n; ++i) RC_ASSERT(f[i] == -((a[i] + b[i]) * 3 - b[i]));
}

// A polynomial without zeros near the roots of unity: its first coefficient outweighs the others.
Doubles invertible(std::size_t n) {
  Doubles a = any_polynomial(n);
  a[0] = 4000.0 * static_cast<double>(n);
  return a;
}

RC_GTEST_PROP(Fft, InverseNormDividesByTheSumOfSquares, ()) {
  const std::size_t n = any_degree();
  const Doubles a = any_polynomial(n), b = invertible(n), c = invertible(n);
  const Doubles bb = product(b, adjoint(b)), cc = product(c, adjoint(c));
  Doubles sum(n);
  for (std::size_t i = 0; i < n; ++i) sum[i] = bb[i] + cc[i];
  expect_near(on_both([&]<class Real> {
                auto f = transformed<Real>(product(a, sum));
                std::vector<Real> d(n);
                Fft<Real>::inverse_norm(d, transformed<Real>(b), transformed<Real>(c));
                Fft<Real>::multiply_by_self_adjoint(f, d);
                return inverted(f);
              }),
              a);
  expect_near(on_both([&]<class Real> {
                auto f = transformed<Real>(product(a, sum));
                Fft<Real>::divide_by_self_adjoint(f, transformed<Real>(sum));
                return inverted(f);
              }),
              a);
}

RC_GTEST_PROP(Fft, AddMultiplyAdjointIsTheSumOfTwoProducts, ()) {
  const std::size_t n = any_degree();
  const Doubles a = any_polynomial(n), b = any_polynomial(n), c = any_polynomial(n),
                d = any_polynomial(n);
  const Doubles left = product(a, adjoint(c)), right = product(b, adjoint(d));
  Doubles sum(n);
  for (std::size_t i = 0; i < n; ++i) sum[i] = left[i] + right[i];
  expect_near(on_both([&]<class Real> {
                std::vector<Real> out(n);
                Fft<Real>::add_multiply_adjoint(out, transformed<Real>(a), transformed<Real>(b),
                                                transformed<Real>(c), transformed<Real>(d));
                return inverted(out);
              }),
              sum);
}

// The Gram matrix of (a b; c d) is L D L*: g01 = l01 d00 with l01 = l10*, g11 = l10 d00 l10* + d11.
RC_GTEST_PROP(Fft, LdlMultipliesBackToTheGramMatrix, ()) {
  const std::size_t n = any_degree();
  const Doubles a = invertible(n), b = any_polynomial(n), c = any_polynomial(n), d = invertible(n);
  const auto run = [&]<class Real>(bool second) {
    const auto fa = transformed<Real>(a), fb = transformed<Real>(b), fc = transformed<Real>(c),
               fd = transformed<Real>(d);
    std::vector<Real> g00(n), g01(n), g11(n);
    Fft<Real>::add_multiply_adjoint(g00, fa, fb, fa, fb);
    Fft<Real>::add_multiply_adjoint(g01, fa, fb, fc, fd);
    Fft<Real>::add_multiply_adjoint(g11, fc, fd, fc, fd);
    auto l10 = g01, d11 = g11;
    Fft<Real>::ldl(g00, l10, d11);
    auto l01 = l10;
    Fft<Real>::adjoint(l01);
    auto back01 = l01;
    Fft<Real>::multiply(back01, g00);
    Fft<Real>::sub(back01, g01);
    auto back11 = l10;
    Fft<Real>::multiply(back11, g00);
    Fft<Real>::multiply(back11, l01);
    Fft<Real>::add(back11, d11);
    Fft<Real>::sub(back11, g11);
    return inverted(second ? back11 : back01);
  };
  const double scale = 16e6 * static_cast<double>(n * n);
  for (const bool second : {false, true}) {
    for (const double x :
         on_both([&]<class Real> { return run.template operator()<Real>(second); })) {
      RC_ASSERT(std::fabs(x) < 1e-11 * scale);
    }
  }
}

RC_GTEST_PROP(Fft, SplitSeparatesEvenAndOddCoefficientsAndMergeJoinsThem, ()) {
  const std::size_t n = any_degree() * 2;
  const Doubles a = any_polynomial(n);
  Doubles even, odd;
  for (std::size_t i = 0; i < n; i += 2) {
    even.push_back(a[i]);
    odd.push_back(a[i + 1]);
  }
  expect_near(on_both([&]<class Real> {
                std::vector<Real> f0(n / 2), f1(n / 2);
                Fft<Real>::split(f0, f1, transformed<Real>(a));
                return inverted(f0);
              }),
              even);
  expect_near(on_both([&]<class Real> {
                std::vector<Real> f0(n / 2), f1(n / 2);
                Fft<Real>::split(f0, f1, transformed<Real>(a));
                return inverted(f1);
              }),
              odd);
  expect_near(on_both([&]<class Real> {
                std::vector<Real> f(n);
                Fft<Real>::merge(f, transformed<Real>(even), transformed<Real>(odd));
                return inverted(f);
              }),
              a);
}

TEST(Fft, SplitAndMergeOfDegreeTwoMoveTheCoefficients) {
  const std::vector<HardwareReal> f = reals<HardwareReal>({3, 5});
  std::vector<HardwareReal> f0(1), f1(1), joined(2);
  Fft<HardwareReal>::split(f0, f1, f);
  EXPECT_EQ(f0[0].value, 3);
  EXPECT_EQ(f1[0].value, 5);
  Fft<HardwareReal>::merge(joined, f0, f1);
  EXPECT_EQ(doubles(joined), doubles(f));
}

TEST(Fft, BothBackEndsAgreeAtTheFullDegree) {
  Doubles a(kDegree);
  std::uint64_t state = 1;
  for (double& x : a) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    x = static_cast<double>(static_cast<std::int64_t>(state) >> 50);
  }
  const auto emulated = transformed<EmulatedReal>(a);
  const auto hardware = transformed<HardwareReal>(a);
  EXPECT_EQ(doubles(emulated), doubles(hardware));
  EXPECT_EQ(doubles(inverted(emulated)), doubles(inverted(hardware)));
}

}  // namespace
}  // namespace hm::falcon
