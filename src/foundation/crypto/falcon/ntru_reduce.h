// SPDX-License-Identifier: Apache-2.0
// Babai's reduction of F and G by f and g at the depths of the NTRU solver between the deepest and
// the topmost two (Falcon specification §3.8.2, Algorithm 7; §4.4.3, "Babai's Reduction"). It
// repeats: approximate the highest limbs by real numbers, divide in the FFT, round the quotient to
// 32-bit integers k, and subtract k·f and k·g exactly. The number of repetitions, and the limbs
// that each looks at, depend on the depth alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/crypto/falcon/ntru_product.h"
#include "foundation/crypto/falcon/ntru_tower.h"
#include "foundation/crypto/falcon/real.h"

namespace hm::falcon {

// The integers of a table from `first` on as real numbers, each summed from its lowest limb to its
// highest.
template <RealBackEnd Real>
void approximate(BigInts integers, std::size_t first, std::span<Real> out);

// Whether all are less than `limit` in absolute value. The verdict is public: where it is false,
// the pair f, g is given up.
template <RealBackEnd Real>
bool all_below(std::span<const Real> values, Real limit);

template <RealBackEnd Real>
struct ReduceMemory {
  static constexpr std::size_t kMaxDegree = degree_at(2);
  std::array<Real, kMaxDegree> f, g, big_f, big_g;
  std::array<Real, kMaxDegree / 2> inverse_norm;
  std::array<std::int32_t, kMaxDegree> k;
  std::array<std::uint32_t, kMaxProductSize> product;
  std::array<std::uint32_t, kMaxProductSize> transforms;
  ProductMemory multiplication;
};

// From tower.fg(depth) and tower.unreduced(depth) to tower.reduced(depth), 2 <= depth <= 9. False
// if a quotient is out of range: this pair f, g is then given up.
template <RealBackEnd Real>
bool reduce(NtruTower& tower, unsigned depth, ReduceMemory<Real>& memory);

extern template bool all_below(std::span<const EmulatedReal>, EmulatedReal);
extern template bool all_below(std::span<const HardwareReal>, HardwareReal);
extern template void approximate(BigInts, std::size_t, std::span<EmulatedReal>);
extern template void approximate(BigInts, std::size_t, std::span<HardwareReal>);
extern template bool reduce(NtruTower&, unsigned, ReduceMemory<EmulatedReal>&);
extern template bool reduce(NtruTower&, unsigned, ReduceMemory<HardwareReal>&);

}  // namespace hm::falcon
