// SPDX-License-Identifier: Apache-2.0
// The exact part of Babai's reduction in the NTRU solver (Falcon specification §3.8.2, Algorithm 7
// lines 3 and 4): F - k·f and G - k·g for a polynomial k of 32-bit integers times a power of two.
// Two multiplications modulo x^n + 1 with the same result: in the residue number system, which is
// the faster one where the degree is high, and limb by limb.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/crypto/falcon/big_int.h"
#include "foundation/crypto/falcon/ntru_sizes.h"

namespace hm::falcon {

// The deepest level that multiplies in the residue number system.
inline constexpr unsigned kDeepestTransform = 4;
inline constexpr std::size_t kMaxTransformDegree = degree_at(2);
inline constexpr std::size_t kMaxDirectDegree = degree_at(kDeepestTransform + 1);

// Limbs of a coefficient of k·f. In the residue number system it has one limb more than f, as in
// the reference code, which is enough for the k that occur; limb by limb it has two more, which is
// enough for every k.
constexpr std::size_t product_limbs(unsigned depth) {
  return kReducedLimbs[depth] + (depth <= kDeepestTransform ? 1 : 2);
}

constexpr std::size_t max_product_size() {
  std::size_t size = 0;
  for (unsigned depth = 2; depth < kLogDegree; ++depth) {
    size = std::max(size, 2 * degree_at(depth) * product_limbs(depth));
  }
  return size;
}
inline constexpr std::size_t kMaxProductSize = max_product_size();

using Multiplier = std::span<const std::int32_t>;  // k

// Working memory of one multiplication; all secret.
struct ProductMemory {
  std::array<std::uint32_t, kMaxTransformDegree> transform;
  std::array<std::int64_t, 2 * kMaxDirectDegree> factors;
};

// The transforms of f and g modulo each of the small primes that a product has limbs: row u of
// `transforms` is modulo prime u, in Montgomery form.
void transform_pair(BigInts fg, BigInts transforms);
// product = k·f and k·g, from the transforms of f and g.
void multiply_transforms(Multiplier k, BigInts transforms, BigInts product, ProductMemory& memory);

// The same from f and g themselves. Requires: a degree of 2, 4, … kMaxDirectDegree.
void multiply_directly(Multiplier k, BigInts fg, BigInts product, ProductMemory& memory);

// minuend -= product·2^scale, modulo 2^31 to the length of the minuend.
void subtract_scaled(BigInts minuend, BigInts product, unsigned scale);

}  // namespace hm::falcon
