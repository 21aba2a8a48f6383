// SPDX-License-Identifier: Apache-2.0
// Polynomials drawn from a seed: uniform ones of T_q and small ones of R_q, up to four seeds side
// by side.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "foundation/crypto/backend.h"
#include "foundation/crypto/ml_kem/ring.h"

namespace hm::ml_kem {

using WordView = std::span<const std::uint8_t, kWordSize>;

// out[i] = SampleNTT(rho ‖ indices[i]) (FIPS 203 Algorithm 7), canonical. The time depends on rho.
// Requires: at most four indices, and as many polynomials.
void sample_matrix_entries(WordView rho, std::span<const std::array<std::uint8_t, 2>> indices,
                           std::span<NttPolynomial> out, crypto::Backend backend);

// out[i] = SamplePolyCBD_2(PRF_2(seed, first + i)) (Algorithm 8, §4.1).
void sample_noise(WordView seed, std::uint8_t first, std::span<Polynomial> out,
                  crypto::Backend backend);

}  // namespace hm::ml_kem
