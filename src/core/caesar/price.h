// SPDX-License-Identifier: Apache-2.0
// What lending costs. A price is an exact ratio, so that one byte may cost far less than the
// smallest unit of CAES.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/caesar/amount.h"

namespace hm::caesar {

// `amount` for `quantity` units of the asset during one hour. Valid iff quantity > 0.
struct Price {
  Amount amount;
  std::uint64_t quantity = 1;

  bool operator==(const Price&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.amount, self.quantity); }
};

// Which is cheaper for the same use; {1, 2} and {2, 4} are equivalent. Requires: both are valid.
std::weak_ordering compare(const Price& a, const Price& b);

// The cost of holding `quantity` units for `milliseconds`, rounded down. Additive up to rounding,
// so charge the difference of the cumulative costs, never the cost of a difference. Empty if it
// is above kMaxSupply or the price is not valid.
std::optional<Amount> cost(const Price& price, std::uint64_t quantity, std::uint64_t milliseconds);

// "0.25" for one unit, "0.25/1073741824" for so many.
std::string to_string(const Price& price);
// The inverse. Empty if malformed, or the quantity is 0 or given as 1.
std::optional<Price> parse_price(std::string_view text);

}  // namespace hm::caesar
