// SPDX-License-Identifier: Apache-2.0
// KECCAK-f[1600] (FIPS 202 §3.4) on one state.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/crypto/keccak/rounds.h"

namespace hm::keccak {

using State = std::array<std::uint64_t, kLanes>;

void permute(State& state);

}  // namespace hm::keccak
