// SPDX-License-Identifier: Apache-2.0
// Overwriting secrets, and comparing them in constant time.
#pragma once

#include <cstdint>
#include <span>

#include "foundation/base/bytes.h"

namespace hm::crypto {

// Overwrites with zeros in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> secret);

// True iff both have the same length and bytes. The time depends on the lengths only.
bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace hm::crypto
