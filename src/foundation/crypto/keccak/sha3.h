// SPDX-License-Identifier: Apache-2.0
// SHA3-256 and SHA3-512 (FIPS 202 §6.1) of an input that is whole. For input or output in portions
// there is shake.h.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/base/bytes.h"

namespace hm::keccak {

std::array<std::uint8_t, 32> sha3_256(ByteView input);
std::array<std::uint8_t, 64> sha3_512(ByteView input);

}  // namespace hm::keccak
