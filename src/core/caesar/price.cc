// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/price.h"

#include <array>
#include <charconv>

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;
using Limbs = std::array<std::uint64_t, 3>;  // 192 bits, the lowest first

constexpr std::uint64_t kMillisPerHour = 3'600'000;

Limbs product(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const Wide ab = Wide{a} * b;
  const Wide low = Wide{static_cast<std::uint64_t>(ab)} * c;
  const Wide high = (ab >> 64) * c + (low >> 64);
  return {static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high),
          static_cast<std::uint64_t>(high >> 64)};
}

Limbs quotient(Limbs value, std::uint64_t divisor) {
  Wide remainder = 0;
  for (std::size_t i = value.size(); i-- > 0;) {
    const Wide part = remainder << 64 | value[i];
    value[i] = static_cast<std::uint64_t>(part / divisor);
    remainder = part % divisor;
  }
  return value;
}

}  // namespace

std::weak_ordering compare(const Price& a, const Price& b) {
  const Wide left = Wide{a.amount.value} * b.quantity;
  const Wide right = Wide{b.amount.value} * a.quantity;
  if (left == right) return std::weak_ordering::equivalent;
  return left < right ? std::weak_ordering::less : std::weak_ordering::greater;
}

std::optional<Amount> cost(const Price& price, std::uint64_t quantity, std::uint64_t milliseconds) {
  if (price.quantity == 0) return std::nullopt;
  // Two divisions, each rounded down, are the one by the product rounded down.
  const Limbs total =
      quotient(quotient(product(price.amount.value, quantity, milliseconds), price.quantity),
               kMillisPerHour);
  if (total[2] != 0 || total[1] != 0 || total[0] > kMaxSupply.value) return std::nullopt;
  return Amount{total[0]};
}

std::string to_string(const Price& price) {
  std::string text = to_string(price.amount);
  if (price.quantity != 1) text += "/" + std::to_string(price.quantity);
  return text;
}

std::optional<Price> parse_price(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto amount = parse_amount(text.substr(0, slash));
  if (!amount) return std::nullopt;
  if (slash == std::string_view::npos) return Price{*amount, 1};
  const std::string_view digits = text.substr(slash + 1);
  std::uint64_t quantity = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), quantity);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (quantity <= 1 || digits.front() == '0') return std::nullopt;
  return Price{*amount, quantity};
}

}  // namespace hm::caesar
