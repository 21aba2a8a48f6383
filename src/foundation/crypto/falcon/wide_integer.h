// SPDX-License-Identifier: Apache-2.0
// 128-bit integers, which ISO C++ does not have and the compilers do.
#pragma once

#include <cstdint>

namespace hm::falcon {

__extension__ using Uint128 = unsigned __int128;

// The upper half of a 128-bit product.
inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((Uint128{a} * b) >> 64);
}

}  // namespace hm::falcon
