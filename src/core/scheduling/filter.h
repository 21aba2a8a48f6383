// SPDX-License-Identifier: Apache-2.0
// What a tenant demands of what it leases, and its one spelling on the command line:
//   kind=cpu,model~=EPYC,logical_cores>=8,trust>=600,rtt<=20ms,price<=0.5,owner!=ID,has:avx2
// docs/guide/scheduling.md describes the syntax for people. The text is hostile input: bounded,
// strict, refused by name and place. Whether owners and nodes of those names exist is not known
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/assets/limits.h"
#include "core/privacy/grant.h"
#include "core/scheduling/limits.h"
#include "core/scheduling/requirement.h"
#include "foundation/base/result.h"

namespace hm::scheduling {

// By whole id or by name. A name has at most 63 characters, so that none is 64 hex digits.
using OwnerRef = std::variant<identity::OwnerId, std::string>;
using NodeRef = std::variant<identity::NodeId, std::string>;

struct Filter {
  assets::AssetKind kind = assets::AssetKind::Cpu;
  std::uint64_t quantity = 1;  // in the asset's unit
  std::uint64_t duration_ms = kDefaultDurationMs;
  privacy::NetworkClass network = privacy::NetworkClass::None;
  std::optional<caesar::Price> highest_price;
  std::optional<caesar::Amount> highest_cost;  // of quantity for the duration
  std::uint16_t least_trust = 0;
  std::optional<std::uint64_t> longest_rtt_us;
  std::vector<OwnerRef> owners;  // empty: any
  std::vector<OwnerRef> excluded_owners;
  std::vector<NodeRef> nodes;  // empty: any
  std::vector<NodeRef> excluded_nodes;
  std::vector<Requirement> requirements;  // all must hold
  std::size_t choices = kMaxChoices;      // 1 … kMaxChoices

  bool operator==(const Filter&) const = default;
};

enum class FilterError : std::uint8_t {
  TooLong,       // above kMaxFilterText
  TooManyParts,  // above kMaxFilterParts
  BadText,       // not UTF-8, or with control characters
  EmptyPart,
  NoComparison,     // neither a comparison nor "has:"
  BadKey,           // not 1 to 48 of a-z 0-9 _ .
  WrongComparison,  // one that this key does not take
  BadQuotes,        // a quotation mark that is not around the whole value
  BadValue,         // empty, too long, or with a space at an end
  BadNumber,
  BadTime,  // digits, then us, ms, s, m, h or d
  BadPrice,
  BadKind,
  BadNetwork,
  OutOfRange,
  Repeated,  // a key that can be said once
};
inline constexpr FilterError kLastFilterError = FilterError::Repeated;
std::string_view name_of(FilterError error);

// Where the text breaks which rule: the bytes [position, position + length) are the part.
struct FilterFault {
  FilterError error = FilterError::BadText;
  std::size_t position = 0;
  std::size_t length = 0;
  bool operator==(const FilterFault&) const = default;
};

// `base` with what the text says in its place; lists and requirements are added. The empty text
// says nothing.
Result<Filter, FilterFault> parse_filter(std::string_view text, Filter base = {});

// The one text that parses to this filter. Requires: no text in it has a quotation mark.
std::string to_string(const Filter& filter);
std::string to_string(const Requirement& requirement);

// One sentence: "'trust>=1001' at 9: trust is 0 to 1000". `text`: what was parsed.
std::string explain(const FilterFault& fault, std::string_view text);

}  // namespace hm::scheduling
