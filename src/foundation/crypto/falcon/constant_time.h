// SPDX-License-Identifier: Apache-2.0
// Building blocks of code whose time and memory accesses do not depend on its values.
#pragma once

#include <cstdint>

namespace hm::falcon {

__extension__ using Uint128 = unsigned __int128;

// The same value, of which the compiler knows nothing: it cannot turn the arithmetic on a mask back
// into the branch that the mask replaces.
inline std::uint64_t hidden(std::uint64_t value) {
  asm("" : "+r"(value));  // NOLINT(hicpp-no-assembler)
  return value;
}

// All ones if bit is 1, all zeros if it is 0.
inline std::uint64_t mask_of(std::uint64_t bit) { return hidden(std::uint64_t{0} - bit); }

// 1 if the value is not 0, otherwise 0.
inline std::uint64_t is_nonzero(std::uint64_t value) {
  return hidden(value | (std::uint64_t{0} - value)) >> 63;
}

// The upper half of a 128-bit product.
inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((Uint128{a} * b) >> 64);
}

}  // namespace hm::falcon
