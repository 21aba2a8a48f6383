// SPDX-License-Identifier: Apache-2.0
// The NTRU equation fG - gF = q modulo x^1024 + 1 (Falcon specification §3.8.2, Algorithm 6):
// F and G with short coefficients for given f and g. The recursion is a loop, its memory one block
// of constant size. Constant time for a pair f, g that has a solution; one that has none is given
// up early.
#pragma once

#include "foundation/crypto/falcon/ntru_deepest.h"
#include "foundation/crypto/falcon/ntru_reduce.h"
#include "foundation/crypto/falcon/ntru_top.h"
#include "foundation/crypto/falcon/ntru_tower.h"
#include "foundation/crypto/falcon/real.h"

namespace hm::falcon {

// All secret: the owner wipes it.
template <RealBackEnd Real>
struct NtruMemory {
  NtruTower tower;
  DeepestMemory deepest;
  ReduceMemory<Real> reduce;
  NextToTopMemory<Real> next_to_top;
  TopMemory<Real> top;
};

// False if no solution was found, as for about one pair in ten; F and G are then of no use.
// Requires: the sums of the coefficients of f and of g are odd.
template <RealBackEnd Real>
bool solve_ntru(const SmallPoly& f, const SmallPoly& g, SmallPoly& big_f, SmallPoly& big_g,
                NtruMemory<Real>& memory);

extern template bool solve_ntru(const SmallPoly&, const SmallPoly&, SmallPoly&, SmallPoly&,
                                NtruMemory<EmulatedReal>&);
extern template bool solve_ntru(const SmallPoly&, const SmallPoly&, SmallPoly&, SmallPoly&,
                                NtruMemory<HardwareReal>&);

}  // namespace hm::falcon
