// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/small_primes.h"

namespace hm::falcon {
namespace {

constexpr std::uint32_t kOrder = 2 * kDegree;  // of the roots of unity

std::uint32_t mul_mod(std::uint32_t a, std::uint32_t b, std::uint32_t m) {
  return static_cast<std::uint32_t>(std::uint64_t{a} * b % m);
}

// Strong probable prime to `base` (Miller-Rabin). Requires: odd candidate > base.
bool passes(std::uint32_t candidate, std::uint32_t base) {
  std::uint32_t exponent = candidate - 1;
  unsigned twos = 0;
  for (; exponent % 2 == 0; exponent /= 2) ++twos;
  std::uint32_t x = 1;
  for (std::uint32_t square = base; exponent != 0; exponent /= 2) {
    if (exponent % 2 != 0) x = mul_mod(x, square, candidate);
    square = mul_mod(square, square, candidate);
  }
  bool good = x == 1 || x == candidate - 1;
  for (unsigned i = 1; i < twos && !good; ++i) {
    x = mul_mod(x, x, candidate);
    good = x == candidate - 1;
  }
  return good;
}

// These four bases leave no composite below 3 215 031 751 (Pomerance, Selfridge, Wagstaff 1980).
bool is_prime(std::uint32_t candidate) {
  return passes(candidate, 2) && passes(candidate, 3) && passes(candidate, 5) &&
         passes(candidate, 7);
}

SmallPrime describe(std::uint32_t p) {
  SmallPrime prime{};
  prime.p = p;
  std::uint32_t inverse = p;  // correct to 3 bits; each step doubles them
  for (unsigned bits = 3; bits < 32; bits *= 2) inverse *= 2 - p * inverse;
  prime.negated_inverse = 0 - inverse;
  const std::uint32_t r = static_cast<std::uint32_t>((std::uint64_t{1} << 32) % p);
  prime.r2 = mul_mod(r, r, p);
  prime.limb = prime.to_montgomery((std::uint32_t{1} << 31) - p);
  prime.limb_pair = prime.mul(prime.limb, prime.limb);

  // x^((p-1)/2048) has an order that divides 2048, and exactly 2048 if its 1024th power is -1.
  const std::uint32_t minus_one = p - prime.to_montgomery(1);
  for (std::uint32_t x = 2;; ++x) {
    prime.root = prime.power(prime.to_montgomery(x), (p - 1) / kOrder);
    if (prime.power(prime.root, kOrder / 2) == minus_one) break;
  }
  return prime;
}

SmallPrimes compute() {
  SmallPrimes primes;
  std::uint32_t candidate = (std::uint32_t{1} << 31) + 1;
  for (std::size_t i = 0; i < primes.size(); ++i) {
    do candidate -= kOrder;
    while (!is_prime(candidate));
    SmallPrime& prime = primes[i];
    prime = describe(candidate);
    std::uint32_t product = prime.to_montgomery(1);
    for (std::size_t j = 0; j < i; ++j) {
      product = prime.mul(product, prime.to_montgomery(primes[j].p - prime.p));
    }
    prime.product_inverse = prime.inverse(product);
  }
  return primes;
}

}  // namespace

const SmallPrimes& small_primes() {
  static const SmallPrimes primes = compute();
  return primes;
}

}  // namespace hm::falcon
