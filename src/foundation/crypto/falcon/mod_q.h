// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo q = 12289 and x^1024 + 1 by the number theoretic transform (Falcon
// specification, section 3.5), in constant time: no division and no branch on coefficients, so
// that it serves public and secret polynomials alike.
//
// Residues are the integers 0 to q-1. The order of the values in NTT form is this module's own: it
// is good for the operations below and for nothing else.
#pragma once

#include <cstdint>

#include "foundation/crypto/backend.h"
#include "foundation/crypto/falcon/polynomial.h"

namespace hm::falcon {

// The residue of an integer between -q and q-1.
constexpr Residue residue_of(std::int32_t x) {
  return static_cast<Residue>(x + (static_cast<std::int32_t>(kModulus) & (x >> 31)));
}

// The integer between -q/2 and q/2 with this residue.
constexpr std::int32_t centred(Residue x) {
  const auto modulus = static_cast<std::int32_t>(kModulus);
  return x - (modulus & ((modulus / 2 - x) >> 31));
}

// To NTT form and back. All back ends give the same residues.
void ntt(ResidueSpan a, crypto::Backend backend = crypto::fastest_backend());
void inverse_ntt(ResidueSpan a, crypto::Backend backend = crypto::fastest_backend());

// In NTT form: a *= b, and a /= b. The division answers false if b has no inverse; a is then of no
// use. That answer is all that its time depends on.
void multiply_ntt(ResidueSpan a, ResidueView b);
[[nodiscard]] bool divide_ntt(ResidueSpan a, ResidueView b);

// h = g / f (Algorithm 4 line 9). False if f has no inverse.
[[nodiscard]] bool compute_public(ResidueSpan h, SmallView f, SmallView g);

// G = g F / f, which secret keys leave out. False if f has no inverse, a coefficient of G is not
// within -127 to 127, or f G - g F = q, the NTRU equation, holds modulo q only. Requires:
// coefficients within the widths of an encoded secret key.
[[nodiscard]] bool complete_private(SmallSpan big_g, SmallView f, SmallView g, SmallView big_f);

}  // namespace hm::falcon
