// SPDX-License-Identifier: Apache-2.0
// The two encodings of a Falcon signature. They share their header byte: which one is meant comes
// from where the bytes stand, not from the bytes.
#pragma once

#include <cstdint>

namespace hm::falcon {

enum class SignatureFormat : std::uint8_t {
  Compressed,  // as long as the coefficients need, at most 1462 bytes, nothing behind them
  Padded,      // 1280 bytes, zeros behind the coefficients
};

}  // namespace hm::falcon
