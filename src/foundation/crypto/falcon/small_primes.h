// SPDX-License-Identifier: Apache-2.0
// The small primes in whose residues the NTRU solver multiplies polynomials with big coefficients
// (Falcon specification §4.4.3, "RNS and NTT"). They are the largest primes below 2^31 that are 1
// modulo 2048, in descending order, so that each has a number-theoretic transform of degree 1024.
// The table is computed at first use from that rule.
//
// Residues are below p. Multiplication is Montgomery's with R = 2^32: of two plain residues it
// gives their product divided by R, of a plain one and one in Montgomery form (times R) the plain
// product. All of it runs in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/falcon/ntru_sizes.h"

namespace hm::falcon {

struct SmallPrime {
  std::uint32_t p;                // 2^30 < p < 2^31
  std::uint32_t negated_inverse;  // -1/p mod 2^32
  std::uint32_t r2;               // R^2 mod p: R in Montgomery form
  std::uint32_t limb;             // 2^31 in Montgomery form
  std::uint32_t limb_pair;        // 2^62 in Montgomery form
  std::uint32_t root;             // a primitive 2048th root of unity, in Montgomery form
  std::uint32_t product_inverse;  // inverse of the product of all larger primes, Montgomery form

  // value if it is below p, else value - p. Requires: value < 2p, or value < p + 2^31.
  constexpr std::uint32_t reduce_once(std::uint32_t value) const {
    const std::uint32_t less = value - p;
    return less + (p & (0u - (less >> 31)));
  }
  constexpr std::uint32_t add(std::uint32_t a, std::uint32_t b) const { return reduce_once(a + b); }
  constexpr std::uint32_t sub(std::uint32_t a, std::uint32_t b) const {
    const std::uint32_t less = a - b;
    return less + (p & (0u - (less >> 31)));
  }
  // A value below 2^31 that is sum/R modulo p; below p if sum < p·R. Requires: sum < 2^63.
  constexpr std::uint32_t reduce(std::uint64_t sum) const {
    const std::uint32_t quotient = static_cast<std::uint32_t>(sum) * negated_inverse;
    return reduce_once(static_cast<std::uint32_t>((sum + std::uint64_t{quotient} * p) >> 32));
  }
  // a·b/R mod p. Requires: b < p; a may be any word.
  constexpr std::uint32_t mul(std::uint32_t a, std::uint32_t b) const {
    return reduce(std::uint64_t{a} * b);
  }
  constexpr std::uint32_t to_montgomery(std::uint32_t a) const { return mul(a, r2); }
  // The plain product of two plain residues.
  constexpr std::uint32_t mul_plain(std::uint32_t a, std::uint32_t b) const {
    return mul(a, to_montgomery(b));
  }
  constexpr std::uint32_t from_signed(std::int32_t value) const {
    std::uint32_t word = static_cast<std::uint32_t>(value);
    word += p & (0u - (word >> 31));
    word += p & (0u - (word >> 31));  // a value below -p needs p twice
    return reduce_once(word);
  }
  // The representative in [-(p-1)/2, (p-1)/2].
  constexpr std::int32_t to_signed(std::uint32_t a) const {
    const std::uint32_t above_half = ((p >> 1) - a) >> 31;
    return static_cast<std::int32_t>(a - (p & (0u - above_half)));
  }
  // base^exponent, both of base and result in Montgomery form. For public values: the time depends
  // on the exponent.
  constexpr std::uint32_t power(std::uint32_t base, std::uint32_t exponent) const {
    std::uint32_t result = to_montgomery(1);
    for (; exponent != 0; exponent >>= 1) {
      if ((exponent & 1) != 0) result = mul(result, base);
      base = mul(base, base);
    }
    return result;
  }
  constexpr std::uint32_t inverse(std::uint32_t base) const { return power(base, p - 2); }
};

using SmallPrimes = std::array<SmallPrime, kMaxLimbs>;

const SmallPrimes& small_primes();

}  // namespace hm::falcon
