// SPDX-License-Identifier: Apache-2.0
// Big integers of fixed length for the NTRU solver (Falcon specification §4.4.3), as tables: row w
// holds limb w of each integer, low limb first, 31 bits a limb, negative values in two's complement
// over the whole length. In the residue number system row u holds the residues modulo small prime u
// instead. Rows make the transforms contiguous, and let the chains of carries of several integers
// run side by side.
// All in constant time: lengths and counts are public, limbs are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/crypto/falcon/small_primes.h"

namespace hm::falcon {

inline constexpr unsigned kLimbBits = 31;
inline constexpr std::uint32_t kLimbMask = (std::uint32_t{1} << kLimbBits) - 1;

// A borrowed table.
struct BigInts {
  std::uint32_t* limbs;
  std::size_t count;   // integers; an even number
  std::size_t length;  // limbs of each

  std::size_t size() const { return count * length; }
  std::span<std::uint32_t> row(std::size_t w) const { return {limbs + w * count, count}; }
  // The same integers without their lowest limbs, or without their highest.
  BigInts from(std::size_t w) const { return {limbs + w * count, count, length - w}; }
  BigInts first(std::size_t w) const { return {limbs, count, w}; }
};

// All ones over one limb if the integer with this highest limb is negative, else zero.
constexpr std::uint32_t sign_limb(std::uint32_t highest) {
  return (0u - (highest >> (kLimbBits - 1))) & kLimbMask;
}

// The value of an integer's highest limb, sign included.
constexpr std::int64_t signed_limb(std::uint32_t highest) {
  return static_cast<std::int32_t>(highest << 1) >> 1;
}

enum class Sign : std::uint8_t { Signed, Nonnegative };

// Each integer modulo `prime`. Requires: out.size() == integers.count, length at least 1.
void residues(BigInts integers, const SmallPrime& prime, std::span<std::uint32_t> out);

// From the residue number system with the first `length` small primes to limbs, in place: the
// integer in [0, P) with these residues, P the product of the primes, or the one in (-P/2, P/2).
void rebuild(BigInts integers, Sign sign);

// Fills the rows from `length` on with the sign of what is below.
void extend_sign(BigInts integers, std::size_t length);

}  // namespace hm::falcon
