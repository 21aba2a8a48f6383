// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/amount.h"

#include <algorithm>
#include <limits>

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kFractionDigits = 9;

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<Amount> checked_add(Amount a, Amount b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a.value, b.value, &sum)) return std::nullopt;
  return Amount{sum};
}

std::optional<Amount> checked_sub(Amount a, Amount b) {
  if (b > a) return std::nullopt;
  return Amount{a.value - b.value};
}

std::optional<Amount> scale(Amount a, std::uint64_t numerator, std::uint64_t denominator) {
  if (denominator == 0) return std::nullopt;
  const Wide scaled = Wide{a.value} * numerator / denominator;
  if (scaled > std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return Amount{static_cast<std::uint64_t>(scaled)};
}

std::string to_string(Amount amount) {
  std::string text = std::to_string(amount.value / kUnitsPerCaes);
  const std::uint64_t fraction = amount.value % kUnitsPerCaes;
  if (fraction == 0) return text;
  std::string digits = std::to_string(fraction);
  digits.insert(0, kFractionDigits - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + "." + digits;
}

std::optional<Amount> parse_amount(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!is_digits(whole) || (whole.size() > 1 && whole.front() == '0')) return std::nullopt;
  std::string_view fraction;
  if (point != std::string_view::npos) {
    fraction = text.substr(point + 1);
    if (!is_digits(fraction) || fraction.size() > kFractionDigits) return std::nullopt;
  }
  // 20 digits of whole CAES are far above the supply, and still fit 128 bits in units.
  if (whole.size() > 20) return std::nullopt;
  Wide units = 0;
  for (const char c : whole) units = units * 10 + static_cast<unsigned>(c - '0');
  for (std::size_t i = 0; i < kFractionDigits; ++i) {
    units = units * 10 + (i < fraction.size() ? static_cast<unsigned>(fraction[i] - '0') : 0u);
  }
  if (units > kMaxSupply.value) return std::nullopt;
  return Amount{static_cast<std::uint64_t>(units)};
}

}  // namespace hm::caesar
