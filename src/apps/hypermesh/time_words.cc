// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/time_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>

#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

constexpr std::uint64_t kMillisPerDay = 86'400'000;
constexpr std::int32_t kMaxUtcOffset = privacy::kMinutesPerDay;

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  const std::string_view number = text.substr(0, digits);
  if (number.size() != digits || number.find_first_not_of("0123456789") != number.npos) {
    return std::nullopt;
  }
  int value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

// "20" or "20:30"; 24 is the end of the day.
std::optional<std::uint16_t> parse_time_of_day(std::string_view text) {
  const auto hour = take_number(text, 2);
  int minute = 0;
  if (hour && !text.empty()) {
    const auto given = take(text, ':') ? take_number(text, 2) : std::nullopt;
    if (!given || !text.empty()) return std::nullopt;
    minute = *given;
  }
  if (!hour || minute > 59 || *hour * 60 + minute > privacy::kMinutesPerDay) return std::nullopt;
  return static_cast<std::uint16_t>(*hour * 60 + minute);
}

std::optional<std::size_t> day_of(std::string_view name) {
  const auto found = std::ranges::find(kDays, name);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDays.begin());
}

// Milliseconds since 1970 of the day's beginning in UTC.
std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::milliseconds(std::chrono::sys_days(date).time_since_epoch()).count();
}

// Milliseconds since midnight: "18:00", "18:00:30", "18:00:30.250".
std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t millis = (std::int64_t{*hour} * 60 + *minute) * 60'000;
  if (!take(text, ':')) return millis;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  millis += std::int64_t{*second} * 1'000;
  if (!take(text, '.')) return millis;
  const auto fraction = take_number(text, 3);
  if (!fraction) return std::nullopt;
  return millis + *fraction;
}

std::optional<UnixMillis> utc_of(std::int64_t local_millis, std::int32_t utc_offset) {
  const std::int64_t utc = local_millis - std::int64_t{utc_offset} * 60'000;
  if (utc < 0) return std::nullopt;
  return UnixMillis(static_cast<std::uint64_t>(utc));
}

}  // namespace

LocalTime local_time() {
  const UnixMillis now = wall_now();
  const auto seconds = static_cast<std::time_t>(now.value / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return {now, static_cast<std::int32_t>(local.tm_gmtoff / 60)};
}

std::optional<DailyWindow> parse_window(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto from = parse_time_of_day(text.substr(0, dash));
  const auto to = parse_time_of_day(text.substr(dash + 1));
  if (!from || !to || *from == *to || *from == privacy::kMinutesPerDay) return std::nullopt;
  return DailyWindow{*from, *to};
}

std::string format_window(const DailyWindow& window) {
  return fmt::format("{:02}:{:02}-{:02}:{:02}", window.from / 60, window.from % 60, window.to / 60,
                     window.to % 60);
}

std::optional<std::uint8_t> parse_days(std::string_view text) {
  unsigned days = 0;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const std::size_t dash = part.find('-');
    const auto first = day_of(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day_of(part.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    for (std::size_t day = *first;; day = (day + 1) % kDays.size()) {
      if ((days >> day & 1U) != 0) return std::nullopt;
      days |= 1U << day;
      if (day == *last) break;
    }
  }
  return static_cast<std::uint8_t>(days);
}

std::string format_days(std::uint8_t days) {
  const auto is_set = [&](std::size_t day) { return day < kDays.size() && (days >> day & 1) != 0; };
  std::string text;
  for (std::size_t day = 0; day < kDays.size(); ++day) {
    if (!is_set(day)) continue;
    const std::size_t first = day;
    while (is_set(day + 1)) ++day;
    text += fmt::format("{}{}", text.empty() ? "" : ",", kDays.at(first));
    if (day != first) text += fmt::format("-{}", kDays.at(day));
  }
  return text;
}

std::optional<std::int32_t> parse_utc_offset(std::string_view text) {
  const bool behind = text.starts_with('-');
  if (!behind && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59 || !text.empty()) return std::nullopt;
  const std::int32_t total = *hours * 60 + *minutes;
  if (total > kMaxUtcOffset) return std::nullopt;
  return behind ? -total : total;
}

std::string format_utc_offset(std::int32_t minutes) {
  const std::int32_t size = minutes < 0 ? -minutes : minutes;
  return fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

std::optional<UnixMillis> parse_moment(std::string_view text, const LocalTime& local) {
  const auto date = take_date(text);
  if (!date || !take(text, 'T')) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  if (text.empty()) return utc_of(*date + *clock, local.utc_offset);
  if (text == "Z") return utc_of(*date + *clock, 0);
  const auto offset = parse_utc_offset(text);
  if (!offset) return std::nullopt;
  return utc_of(*date + *clock, *offset);
}

std::optional<UnixMillis> parse_until(std::string_view text, const LocalTime& local) {
  if (const auto span = parse_duration(text)) {
    std::uint64_t end = 0;
    if (__builtin_add_overflow(local.now.value, *span, &end)) return std::nullopt;
    return UnixMillis(end);
  }
  std::string_view rest = text;
  const auto date = take_date(rest);
  if (date && rest.empty()) {
    return utc_of(*date + static_cast<std::int64_t>(kMillisPerDay), local.utc_offset);
  }
  return parse_moment(text, local);
}

}  // namespace hm::cli
