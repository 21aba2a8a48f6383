// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/ntru_deepest.h"

#include "foundation/crypto/constant_time.h"

namespace hm::falcon {
namespace {

// value = value·q; false if that is too long.
bool multiply_by_modulus(Resultant& value) {
  std::uint32_t carry = 0;
  for (std::uint32_t& limb : value) {
    const std::uint64_t product = std::uint64_t{limb} * kModulus + carry;
    limb = static_cast<std::uint32_t>(product) & kLimbMask;
    carry = static_cast<std::uint32_t>(product >> kLimbBits);
  }
  return crypto::declassified(carry == 0);
}

}  // namespace

bool solve_deepest(NtruTower& tower, DeepestMemory& memory) {
  auto& [f, g, big_f, big_g, bezout_memory] = memory;
  const BigInts norms = tower.fg(kLogDegree);
  for (std::size_t w = 0; w < kResultantLimbs; ++w) {
    f[w] = norms.row(w)[0];
    g[w] = norms.row(w)[1];
  }
  if (!bezout(f, g, big_g, big_f, bezout_memory)) return false;
  if (!multiply_by_modulus(big_f) || !multiply_by_modulus(big_g)) return false;
  const BigInts solution = tower.reduced(kLogDegree);
  for (std::size_t w = 0; w < kResultantLimbs; ++w) {
    solution.row(w)[0] = big_f[w];
    solution.row(w)[1] = big_g[w];
  }
  return true;
}

}  // namespace hm::falcon
