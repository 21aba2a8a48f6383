// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/big_int.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <utility>

#include "foundation/crypto/falcon/big_int_bezout.h"
#include "foundation/crypto/falcon/big_int_oracle_test.h"

namespace hm::falcon {
namespace {

using oracle::Integer;
using oracle::Table;

Table random_table(std::size_t count, std::size_t length) {
  Table table(count, length);
  for (std::uint32_t& limb : table.limbs) {
    limb = *rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, kLimbMask + 1), rc::gen::just(0u),
                           rc::gen::just(kLimbMask));
  }
  return table;
}

RC_GTEST_PROP(BigInt, ResiduesAreThoseOfTheInteger, ()) {
  const auto count = 2 * *rc::gen::inRange<std::size_t>(1, 6);
  const Table table = random_table(count, *rc::gen::inRange<std::size_t>(1, 20));
  const SmallPrime& prime = small_primes()[*rc::gen::inRange<std::size_t>(0, 308)];
  std::vector<std::uint32_t> out(count);
  residues(table.ints, prime, out);
  for (std::size_t i = 0; i < count; ++i) {
    RC_ASSERT(out[i] == oracle::modulo(oracle::value_of(table.ints, i), prime.p));
  }
}

Integer product_of_primes(std::size_t count) {
  Integer product = 1;
  for (std::size_t u = 0; u < count; ++u) product *= small_primes()[u].p;
  return product;
}

Table residues_of(const std::vector<Integer>& values, std::size_t length) {
  Table table(values.size(), length);
  for (std::size_t u = 0; u < length; ++u) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      table.ints.row(u)[i] =
          static_cast<std::uint32_t>(oracle::modulo(values[i], small_primes()[u].p));
    }
  }
  return table;
}

TEST(BigInt, IsRebuiltFromItsResiduesUpToHalfTheProductOfThePrimes) {
  for (const std::size_t length : {1UZ, 2UZ, 3UZ, 5UZ, 40UZ, 209UZ, 308UZ}) {
    const Integer half = (product_of_primes(length) - 1) / 2;
    const std::vector<Integer> values = {
        0, 1, -1, half, -half, half - 1, -half + 1, half / 3, -half / 1000 - 1, 12289};
    Table table = residues_of(values, length);
    rebuild(table.ints, Sign::Signed);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(oracle::value_of(table.ints, i), values[i]) << length << " " << i;
    }
  }
}

TEST(BigInt, NonnegativeIsRebuiltUpToTheProductOfThePrimes) {
  for (const std::size_t length : {1UZ, 2UZ, 7UZ, 209UZ}) {
    const Integer product = product_of_primes(length);
    const std::vector<Integer> values = {0, 1, product - 1, product / 2 + 1};
    Table table = residues_of(values, length);
    rebuild(table.ints, Sign::Nonnegative);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(oracle::value_of(table.ints, i, Sign::Nonnegative), values[i]) << length;
    }
  }
}

RC_GTEST_PROP(BigInt, KeepsItsValueWhenItsSignIsExtended, ()) {
  const auto length = *rc::gen::inRange<std::size_t>(1, 5);
  Table table = random_table(4, length + *rc::gen::inRange<std::size_t>(0, 5));
  extend_sign(table.ints, length);
  for (std::size_t i = 0; i < 4; ++i) {
    RC_ASSERT(oracle::value_of(table.ints, i) == oracle::value_of(table.ints.first(length), i));
  }
}

struct Bezout {
  bool found = false;
  Integer u, v;
};

Bezout bezout_of(const Integer& x, const Integer& y) {
  const auto load = [](const Integer& value) {
    Resultant limbs;
    oracle::store(value, {limbs.data(), 1, kResultantLimbs}, 0);
    return limbs;
  };
  const auto memory = std::make_unique<BezoutMemory>();
  Resultant u;
  Resultant v;
  const bool found = bezout(load(x), load(y), u, v, *memory);
  return {found, oracle::value_of({u.data(), 1, kResultantLimbs}, 0, Sign::Nonnegative),
          oracle::value_of({v.data(), 1, kResultantLimbs}, 0, Sign::Nonnegative)};
}

Integer common_divisor(Integer a, Integer b) {
  while (b != 0) a = std::exchange(b, Integer(a % b));
  return a;
}

void expect_identity(const Integer& x, const Integer& y) {
  const auto [found, u, v] = bezout_of(x, y);
  const bool solvable = (x & 1) != 0 && (y & 1) != 0 && common_divisor(x, y) == 1;
  ASSERT_EQ(found, solvable) << x << " " << y;
  if (!found) return;
  EXPECT_EQ(x * u - y * v, 1);
  EXPECT_TRUE(u >= 0 && u < y && v >= 0 && v < x);
}

Integer random_integer(std::mt19937_64& chance, std::size_t bits) {
  Integer value = 0;
  for (std::size_t done = 0; done < bits; done += 64) value = (value << 64) + chance();
  return value & ((Integer(1) << bits) - 1);
}

TEST(Bezout, HoldsForIntegersOfEveryLength) {
  std::mt19937_64 chance(4);
  for (const std::size_t bits :
       {3UZ, 31UZ, 32UZ, 62UZ, 63UZ, 64UZ, 100UZ, 1000UZ, 6300UZ, 6479UZ}) {
    for (int i = 0; i < 20; ++i) {
      const Integer x = (random_integer(chance, bits) | 1) + 2;
      const Integer y = (random_integer(chance, 1 + chance() % bits) | 1) + 2;
      if (x >= oracle::power_of_limb(kResultantLimbs)) continue;
      expect_identity(x, y);
      expect_identity(y, x);
    }
  }
}

TEST(Bezout, HoldsAtTheEdges) {
  const Integer largest = oracle::power_of_limb(kResultantLimbs) - 1;
  const Integer power = Integer(1) << 6400;
  for (const Integer& x : {Integer(3), Integer(5), largest, Integer(largest - 2),
                           Integer(power + 1), Integer(power - 1)}) {
    for (const Integer& y : {Integer(3), Integer(7), largest, Integer(largest - 4),
                             Integer(power + 3), Integer(power - 1)}) {
      expect_identity(x, y);
    }
  }
}

TEST(Bezout, RefusesCommonDivisorsAndEvenIntegers) {
  std::mt19937_64 chance(5);
  for (int i = 0; i < 10; ++i) {
    const Integer x = random_integer(chance, 3000) | 1;
    const Integer y = random_integer(chance, 3000) | 1;
    const Integer common = random_integer(chance, 1 + chance() % 3000) | 3;
    EXPECT_FALSE(bezout_of(x * common, y * common).found);
    EXPECT_FALSE(bezout_of(x, x).found);
    EXPECT_FALSE(bezout_of(x + 1, y).found);
    EXPECT_FALSE(bezout_of(x, y + 1).found);
  }
}

}  // namespace
}  // namespace hm::falcon
