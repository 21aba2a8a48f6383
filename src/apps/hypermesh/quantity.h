// SPDX-License-Identifier: Apache-2.0
// Quantities as people write and read them: "16GiB", "2.5 cores", "10 Gbit/s", "3 s ago".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/caesar/price.h"

namespace hm::cli {

// A whole number with an optional unit: plain, k M G T P (powers of 1000), Ki Mi Gi Ti Pi (of
// 1024), each with an optional trailing B. A decimal point is allowed if the result is whole:
// "1.5KiB". Nothing if malformed or above 64 bits.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

// CAES during one hour for one unit or for so many: "0.5", "0.01/GiB", "2/100GB". Nothing if
// malformed.
std::optional<caesar::Price> parse_price(std::string_view text);

// "15.6 GiB", "4 cores", "2.5 cores", "1 Gbit/s", "3 devices"; another unit is named as it is.
std::string format_quantity(std::uint64_t value, std::string_view unit);

// "0.3 s", "42 s", "5 min", "3 h", "2 d".
std::string format_age(std::uint64_t milliseconds);

}  // namespace hm::cli
