// SPDX-License-Identifier: Apache-2.0
// CAES as exact integers: 1 CAES = 10^9 units. Every sum is checked; nothing wraps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "foundation/base/strong.h"

namespace hm::caesar {

struct AmountTag;
using Amount = Strong<AmountTag, std::uint64_t>;  // in units

inline constexpr std::uint64_t kUnitsPerCaes = 1'000'000'000;

// All units that can ever exist, a little over a thousand million CAES. Three times it fits 64
// bits, so a stake-weighted quorum (3·signed > 2·total) never overflows; consensus has the same
// bound.
inline constexpr Amount kMaxSupply{std::uint64_t{1} << 60};

// Whole CAES. Requires: caes ≤ kMaxSupply / kUnitsPerCaes.
constexpr Amount caes(std::uint64_t whole) { return Amount{whole * kUnitsPerCaes}; }

// Empty on overflow or underflow.
std::optional<Amount> checked_add(Amount a, Amount b);
std::optional<Amount> checked_sub(Amount a, Amount b);

// a · numerator / denominator rounded down, over 128 bits; empty if it does not fit or the
// denominator is 0.
std::optional<Amount> scale(Amount a, std::uint64_t numerator, std::uint64_t denominator);

// A part of a whole, or a factor. Valid iff denominator > 0.
struct Ratio {
  std::uint64_t numerator = 1;
  std::uint64_t denominator = 1;

  bool operator==(const Ratio&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.numerator, self.denominator); }
  // True iff it is valid and at most the whole.
  constexpr bool is_part() const { return denominator > 0 && numerator <= denominator; }
};

// Decimal CAES without trailing zeros: "12.5", "0.000000001", "3".
std::string to_string(Amount amount);

// The inverse: digits, optionally a point and one to nine digits; no sign, exponent or spaces, no
// leading zeros. Empty if malformed or above kMaxSupply.
std::optional<Amount> parse_amount(std::string_view text);

}  // namespace hm::caesar
