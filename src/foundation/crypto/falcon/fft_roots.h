// SPDX-License-Identifier: Apache-2.0
// The roots of unity of the FFT (Falcon specification, section 3.5): w^k for w = exp(iπ/1024),
// stored under the index whose ten bits are those of k in reverse. Each part is the binary64 number
// nearest to the true value: the table is computed by the compiler in 128-bit integers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/falcon/parameters.h"

namespace hm::falcon {

struct RootBits {
  std::uint64_t real = 0;  // encodings of binary64 numbers
  std::uint64_t imaginary = 0;
};

// The roots of a degree 2^l are the first 2^l entries, for each l; entry 0 is 1.
extern const std::array<RootBits, kDegree> fft_roots;

}  // namespace hm::falcon
