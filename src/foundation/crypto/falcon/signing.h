// SPDX-License-Identifier: Apache-2.0
// The step of signing that needs real numbers: a short lattice vector for a hashed message
// (Algorithm 10, lines 3 to 8).
#pragma once

#include "foundation/crypto/falcon/polynomial.h"
#include "foundation/crypto/falcon/real.h"
#include "foundation/crypto/keccak/shake.h"

namespace hm::falcon {

// The secret basis [g -f; G -F].
struct SecretBasis {
  SmallView f, g, big_f, big_g;
};

// s2 of a vector (s1, s2) with s1 + s2 h = c whose norm is within the bound. Draws 56 bytes from
// `source` for each attempt; nearly always the first one succeeds. Both back ends give the same.
template <RealBackEnd Real>
void sample_short(const SecretBasis& basis, ResidueView c, keccak::Shake256& source, ShortSpan s2);

extern template void sample_short<EmulatedReal>(const SecretBasis&, ResidueView, keccak::Shake256&,
                                                ShortSpan);
extern template void sample_short<HardwareReal>(const SecretBasis&, ResidueView, keccak::Shake256&,
                                                ShortSpan);

}  // namespace hm::falcon
