// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/small_primes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "foundation/crypto/falcon/small_primes_ntt.h"

namespace hm::falcon {
namespace {

using Values = std::vector<std::uint32_t>;

constexpr std::uint64_t kR = std::uint64_t{1} << 32;

std::uint32_t product_mod(std::uint64_t a, std::uint64_t b, std::uint32_t p) {
  return static_cast<std::uint32_t>((a % p) * (b % p) % p);
}

std::uint32_t plain(const SmallPrime& prime, std::uint32_t montgomery) {
  return prime.mul(montgomery, 1);
}

TEST(SmallPrimes, AreTheLargestBelowTwoTo31ThatAreOneModulo2048) {
  std::vector<std::uint32_t> divisors;  // all primes up to the root of 2^31
  for (std::uint32_t n = 2; n <= 46341; ++n) {
    bool prime = true;
    for (const std::uint32_t d : divisors) {
      if (d * d > n) break;
      prime = prime && n % d != 0;
    }
    if (prime) divisors.push_back(n);
  }
  std::uint32_t candidate = 0x80000001u;
  for (const SmallPrime& prime : small_primes()) {
    bool is_prime = false;
    while (!is_prime) {
      candidate -= 2048;
      is_prime =
          std::ranges::none_of(divisors, [&](std::uint32_t d) { return candidate % d == 0; });
    }
    EXPECT_EQ(prime.p, candidate);
  }
}

TEST(SmallPrimes, CarryTheConstantsOfTheirNames) {
  for (std::size_t i = 0; i < small_primes().size(); ++i) {
    const SmallPrime& prime = small_primes()[i];
    const std::uint32_t p = prime.p;
    EXPECT_EQ(p * prime.negated_inverse, 0xffffffffu);
    EXPECT_EQ(prime.r2, product_mod(kR, kR, p));
    EXPECT_EQ(plain(prime, prime.limb), (std::uint64_t{1} << 31) % p);
    EXPECT_EQ(plain(prime, prime.limb_pair), (std::uint64_t{1} << 62) % p);
    std::uint32_t power = plain(prime, prime.root);
    for (int squares = 0; squares < 10; ++squares) power = product_mod(power, power, p);
    EXPECT_EQ(power, p - 1) << "so that the order of the root is 2048";
    std::uint32_t product = plain(prime, prime.product_inverse);
    for (std::size_t j = 0; j < i; ++j) product = product_mod(product, small_primes()[j].p, p);
    EXPECT_EQ(product, 1u);
  }
}

const SmallPrime& any_prime() {
  return small_primes()[*rc::gen::inRange<std::size_t>(0, small_primes().size())];
}

std::uint32_t any_below(std::uint32_t limit) {
  // The edges are the values that go wrong.
  return *rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, limit), rc::gen::just(0u),
                         rc::gen::just(limit - 1), rc::gen::just(limit / 2),
                         rc::gen::just(limit / 2 + 1));
}

RC_GTEST_PROP(SmallPrimes, ComputeModuloP, ()) {
  const SmallPrime& prime = any_prime();
  const std::uint32_t p = prime.p;
  const std::uint32_t a = any_below(p);
  const std::uint32_t b = any_below(p);
  RC_ASSERT(prime.add(a, b) == (std::uint64_t{a} + b) % p);
  RC_ASSERT(prime.sub(a, b) == (std::uint64_t{a} + p - b) % p);
  RC_ASSERT(product_mod(prime.mul(a, b), kR, p) == product_mod(a, b, p));
  RC_ASSERT(prime.mul(a, b) < p);
  RC_ASSERT(prime.mul_plain(a, b) == product_mod(a, b, p));
  RC_ASSERT(prime.to_montgomery(a) == product_mod(a, kR, p));
}

RC_GTEST_PROP(SmallPrimes, ReduceAnySumBelowTwoTo63, ()) {
  const SmallPrime& prime = any_prime();
  const auto sum = *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 63),
                                   rc::gen::just((std::uint64_t{1} << 63) - 1));
  const std::uint32_t reduced = prime.reduce(sum);
  RC_ASSERT(reduced < std::uint32_t{1} << 31);
  RC_ASSERT(product_mod(reduced, kR, prime.p) == sum % prime.p);
}

RC_GTEST_PROP(SmallPrimes, TakeAndGiveSignedIntegers, ()) {
  const SmallPrime& prime = any_prime();
  const std::int64_t p = prime.p;
  const auto value = *rc::gen::oneOf(rc::gen::arbitrary<std::int32_t>(), rc::gen::just(INT32_MIN),
                                     rc::gen::just(INT32_MAX));
  RC_ASSERT(prime.from_signed(value) == (value % p + p) % p);
  const std::uint32_t residue = any_below(prime.p);
  const std::int64_t back = prime.to_signed(residue);
  RC_ASSERT((back + p) % p == residue);
  RC_ASSERT(2 * back < p);
  RC_ASSERT(2 * back > -p);
}

Values random_values(std::mt19937_64& chance, std::size_t count, std::uint32_t p) {
  Values values(count);
  for (std::uint32_t& value : values) value = static_cast<std::uint32_t>(chance() % p);
  return values;
}

Values school_product(const Values& a, const Values& b, std::uint32_t p) {
  const std::size_t n = a.size();
  Values c(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const std::uint32_t x = product_mod(a[i], b[j], p);
      std::uint32_t& target = c[(i + j) % n];
      target = static_cast<std::uint32_t>((std::uint64_t{target} + (i + j < n ? x : p - x)) % p);
    }
  }
  return c;
}

TEST(SmallPrimesNtt, MultipliesModuloXToTheNPlusOneAtEveryDegree) {
  std::mt19937_64 chance(1);
  for (const std::size_t index : {0UZ, 307UZ}) {
    const SmallPrime& prime = small_primes()[index];
    for (std::size_t n = 1; n <= kDegree; n *= 2) {
      // The tables of a higher degree serve as well.
      for (const std::size_t degree : {n, kDegree}) {
        const SmallNtt ntt(prime, degree);
        Values a = random_values(chance, n, prime.p);
        Values b = random_values(chance, n, prime.p);
        const Values expected = school_product(a, b, prime.p);
        ntt.forward(a);
        ntt.forward(b);
        for (std::size_t i = 0; i < n; ++i) a[i] = prime.mul_plain(a[i], b[i]);
        ntt.inverse(a);
        EXPECT_EQ(a, expected) << n;
      }
    }
  }
}

TEST(SmallPrimesNtt, NeighboursMultiplyToTheTransformOfTheNorm) {
  std::mt19937_64 chance(2);
  const SmallPrime& prime = small_primes()[3];
  for (std::size_t n = 2; n <= 64; n *= 2) {
    Values f = random_values(chance, n, prime.p);
    Values mirrored = f;  // f(-x)
    for (std::size_t i = 1; i < n; i += 2) mirrored[i] = prime.sub(0, mirrored[i]);
    const Values whole = school_product(f, mirrored, prime.p);
    const SmallNtt ntt(prime, n);
    ntt.forward(f);
    Values norm(n / 2);
    for (std::size_t v = 0; v < n / 2; ++v) norm[v] = prime.mul_plain(f[2 * v], f[2 * v + 1]);
    ntt.inverse(norm);
    for (std::size_t v = 0; v < n / 2; ++v) {
      EXPECT_EQ(norm[v], whole[2 * v]);
      EXPECT_EQ(whole[2 * v + 1], 0u);
    }
  }
}

TEST(SmallPrimesNtt, TheAdjointHasTheTransformInReverseOrder) {
  std::mt19937_64 chance(3);
  const SmallPrime& prime = small_primes()[0];
  Values f = random_values(chance, kDegree, prime.p);
  Values adjoint = f;  // f(1/x)
  for (std::size_t i = 1; i < kDegree; ++i) adjoint[i] = prime.sub(0, f[kDegree - i]);
  const SmallNtt ntt(prime, kDegree);
  ntt.forward(f);
  ntt.forward(adjoint);
  EXPECT_TRUE(std::ranges::equal(adjoint.rbegin(), adjoint.rend(), f.begin(), f.end()));
}

}  // namespace
}  // namespace hm::falcon
