// SPDX-License-Identifier: Apache-2.0
// The way down and the way up of the NTRU solver (Falcon specification §3.8.2, Algorithm 6):
// f and g at each depth, each the field norm of the one above (lines 8 and 9), and the solution of
// one depth lifted to the one above (lines 11 and 12), not reduced. Both multiply in the residue
// number system and the number-theoretic transform (§4.4.3).
//
// A pair of polynomials is one table of 2n integers: the coefficients of the first, then those of
// the second.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/falcon/big_int.h"
#include "foundation/crypto/falcon/ntru_sizes.h"

namespace hm::falcon {

// Limbs of f and g at all depths before `depth`.
constexpr std::size_t tower_limbs_before(unsigned depth) {
  std::size_t limbs = 0;
  for (unsigned d = 0; d < depth; ++d) limbs += 2 * degree_at(d) * kReducedLimbs[d];
  return limbs;
}
inline constexpr std::size_t kTowerLimbs = tower_limbs_before(kLogDegree + 1);

constexpr std::size_t max_pair_limbs(const auto& lengths, unsigned from) {
  std::size_t limbs = 0;
  for (unsigned d = from; d < lengths.size(); ++d) {
    limbs = std::max(limbs, 2 * degree_at(d) * lengths[d]);
  }
  return limbs;
}
inline constexpr std::size_t kSolutionLimbs = max_pair_limbs(kReducedLimbs, 1);
inline constexpr std::size_t kLiftedLimbs = max_pair_limbs(kUnreducedLimbs, 0);

// The integers of the solver; all are secret.
struct NtruTower {
  std::array<std::uint32_t, kTowerLimbs> norms;
  std::array<std::uint32_t, kSolutionLimbs> solution;
  std::array<std::uint32_t, kLiftedLimbs> lifted;
  std::array<std::uint32_t, 2 * kDegree> above;  // residues modulo one prime
  std::array<std::uint32_t, kDegree> below;

  // f and g at `depth`, 0 to 10.
  BigInts fg(unsigned depth) {
    return {norms.data() + tower_limbs_before(depth), 2 * degree_at(depth), kReducedLimbs[depth]};
  }
  // F and G at `depth`, 1 to 10, reduced.
  BigInts reduced(unsigned depth) {
    return {solution.data(), 2 * degree_at(depth), kReducedLimbs[depth]};
  }
  // F and G at `depth`, 0 to 9, while they are being reduced.
  BigInts unreduced(unsigned depth) {
    return {lifted.data(), 2 * degree_at(depth), kUnreducedLimbs[depth]};
  }

  // Fills fg() of all depths.
  void descend(const SmallPoly& f, const SmallPoly& g);
  // From fg(depth) and reduced(depth + 1) to unreduced(depth).
  void lift(unsigned depth);
};

}  // namespace hm::falcon
