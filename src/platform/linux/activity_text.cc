// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/activity_text.h"

#include <array>

#include "platform/linux/kernel_text.h"

namespace hm::linux {
namespace {

// Eighty years of 8 192 processors; a thousand times the sum of eight such fields fits 64 bits.
constexpr std::uint64_t kMaxTicks = std::uint64_t{1} << 51U;

// "12.34" as hundredths: the kernel writes exactly two decimals.
std::optional<std::uint32_t> parse_hundredths(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == 0 || point > 3 || text.size() != point + 3) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(text[i] - '0');
  }
  if (value > activity::kWholePressure) return std::nullopt;
  return value;
}

// The value of KEY=value in `text`; none if it is not there or there twice.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  std::optional<std::string_view> value;
  for (std::string_view line : split_lines(text)) {
    if (!line.starts_with(key) || line.substr(key.size(), 1) != "=") continue;
    if (value) return std::nullopt;
    value = line.substr(key.size() + 1);
  }
  return value;
}

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view text) {
  // cpu user nice system idle iowait irq softirq steal guest guest_nice
  constexpr std::size_t kFields = 8;
  const auto words = split_words(text.substr(0, text.find('\n')));
  if (words.size() < 1 + kFields || words[0] != "cpu") return std::nullopt;
  std::array<std::uint64_t, kFields> ticks{};
  for (std::size_t i = 0; i < kFields; ++i) {
    const auto value = parse_u64(words[i + 1]);
    if (!value || *value > kMaxTicks) return std::nullopt;
    ticks[i] = *value;
  }
  return CpuTimes{.busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6],
                  .idle = ticks[3] + ticks[4],
                  .stolen = ticks[7]};
}

std::optional<activity::Pressure> parse_pressure(std::string_view text) {
  // some avg10=0.00 avg60=0.00 avg300=0.00 total=0
  constexpr std::string_view kAverage = "avg10=";
  std::optional<std::uint32_t> some;
  std::optional<std::uint32_t> full;
  for (std::string_view line : split_lines(text)) {
    const auto words = split_words(line);
    if (words.size() < 2 || !words[1].starts_with(kAverage)) return std::nullopt;
    const auto share = parse_hundredths(words[1].substr(kAverage.size()));
    std::optional<std::uint32_t>* target = nullptr;
    if (words[0] == "some") target = &some;
    if (words[0] == "full") target = &full;
    if (!share || target == nullptr || *target) return std::nullopt;
    *target = share;
  }
  if (!some) return std::nullopt;
  return activity::Pressure{.some = *some, .full = full};
}

std::optional<std::uint64_t> parse_group_usage(std::string_view text) {
  for (std::string_view line : split_lines(text)) {
    const auto words = split_words(line);
    if (words.size() == 2 && words[0] == "usage_usec") return parse_u64(words[1]);
  }
  return std::nullopt;
}

std::optional<Session> parse_session(std::string_view text) {
  const auto session_class = value_of(text, "CLASS");
  const auto state = value_of(text, "STATE");
  const auto type = value_of(text, "TYPE");
  const auto remote = value_of(text, "REMOTE");
  if (!session_class || !state || !type || (remote != "0" && remote != "1")) return std::nullopt;
  Session session;
  // "user-early" and the like are people too; "greeter", "background" and "manager" are not.
  session.is_open_for_a_person = session_class->starts_with("user") && state != "closing";
  if (type == "x11" || type == "wayland" || type == "mir") {
    session.screen = remote == "1" ? Session::Screen::Remote : Session::Screen::Local;
  }
  return session;
}

}  // namespace hm::linux
