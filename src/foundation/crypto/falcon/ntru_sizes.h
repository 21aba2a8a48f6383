// SPDX-License-Identifier: Apache-2.0
// The sizes that the solver of the NTRU equation works with (Falcon specification §3.8.2, Algorithm
// 6): degree and length of the coefficients at each depth of its recursion. Depth 0 is the key
// itself, of degree 1024; each depth halves the degree, and depth 10 is a pair of integers. The
// lengths are those of the round-3 reference code, so that a pair (f, g) that it rejects because a
// value outgrows its room is rejected here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/falcon/parameters.h"

namespace hm::falcon {

using SmallPoly = std::array<std::int8_t, kDegree>;

constexpr std::size_t degree_at(unsigned depth) { return kDegree >> depth; }

// Limbs of 31 bits of a coefficient of f and g, and of the reduced F and G, at each depth.
inline constexpr std::array<std::size_t, kLogDegree + 1> kReducedLimbs = {1,  1,  2,  2,   4,  7,
                                                                          14, 27, 53, 106, 209};
// Limbs of a coefficient of F and G at each depth before they are reduced. At depth 0 all values
// fit one limb, so that one prime is enough.
inline constexpr std::array<std::size_t, kLogDegree> kUnreducedLimbs = {1,  2,  5,  7,   12,
                                                                        21, 40, 78, 157, 308};
inline constexpr std::size_t kResultantLimbs = kReducedLimbs[kLogDegree];
inline constexpr std::size_t kMaxLimbs = kUnreducedLimbs[kLogDegree - 1];

// Bits of the longest coefficient of f and g at each depth, as measured over many keys.
struct BitLength {
  int average;
  int deviation;
};
inline constexpr std::array<BitLength, kLogDegree + 1> kBitLength = {{{4, 0},
                                                                      {11, 1},
                                                                      {24, 1},
                                                                      {50, 1},
                                                                      {102, 1},
                                                                      {202, 2},
                                                                      {401, 4},
                                                                      {794, 5},
                                                                      {1577, 8},
                                                                      {3138, 13},
                                                                      {6308, 25}}};

}  // namespace hm::falcon
