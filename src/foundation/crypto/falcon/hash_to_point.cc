// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/hash_to_point.h"

#include <array>
#include <cstddef>

#include "foundation/crypto/keccak/shake.h"

namespace hm::falcon {

void hash_to_point(ResidueSpan c, std::span<const std::uint8_t, kNonceSize> nonce,
                   ByteView message) {
  // Line 1: the largest multiple of q that 16 bits hold. Samples above it would favour small
  // residues.
  constexpr std::uint32_t kSampleBound = 0x10000 / kModulus * kModulus;
  static_assert(kSampleBound == 61445);

  keccak::Shake256 shake;
  shake.absorb(nonce);
  shake.absorb(message);
  std::array<std::uint8_t, keccak::Shake256::kRate> block;
  std::size_t count = 0;
  while (count < kDegree) {
    shake.squeeze(block);
    for (std::size_t i = 0; i < block.size() && count < kDegree; i += 2) {
      const std::uint32_t sample = (std::uint32_t{block[i]} << 8) | block[i + 1];
      // A refused sample is overwritten by the next: one in sixteen is, too seldom to foresee.
      c[count] = static_cast<Residue>(sample % kModulus);
      count += static_cast<std::size_t>(sample < kSampleBound);
    }
  }
}

}  // namespace hm::falcon
