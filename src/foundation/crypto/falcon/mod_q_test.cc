// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/mod_q.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

namespace hm::falcon {
namespace {

using Residues = std::array<Residue, kDegree>;
using Small = std::array<std::int8_t, kDegree>;

Residues random_residues(std::mt19937_64& chance) {
  Residues r;
  for (Residue& x : r) x = static_cast<Residue>(chance() % kModulus);
  return r;
}

Small random_small(std::mt19937_64& chance, int bound) {
  Small s;
  for (std::int8_t& x : s) {
    x = static_cast<std::int8_t>(static_cast<int>(chance() % static_cast<unsigned>(2 * bound + 1)) -
                                 bound);
  }
  return s;
}

Residues residues(const Small& s) {
  Residues r;
  std::ranges::transform(s, r.begin(), [](std::int8_t x) { return residue_of(x); });
  return r;
}

// By the school method, modulo x^1024 + 1.
Residues product(const Residues& a, const Residues& b) {
  std::array<std::int64_t, kDegree> c{};
  for (std::size_t i = 0; i < kDegree; ++i) {
    for (std::size_t j = 0; j < kDegree; ++j) {
      const std::int64_t x = std::int64_t{a[i]} * b[j];
      if (i + j < kDegree) {
        c[i + j] += x;
      } else {
        c[i + j - kDegree] -= x;
      }
    }
  }
  Residues r;
  constexpr std::int64_t q = kModulus;
  std::ranges::transform(c, r.begin(),
                         [](std::int64_t x) { return static_cast<Residue>(((x % q) + q) % q); });
  return r;
}

TEST(ModQ, ResiduesOfSmallIntegersAreCentredBack) {
  const int q = kModulus;
  for (int x = -q; x < q; ++x) {
    const Residue r = residue_of(x);
    ASSERT_EQ(r, (x + q) % q);
    const int c = centred(r);
    ASSERT_EQ((c - x) % q, 0);
    ASSERT_LE(2 * std::abs(c), q);
  }
}

TEST(ModQ, InverseNttUndoesNtt) {
  std::mt19937_64 chance(1);
  const Residues a = random_residues(chance);
  Residues b = a;
  ntt(b);
  EXPECT_NE(a, b);
  inverse_ntt(b);
  EXPECT_EQ(a, b);
}

TEST(ModQ, AllBackEndsTransformAlike) {
  std::mt19937_64 chance(8);
  for (const crypto::Backend backend : crypto::supported_backends()) {
    const Residues a = random_residues(chance);
    Residues portable = a, vector = a;
    ntt(portable, crypto::Backend::Portable);
    ntt(vector, backend);
    EXPECT_EQ(portable, vector) << name_of(backend);
    inverse_ntt(vector, backend);
    EXPECT_EQ(vector, a) << name_of(backend);
  }
}

TEST(ModQ, TransformsOfExtremesStayInRange) {
  for (const Residue value : {Residue{0}, Residue{1}, Residue{kModulus - 1}}) {
    Residues a;
    a.fill(value);
    const Residues before = a;
    ntt(a);
    EXPECT_LT(*std::ranges::max_element(a), kModulus);
    inverse_ntt(a);
    EXPECT_EQ(a, before);
  }
}

TEST(ModQ, MultipliesModuloTheCyclotomicPolynomial) {
  std::mt19937_64 chance(2);
  for (int round = 0; round < 4; ++round) {
    const Residues a = random_residues(chance);
    const Residues b = random_residues(chance);
    Residues x = a, y = b;
    ntt(x);
    ntt(y);
    multiply_ntt(x, y);
    inverse_ntt(x);
    EXPECT_EQ(x, product(a, b));
  }
}

TEST(ModQ, DivisionUndoesMultiplication) {
  std::mt19937_64 chance(3);
  const Residues a = random_residues(chance);
  Residues x = a, y = random_residues(chance);
  for (Residue& value : y) value = std::max<Residue>(value, 1);
  multiply_ntt(x, y);
  ASSERT_TRUE(divide_ntt(x, y));
  EXPECT_EQ(x, a);
}

TEST(ModQ, DivisionByAPolynomialWithoutInverseIsRefused) {
  std::mt19937_64 chance(4);
  for (const std::size_t zero : {std::size_t{0}, std::size_t{500}, kDegree - 1}) {
    Residues a = random_residues(chance);
    Residues b;
    b.fill(7);
    b[zero] = 0;
    EXPECT_FALSE(divide_ntt(a, b));
  }
}

TEST(ModQ, PublicKeyTimesFIsG) {
  std::mt19937_64 chance(15);
  const Small f = random_small(chance, 15);
  const Small g = random_small(chance, 15);
  Residues h;
  ASSERT_TRUE(compute_public(h, f, g));
  EXPECT_EQ(product(h, residues(f)), residues(g));
}

// f G - g F with f = 1 and G = g F is 0, which is q only modulo q. That solutions are accepted is
// seen where keys are generated.
TEST(ModQ, AnNtruEquationThatHoldsOnlyModuloQIsRefused) {
  std::mt19937_64 chance(6);
  const Small big_f = random_small(chance, 60);
  Small one{}, g{}, big_g;
  one[0] = 1;
  g[3] = 2;
  EXPECT_FALSE(complete_private(big_g, one, g, big_f));
  EXPECT_EQ(residues(big_g), product(residues(g), residues(big_f)));
}

TEST(ModQ, AnFWhoseGIsNotSmallIsRefused) {
  std::mt19937_64 chance(17);
  const Small f = random_small(chance, 15);
  const Small g = random_small(chance, 15);
  Residues h;
  ASSERT_TRUE(compute_public(h, f, g));
  Small big_g;
  EXPECT_FALSE(complete_private(big_g, f, g, random_small(chance, 60)));
}

TEST(ModQ, AnFWithoutInverseIsRefused) {
  const Small zero{};
  Small one{}, out;
  one[0] = 1;
  Residues h;
  EXPECT_FALSE(compute_public(h, zero, one));
  EXPECT_FALSE(complete_private(out, zero, one, one));
}

}  // namespace
}  // namespace hm::falcon
