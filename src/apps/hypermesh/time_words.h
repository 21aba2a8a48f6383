// SPDX-License-Identifier: Apache-2.0
// Times as people write them in grants: daily hours, weekdays, moments. Spans are in duration.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/privacy/grant.h"

namespace hm::cli {

// Where and when words are read.
struct LocalTime {
  UnixMillis now;
  std::int32_t utc_offset = 0;  // minutes that the local time is ahead of UTC
};
// Of this machine.
LocalTime local_time();

// "20-08", "20:30-06:00", "00-24": minutes of the day; not two equal ones.
struct DailyWindow {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  bool operator==(const DailyWindow&) const = default;
};
std::optional<DailyWindow> parse_window(std::string_view text);
std::string format_window(const DailyWindow& window);

// "mon-fri", "sat,sun", "fri-mon": bit d is weekday d, 0 = Monday. No day twice.
std::optional<std::uint8_t> parse_days(std::string_view text);
std::string format_days(std::uint8_t days);

// "+02:00", "-05:30": minutes ahead of UTC, at most 24 hours.
std::optional<std::int32_t> parse_utc_offset(std::string_view text);
std::string format_utc_offset(std::int32_t minutes);

// "2026-12-31T18:00", with seconds and milliseconds if wanted, and "Z" or an offset (without: local
// time).
std::optional<UnixMillis> parse_moment(std::string_view text, const LocalTime& local);

// A moment, a day (its end), or a span from now (duration.h).
std::optional<UnixMillis> parse_until(std::string_view text, const LocalTime& local);

}  // namespace hm::cli
