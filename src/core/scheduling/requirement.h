// SPDX-License-Identifier: Apache-2.0
// One demand on what was measured of an asset: "model~=EPYC", "logical_cores>=8", "has:avx2". It
// reads descriptors only; what the values mean is not known here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/assets/record.h"

namespace hm::scheduling {

enum class Comparison : std::uint8_t {
  Equal,           // = the text, number or "true"/"false"; of a list: one of its items
  NotEqual,        // != nothing of the above; a field that is not there passes
  Less,            // <
  LessOrEqual,     // <=
  Greater,         // >
  GreaterOrEqual,  // >=
  Contains,        // ~= the text, or an item of the list, has this in it; a-z count as A-Z
  Has,             // has: any list of the descriptor has this item; the key is empty
};
// "=", "!=", …, "has:".
std::string_view symbol_of(Comparison comparison);
constexpr bool is_order(Comparison c) {
  return c >= Comparison::Less && c <= Comparison::GreaterOrEqual;
}

struct Requirement {
  std::string key;
  Comparison comparison = Comparison::Equal;
  std::string text;
  std::optional<std::uint64_t> number;  // what `text` is as a number

  bool operator==(const Requirement&) const = default;
};

// With the number read out of `text`.
Requirement requirement(std::string key, Comparison comparison, std::string text);

// Digits, then k M G T P (powers of 1000) or Ki Mi Gi Ti Pi (powers of 1024), then B, both
// optional. Empty if malformed or above 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text);

// An order holds between numbers only. Null is a descriptor of which nothing is known.
bool holds(const Requirement& requirement, const assets::Descriptor* descriptor);

}  // namespace hm::scheduling
