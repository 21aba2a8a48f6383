// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "foundation/crypto/falcon/big_int_oracle_test.h"
#include "foundation/crypto/falcon/key_gaussian.h"
#include "foundation/crypto/falcon/ntru_solve.h"

namespace hm::falcon {
namespace {

using oracle::Integer;
using oracle::Polynomial;
using oracle::product;
using oracle::Table;

// f and g as a key could have them; sums are odd.
struct Pair {
  SmallPoly f, g;

  explicit Pair(std::uint8_t seed) {
    keccak::Shake256 source;
    source.absorb(std::array{seed});
    sample_key_polynomial(source, f);
    sample_key_polynomial(source, g);
  }
};

template <class Real>
std::unique_ptr<NtruMemory<Real>> new_memory() {
  return std::make_unique<NtruMemory<Real>>();
}

std::size_t bits_of(const Polynomial& poly) {
  std::size_t bits = 0;
  for (const Integer& x : poly) {
    if (x != 0) bits = std::max<std::size_t>(bits, msb(x < 0 ? Integer(-x) : x) + 1);
  }
  return bits;
}

// f·G - g·F.
Polynomial determinant(BigInts fg, BigInts big_fg) {
  Polynomial left = product(oracle::polynomial_of(fg, 0), oracle::polynomial_of(big_fg, 1));
  const Polynomial right = product(oracle::polynomial_of(fg, 1), oracle::polynomial_of(big_fg, 0));
  for (std::size_t i = 0; i < left.size(); ++i) left[i] -= right[i];
  return left;
}

Polynomial constant(const Integer& value, std::size_t degree) {
  Polynomial poly(degree);
  poly[0] = value;
  return poly;
}

TEST(NtruTower, EachDepthIsTheFieldNormOfTheOneAbove) {
  const Pair pair(1);
  const auto tower = std::make_unique<NtruTower>();
  tower->descend(pair.f, pair.g);
  for (std::size_t i = 0; i < kDegree; ++i) {
    EXPECT_EQ(oracle::value_of(tower->fg(0), i), pair.f[i]);
    EXPECT_EQ(oracle::value_of(tower->fg(0), kDegree + i), pair.g[i]);
  }
  for (unsigned depth = 0; depth < kLogDegree; ++depth) {
    for (const std::size_t half : {0UZ, 1UZ}) {
      const Polynomial f = oracle::polynomial_of(tower->fg(depth), half);
      Polynomial mirrored = f;
      for (std::size_t i = 1; i < f.size(); i += 2) mirrored[i] = -mirrored[i];
      const Polynomial whole = product(f, mirrored);
      const Polynomial norm = oracle::polynomial_of(tower->fg(depth + 1), half);
      for (std::size_t i = 0; i < norm.size(); ++i) {
        EXPECT_EQ(norm[i], whole[2 * i]) << depth;
        EXPECT_EQ(whole[2 * i + 1], 0) << depth;
      }
    }
  }
}

TEST(NtruSolve, HoldsTheEquationAndShortensTheSolutionAtEveryDepth) {
  const Pair pair(2);
  const auto memory = new_memory<HardwareReal>();
  NtruTower& tower = memory->tower;
  tower.descend(pair.f, pair.g);
  ASSERT_TRUE(solve_deepest(tower, memory->deepest));
  EXPECT_EQ(determinant(tower.fg(kLogDegree), tower.reduced(kLogDegree)), constant(kModulus, 1));
  for (unsigned depth = kLogDegree; depth-- > 1;) {
    const Polynomial expected = constant(kModulus, degree_at(depth));
    tower.lift(depth);
    EXPECT_EQ(determinant(tower.fg(depth), tower.unreduced(depth)), expected) << depth;
    ASSERT_TRUE(depth > 1 ? reduce(tower, depth, memory->reduce)
                          : reduce_next_to_top(tower, memory->next_to_top));
    EXPECT_EQ(determinant(tower.fg(depth), tower.reduced(depth)), expected) << depth;
    // Rounding leaves at most n/2 times f: half the bits of n, and the spread of coefficients.
    EXPECT_LE(bits_of(oracle::polynomial_of(tower.reduced(depth), 0)),
              bits_of(oracle::polynomial_of(tower.fg(depth), 0)) + 8)
        << depth;
  }
}

TEST(NtruSolve, GivesShortPolynomialsThatSolveTheEquation) {
  const Pair pair(2);
  const auto memory = new_memory<HardwareReal>();
  SmallPoly big_f{};
  SmallPoly big_g{};
  ASSERT_TRUE(solve_ntru(pair.f, pair.g, big_f, big_g, *memory));
  const auto polynomial = [](const SmallPoly& poly) {
    return Polynomial(poly.begin(), poly.end());
  };
  Polynomial left = product(polynomial(pair.f), polynomial(big_g));
  const Polynomial right = product(polynomial(pair.g), polynomial(big_f));
  for (std::size_t i = 0; i < kDegree; ++i) left[i] -= right[i];
  EXPECT_EQ(left, constant(kModulus, kDegree));
}

TEST(NtruSolve, RefusesPairsWithoutSolution) {
  const auto memory = new_memory<HardwareReal>();
  Pair pair(2);
  SmallPoly big_f{};
  SmallPoly big_g{};
  EXPECT_FALSE(solve_ntru(pair.f, pair.f, big_f, big_g, *memory)) << "a common divisor";
  pair.g[5] = static_cast<std::int8_t>(pair.g[5] + 1);
  EXPECT_FALSE(solve_ntru(pair.f, pair.g, big_f, big_g, *memory)) << "an even resultant";
}

Table random_table(std::mt19937_64& chance, std::size_t count, std::size_t length) {
  Table table(count, length);
  for (std::uint32_t& limb : table.limbs) limb = static_cast<std::uint32_t>(chance()) & kLimbMask;
  return table;
}

std::vector<std::int32_t> random_multiplier(std::mt19937_64& chance, std::size_t n) {
  std::vector<std::int32_t> k(n);
  for (std::int32_t& x : k) x = static_cast<std::int32_t>(chance());
  k[0] = INT32_MAX;
  k[n / 2] = -INT32_MAX;
  return k;
}

Polynomial wide(const std::vector<std::int32_t>& k) { return {k.begin(), k.end()}; }

TEST(NtruProduct, LimbByLimbIsTheProductOfAnyIntegers) {
  std::mt19937_64 chance(6);
  const auto memory = std::make_unique<ProductMemory>();
  for (std::size_t n = 2; n <= kMaxDirectDegree; n *= 2) {
    for (const std::size_t length : {1UZ, 7UZ, 20UZ}) {
      const Table fg = random_table(chance, 2 * n, length);
      const auto k = random_multiplier(chance, n);
      Table result(2 * n, length + 2);
      multiply_directly(k, fg.ints, result.ints, *memory);
      for (const std::size_t half : {0UZ, 1UZ}) {
        EXPECT_EQ(oracle::polynomial_of(result.ints, half),
                  product(wide(k), oracle::polynomial_of(fg.ints, half)));
      }
    }
  }
}

TEST(NtruProduct, ByTransformsIsTheSameAsLimbByLimb) {
  std::mt19937_64 chance(7);
  const auto memory = std::make_unique<ProductMemory>();
  for (std::size_t n = 2; n <= kMaxDirectDegree; n *= 2) {
    const Table fg = random_table(chance, 2 * n, 4);
    const auto k = random_multiplier(chance, n);
    Table direct(2 * n, 6);
    multiply_directly(k, fg.ints, direct.ints, *memory);
    Table transforms(2 * n, 6);
    Table transformed(2 * n, 6);
    transform_pair(fg.ints, transforms.ints);
    multiply_transforms(k, transforms.ints, transformed.ints, *memory);
    EXPECT_EQ(transformed.limbs, direct.limbs) << n;
  }
}

TEST(NtruProduct, IsSubtractedAtEveryScale) {
  std::mt19937_64 chance(8);
  for (unsigned scale = 0; scale < 5 * kLimbBits; ++scale) {
    const Table minuend = random_table(chance, 4, 6);
    const Table subtrahend = random_table(chance, 4, 3);
    Table result = minuend;
    result.ints.limbs = result.limbs.data();
    subtract_scaled(result.ints, subtrahend.ints, scale);
    for (std::size_t i = 0; i < 4; ++i) {
      Table expected(2, 6);
      oracle::store(oracle::value_of(minuend.ints, i) -
                        oracle::value_of(subtrahend.ints, i) * (Integer(1) << scale),
                    expected.ints, 0);
      EXPECT_EQ(oracle::value_of(result.ints, i), oracle::value_of(expected.ints, 0)) << scale;
    }
  }
}

TEST(NtruReduce, ApproximatesByTheSameNumbersOnBothBackEnds) {
  std::mt19937_64 chance(9);
  for (const std::size_t length : {1UZ, 2UZ, 5UZ, 10UZ}) {
    const Table table = random_table(chance, 8, length);
    std::vector<EmulatedReal> emulated(6);
    std::vector<HardwareReal> hardware(6);
    approximate<EmulatedReal>(table.ints, 2, emulated);
    approximate<HardwareReal>(table.ints, 2, hardware);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(emulated[i].to_bits(), hardware[i].to_bits());
      const auto exact = oracle::value_of(table.ints, 2 + i).convert_to<double>();
      EXPECT_NEAR(hardware[i].value / exact, 1.0, 0x1p-51) << length;
    }
  }
}

}  // namespace
}  // namespace hm::falcon
