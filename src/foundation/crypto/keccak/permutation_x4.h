// SPDX-License-Identifier: Apache-2.0
// KECCAK-f[1600] on four states side by side: lane i of state s at index 4i + s, so that a vector
// of 256 bits holds the same lane of all four.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/crypto/backend.h"
#include "foundation/crypto/keccak/rounds.h"

namespace hm::keccak {

inline constexpr std::size_t kStates = 4;

struct alignas(64) StateX4 {
  std::uint64_t lanes[kStates * kLanes]{};
};

// Permutes the first `count` states; whether the others change is left open.
// Requires: the processor supports `backend`.
void permute_x4(StateX4& states, std::size_t count, crypto::Backend backend);

}  // namespace hm::keccak
