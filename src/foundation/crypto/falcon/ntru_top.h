// SPDX-License-Identifier: Apache-2.0
// Babai's reduction at the topmost two depths of the NTRU solver (Falcon specification §3.8.2,
// Algorithm 7), where all values are short enough for one pass: at depth 1 in real numbers alone,
// at depth 0 with sums and products exact modulo one prime.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/crypto/falcon/ntru_tower.h"
#include "foundation/crypto/falcon/real.h"

namespace hm::falcon {

template <RealBackEnd Real>
struct NextToTopMemory {
  std::array<Real, degree_at(1)> f, g, big_f, big_g, k;
  std::array<Real, degree_at(1) / 2> inverse_norm;
};

template <RealBackEnd Real>
struct TopMemory {
  std::array<Real, kDegree> dividend, divisor;
  std::array<std::uint32_t, 2 * kDegree> big_fg;  // residues, as in NtruTower::above
  std::array<std::uint32_t, kDegree> residues;
};

// From tower.fg(1) and tower.unreduced(1) to tower.reduced(1). False if a value is out of range.
template <RealBackEnd Real>
bool reduce_next_to_top(NtruTower& tower, NextToTopMemory<Real>& memory);

// From tower.fg(0) and tower.unreduced(0) to F and G. False if a coefficient is out of the range
// that a secret key encodes.
template <RealBackEnd Real>
bool reduce_top(NtruTower& tower, SmallPoly& big_f, SmallPoly& big_g, TopMemory<Real>& memory);

extern template bool reduce_next_to_top(NtruTower&, NextToTopMemory<EmulatedReal>&);
extern template bool reduce_next_to_top(NtruTower&, NextToTopMemory<HardwareReal>&);
extern template bool reduce_top(NtruTower&, SmallPoly&, SmallPoly&, TopMemory<EmulatedReal>&);
extern template bool reduce_top(NtruTower&, SmallPoly&, SmallPoly&, TopMemory<HardwareReal>&);

}  // namespace hm::falcon
