// SPDX-License-Identifier: Apache-2.0
// Spellings that JSON needs for bytes and times.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/base/time.h"

namespace hm::api {

// RFC 4648 §4 with padding.
std::string to_base64(ByteView bytes);
// Strict: padding required, unused bits zero, nothing else in between.
std::optional<Bytes> from_base64(std::string_view text);

// RFC 4648 §5, the alphabet for URLs and headers, without padding.
std::string to_base64url(ByteView bytes);

// Base64, or lower-case hex if it is nothing but that. Empty if neither.
std::optional<Bytes> bytes_of_text(std::string_view text);

// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z".
std::string to_rfc3339(UnixMillis time);

// Decimal digits only, no leading zeros, within 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace hm::api
