// SPDX-License-Identifier: Apache-2.0
// The secret polynomials f and g before any test: coefficients from the discrete Gaussian over the
// integers with standard deviation 1.17·sqrt(q/2n), n = 1024 and q = 12289 (Falcon specification
// §3.8.2, Algorithm 5 lines 1-6). They come from a table, as in the round-3 reference code, and
// take the same bits of randomness. Constant time: every draw reads the whole table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/falcon/ntru_sizes.h"
#include "foundation/crypto/keccak/shake.h"

namespace hm::falcon {

// Probabilities are scaled by 2^63.
inline constexpr std::uint64_t kKeyGaussianZero = 1283868770400643928u;  // P(x = 0)
// P(x >= k + 2 | x > 0) for k = 0, 1, …; the next one would round to zero.
inline constexpr std::array<std::uint64_t, 25> kKeyGaussianTail = {6416574995475331444u,
                                                                   4078260278032692663u,
                                                                   2353523259288686585u,
                                                                   1227179971273316331u,
                                                                   575931623374121527u,
                                                                   242543240509105209u,
                                                                   91437049221049666u,
                                                                   30799446349977173u,
                                                                   9255276791179340u,
                                                                   2478152334826140u,
                                                                   590642893610164u,
                                                                   125206034929641u,
                                                                   23590435911403u,
                                                                   3948334035941u,
                                                                   586753615614u,
                                                                   77391054539u,
                                                                   9056793210u,
                                                                   940121950u,
                                                                   86539696u,
                                                                   7062824u,
                                                                   510971u,
                                                                   32764u,
                                                                   1862u,
                                                                   94u,
                                                                   4u};

// One polynomial whose coefficients have an odd sum, so that its resultant with X^n + 1 is odd, as
// the solver of the NTRU equation requires. Takes 16 bytes of `randomness` a coefficient, and 16
// more each time the last one leaves the sum even.
void sample_key_polynomial(keccak::Shake256& randomness, SmallPoly& poly);

}  // namespace hm::falcon
