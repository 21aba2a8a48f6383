// SPDX-License-Identifier: Apache-2.0
// Input for tests: bytes that differ everywhere, the same for the same seed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/base/bytes.h"

namespace hm::blake3::test {

inline Bytes bytes_of(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  std::uint64_t state = seed * 2 + 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  return bytes;
}

}  // namespace hm::blake3::test
