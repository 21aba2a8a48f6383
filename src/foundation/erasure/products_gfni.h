// SPDX-License-Identifier: Apache-2.0
// Rows of coefficients times columns of bytes, in GF(2^8), on processors that multiply bytes by
// matrices of bits: several times as fast as by the tables of ISA-L before 2.31. The file behind it
// is compiled for AVX-512 and GFNI and uses nothing but intrinsics and plain arrays.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::erasure {

// What is multiplied at a time.
inline constexpr std::size_t kGfniStep = 128;

// into[r] becomes the sum over j of coefficient (r, j) times sources[j]. A coefficient is given by
// its matrix: bit b of byte 7 - i is bit i of the coefficient times 2^b. Row by row in `matrices`.
// Requires: GFNI, AVX-512F and AVX-512BW; the length is a multiple of kGfniStep.
void multiply_gfni(const std::uint64_t* matrices, const std::uint8_t* const* sources,
                   std::size_t source_count, std::uint8_t* const* into, std::size_t into_count,
                   std::size_t length);

}  // namespace hm::erasure
