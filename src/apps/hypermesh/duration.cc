// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

namespace hm::cli {
namespace {

struct Unit {
  char letter;
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::array<Unit, 4> kUnits = {
    {{'d', "d", 86'400'000}, {'h', "h", 3'600'000}, {'m', "min", 60'000}, {'s', "s", 1'000}}};

// 9999-12-31 23:59:59.999 UTC
constexpr std::uint64_t kLastMoment = 253'402'300'799'999;

}  // namespace

std::optional<std::uint64_t> parse_duration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const char letter = text.back();
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.letter != letter) continue;
    if (value > kMaxDurationMs / unit.milliseconds) return std::nullopt;
    return value * unit.milliseconds;
  }
  return std::nullopt;
}

Answer<std::uint64_t> duration_of(std::string_view name, std::string_view text) {
  const auto duration = parse_duration(text);
  if (duration && *duration > 0) return *duration;
  return failed(ExitCode::Usage, fmt::format("{}: '{}' is no span of time", name, text),
                "it is a whole number above 0 and one of s, m, h, d, without a space",
                fmt::format("for example {} 90s, 10m, 1h or 7d", name));
}

std::string duration_text(std::uint64_t milliseconds) {
  for (const Unit& unit : kUnits) {
    if (milliseconds / 1000 * 1000 % unit.milliseconds == 0 && milliseconds >= unit.milliseconds) {
      return fmt::format("{}{}", milliseconds / unit.milliseconds, unit.letter);
    }
  }
  return "0s";
}

std::string format_duration(std::uint64_t milliseconds) {
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    const Unit& unit = kUnits[i];
    if (milliseconds < unit.milliseconds) continue;
    std::string text = fmt::format("{} {}", milliseconds / unit.milliseconds, unit.name);
    if (i + 1 == kUnits.size()) return text;
    const Unit& next = kUnits[i + 1];
    const std::uint64_t rest = milliseconds % unit.milliseconds / next.milliseconds;
    return rest == 0 ? text : fmt::format("{} {} {}", text, rest, next.name);
  }
  return "0 s";
}

std::string format_moment(std::uint64_t unix_milliseconds) {
  if (unix_milliseconds > kLastMoment) return "never";
  const std::chrono::sys_time<std::chrono::seconds> moment{
      std::chrono::seconds(unix_milliseconds / 1000)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{moment - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace hm::cli
