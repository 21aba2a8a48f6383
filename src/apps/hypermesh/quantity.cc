// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace hm::cli {
namespace {

std::optional<std::uint64_t> multiplier_of(std::string_view unit) {
  if (unit.ends_with('B')) unit.remove_suffix(1);
  if (unit.empty()) return 1;
  std::uint64_t base = 1000;
  if (unit.size() == 2 && unit[1] == 'i') {
    base = 1024;
    unit.remove_suffix(1);
  }
  if (unit.size() != 1) return std::nullopt;
  const char letter = unit[0] == 'k' && base == 1000 ? 'K' : unit[0];
  const std::size_t power = std::string_view("KMGTP").find(letter);
  if (power == std::string_view::npos) return std::nullopt;
  std::uint64_t factor = base;
  for (std::size_t i = 0; i < power; ++i) factor *= base;
  return factor;
}

// value / divisor with at most one decimal, rounded down, without a trailing ".0".
std::string one_decimal(std::uint64_t value, std::uint64_t divisor) {
  const std::uint64_t whole = value / divisor;
  const std::uint64_t tenth = value % divisor / (divisor / 10 == 0 ? 1 : divisor / 10);
  if (divisor < 10 || tenth == 0) return fmt::format("{}", whole);
  return fmt::format("{}.{}", whole, tenth > 9 ? 9 : tenth);
}

std::string scaled(std::uint64_t value, std::uint64_t base,
                   const std::array<std::string_view, 6>& units) {
  std::uint64_t divisor = 1;
  std::size_t step = 0;
  while (step + 1 < units.size() && value / divisor >= base) {
    divisor *= base;
    ++step;
  }
  return fmt::format("{} {}", one_decimal(value, divisor), units[step]);
}

}  // namespace

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  const auto factor =
      multiplier_of(digits == std::string_view::npos ? std::string_view{} : text.substr(digits));
  if (!factor || number.empty()) return std::nullopt;
  const std::size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view{} : number.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty()) ||
      fraction.size() > 9 || fraction.find('.') != std::string_view::npos) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  if (std::from_chars(whole.data(), whole.data() + whole.size(), value).ec != std::errc()) {
    return std::nullopt;
  }
  std::uint64_t total = 0;
  if (__builtin_mul_overflow(value, *factor, &total)) return std::nullopt;
  if (fraction.empty()) return total;
  std::uint64_t part = 0;
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  std::from_chars(fraction.data(), fraction.data() + fraction.size(), part);
  std::uint64_t scaled_part = 0;
  if (__builtin_mul_overflow(part, *factor, &scaled_part) || scaled_part % scale != 0) {
    return std::nullopt;
  }
  if (__builtin_add_overflow(total, scaled_part / scale, &total)) return std::nullopt;
  return total;
}

std::optional<caesar::Price> parse_price(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto amount = caesar::parse_amount(text.substr(0, slash));
  if (!amount) return std::nullopt;
  if (slash == std::string_view::npos) return caesar::Price{*amount, 1};
  const std::string_view unit = text.substr(slash + 1);
  const bool is_bare = !unit.empty() && (unit.front() < '0' || unit.front() > '9');
  const auto quantity = parse_quantity(is_bare ? "1" + std::string(unit) : std::string(unit));
  if (!quantity || *quantity == 0) return std::nullopt;
  return caesar::Price{*amount, *quantity};
}

std::string format_quantity(std::uint64_t value, std::string_view unit) {
  if (unit == "bytes") return scaled(value, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB"});
  if (unit == "bits_per_second") {
    return scaled(value, 1000, {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s"});
  }
  if (unit == "millicores") {
    return fmt::format("{} {}", one_decimal(value, 1000), value == 1000 ? "core" : "cores");
  }
  if (unit == "devices") return fmt::format("{} {}", value, value == 1 ? "device" : "devices");
  return fmt::format("{} {}", value, unit);
}

std::string format_age(std::uint64_t milliseconds) {
  if (milliseconds < 10'000) return fmt::format("{} s", one_decimal(milliseconds, 1000));
  const std::uint64_t seconds = milliseconds / 1000;
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7'200) return fmt::format("{} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{} h", seconds / 3'600);
  return fmt::format("{} d", seconds / 86'400);
}

}  // namespace hm::cli
