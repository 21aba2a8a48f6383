// SPDX-License-Identifier: Apache-2.0
// Fast Fourier nearest plane sampling (Falcon specification, section 3.9.2, Algorithm 11), with the
// LDL tree of Algorithm 9 built on the way and forgotten at once: no signature needs a tree that
// was stored.
#pragma once

#include <cstddef>
#include <span>

#include "foundation/crypto/falcon/sampler.h"

namespace hm::falcon {

// Replaces the target (t0, t1) by a lattice point near to it, in coordinates of the basis whose
// Gram matrix is [g00 g01; g01* g11]; all in FFT representation and of the same degree. The matrix
// is overwritten. Requires: scratch of at least ff_sampling_scratch(degree).
template <RealBackEnd Real>
void ff_sampling(Sampler<Real>& sampler, std::span<Real> t0, std::span<Real> t1,
                 std::span<Real> g00, std::span<Real> g01, std::span<Real> g11,
                 std::span<Real> scratch);

constexpr std::size_t ff_sampling_scratch(std::size_t degree) { return 4 * degree; }

extern template void ff_sampling(Sampler<EmulatedReal>&, std::span<EmulatedReal>,
                                 std::span<EmulatedReal>, std::span<EmulatedReal>,
                                 std::span<EmulatedReal>, std::span<EmulatedReal>,
                                 std::span<EmulatedReal>);
extern template void ff_sampling(Sampler<HardwareReal>&, std::span<HardwareReal>,
                                 std::span<HardwareReal>, std::span<HardwareReal>,
                                 std::span<HardwareReal>, std::span<HardwareReal>,
                                 std::span<HardwareReal>);

}  // namespace hm::falcon
