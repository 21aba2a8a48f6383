// SPDX-License-Identifier: Apache-2.0
// Lower-case hexadecimal. Parsing accepts lower case only: one spelling per value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/bytes.h"

namespace hm {

std::string to_hex(ByteView bytes);

// Empty if the length is odd or a character is not in [0-9a-f].
std::optional<Bytes> from_hex(std::string_view text);

// Fills `out` exactly; false if the text does not have out.size() bytes in lower-case hex.
bool from_hex_exact(std::string_view text, std::span<std::uint8_t> out);

}  // namespace hm
