// SPDX-License-Identifier: Apache-2.0
// The portable number-theoretic transform and products in T_q; see arithmetic.h for what they do.
#pragma once

#include <cstddef>

#include "foundation/crypto/ml_kem/ring.h"

namespace hm::ml_kem {

void ntt(const Polynomial& f, NttPolynomial& out);
void inverse_ntt(const NttPolynomial& f, Polynomial& out);
void prepare(const NttPolynomial& f, Factor& out);
void dot_product(const NttPolynomial* a, const Factor* b, std::size_t count, NttPolynomial& out);

}  // namespace hm::ml_kem
