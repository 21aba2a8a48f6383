// SPDX-License-Identifier: Apache-2.0
// The bottom of the NTRU solver (Falcon specification §3.8.2, Algorithm 6 lines 1-6): at depth 10
// f and g are integers, the resultants of the polynomials with X^n + 1, and F and G come out of
// their greatest common divisor.
#pragma once

#include "foundation/crypto/falcon/big_int_bezout.h"
#include "foundation/crypto/falcon/ntru_tower.h"

namespace hm::falcon {

struct DeepestMemory {
  Resultant f, g, big_f, big_g;
  BezoutMemory bezout;
};

// From tower.fg(10) to tower.reduced(10). False if the resultants have a common divisor, or if F or
// G outgrows its limbs: this pair f, g is then given up.
bool solve_deepest(NtruTower& tower, DeepestMemory& memory);

}  // namespace hm::falcon
