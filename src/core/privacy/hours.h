// SPDX-License-Identifier: Apache-2.0
// Minutes of the week, for grants' windows. Pure arithmetic, without time zones that change.
#pragma once

#include <cstdint>

#include "core/privacy/grant.h"

namespace hm::privacy {

inline constexpr std::uint32_t kMinutesPerWeek = 7U * kMinutesPerDay;

// In UTC; 0 is Monday 00:00. The epoch was a Thursday.
constexpr std::uint32_t minute_of_week(UnixMillis now) {
  constexpr std::uint64_t kMillisPerMinute = 60'000;
  constexpr std::uint64_t kEpoch = std::uint64_t{3} * kMinutesPerDay;
  return static_cast<std::uint32_t>((now.value / kMillisPerMinute + kEpoch) % kMinutesPerWeek);
}

// The same minute in the local time of `hours`. Requires: hours are valid.
constexpr std::uint32_t local_minute(const Hours& hours, std::uint32_t utc_minute) {
  const std::uint32_t shifted = utc_minute + kMinutesPerWeek - kMinutesPerDay + hours.utc_offset;
  return shifted % kMinutesPerWeek;
}

constexpr bool begins_on(const Hours& hours, std::uint32_t weekday) {
  return ((hours.weekdays >> weekday) & 1U) != 0;
}

// True iff that local minute of the week lies in a window. Requires: hours are valid.
constexpr bool covers(const Hours& hours, std::uint32_t local) {
  const std::uint32_t day = local / kMinutesPerDay;
  const std::uint32_t minute = local % kMinutesPerDay;
  if (hours.from < hours.to) {
    return begins_on(hours, day) && minute >= hours.from && minute < hours.to;
  }
  // What is before `to` belongs to the window that began the day before.
  return (begins_on(hours, day) && minute >= hours.from) ||
         (begins_on(hours, (day + 6) % 7) && minute < hours.to);
}

// The local minute of the week at which the first window after `local` begins.
constexpr std::uint32_t next_window(const Hours& hours, std::uint32_t local) {
  const std::uint32_t today = local / kMinutesPerDay;
  for (std::uint32_t days = 0; days <= 7; ++days) {
    const std::uint32_t weekday = (today + days) % 7;
    if (days == 0 && hours.from <= local % kMinutesPerDay) continue;
    if (begins_on(hours, weekday)) return weekday * kMinutesPerDay + hours.from;
  }
  return local;  // no weekday at all, which no valid hours have
}

}  // namespace hm::privacy
