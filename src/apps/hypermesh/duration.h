// SPDX-License-Identifier: Apache-2.0
// Spans of time and moments as people write and read them: "90s", "10m", "1h", "7d".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apps/hypermesh/failure.h"

namespace hm::cli {

// A hundred years; above it are only mistakes.
inline constexpr std::uint64_t kMaxDurationMs = 36'500ull * 86'400'000;

// Milliseconds: one whole number without leading zeros and one unit of s, m, h, d. Nothing if
// malformed or above kMaxDurationMs. "0s" is a duration.
std::optional<std::uint64_t> parse_duration(std::string_view text);

// The same as the value of an option or argument, named in the failure; 0 is refused.
Answer<std::uint64_t> duration_of(std::string_view name, std::string_view text);

// What parse_duration() reads, in the largest unit that is exact: "90s", "2h". Milliseconds below
// a second are dropped.
std::string duration_text(std::uint64_t milliseconds);

// For people, rounded down to two units: "45 s", "1 h 30 min", "6 d 23 h".
std::string format_duration(std::uint64_t milliseconds);

// "2026-03-01 14:05:09 UTC". Moments beyond the year 9999 read "never".
std::string format_moment(std::uint64_t unix_milliseconds);

}  // namespace hm::cli
