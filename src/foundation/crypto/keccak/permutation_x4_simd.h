// SPDX-License-Identifier: Apache-2.0
// The vector forms of permute_x4(), each in a file that is compiled for its instructions. Such a
// file uses nothing but intrinsics, rounds.h and plain arrays: an inline function of the library
// compiled there could be linked in place of the portable one and run on an older processor.
#pragma once

#include <cstdint>

namespace hm::keccak {

void permute_x4_avx2(std::uint64_t* lanes);
void permute_x4_avx512(std::uint64_t* lanes);

}  // namespace hm::keccak
