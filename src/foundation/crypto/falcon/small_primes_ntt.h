// SPDX-License-Identifier: Apache-2.0
// The number-theoretic transform modulo x^n + 1 and a small prime, for degrees n = 1, 2, 4, … 1024
// (Falcon specification §4.2.2).
//
// The transform of f holds f at the roots of x^n + 1, in the order in which the ring splits: places
// 2v and 2v + 1 hold f(w) and f(-w), and place v of a transform of half the degree belongs to w².
// So the transform of the norm f(x)·f(-x), a polynomial in x², is the product of neighbours.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/crypto/falcon/small_primes.h"

namespace hm::falcon {

class SmallNtt {
 public:
  // Transforms of up to `degree` coefficients, a power of two of at most 1024.
  SmallNtt(const SmallPrime& prime, std::size_t degree);

  const SmallPrime& prime() const { return prime_; }
  // In place; the degree is the number of coefficients given.
  void forward(std::span<std::uint32_t> f) const;
  void inverse(std::span<std::uint32_t> f) const;

 private:
  const SmallPrime& prime_;
  // Place m + i, i < m: the square root by which block i of m splits, in Montgomery form.
  std::array<std::uint32_t, kDegree> roots_;
};

}  // namespace hm::falcon
