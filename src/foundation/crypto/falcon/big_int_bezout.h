// SPDX-License-Identifier: Apache-2.0
// The extended greatest common divisor of two resultants, by the binary algorithm in constant time
// (Falcon specification §4.4.3, "Binary GCD"), 31 steps at a time.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/crypto/falcon/big_int.h"

namespace hm::falcon {

using Resultant = std::array<std::uint32_t, kResultantLimbs>;
// One limb more than the modulus, for a sign and a multiple of it.
using Cofactor = std::array<std::uint32_t, kResultantLimbs + 1>;

// Working memory; holds secrets when bezout() returns.
struct BezoutMemory {
  Resultant a, b;
  Cofactor u0, v0, u1, v1;
};

// If x and y are odd and have no common divisor: true, and 0 <= u < y, 0 <= v < x with
// x·u - y·v = 1. Otherwise false, and u and v hold nothing of use. Requires: x and y greater
// than 1.
bool bezout(const Resultant& x, const Resultant& y, Resultant& u, Resultant& v,
            BezoutMemory& memory);

}  // namespace hm::falcon
