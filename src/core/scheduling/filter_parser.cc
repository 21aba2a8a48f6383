// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <utility>

#include "core/scheduling/filter.h"
#include "core/scheduling/words.h"
#include "foundation/base/utf8.h"

namespace hm::scheduling {
namespace {

struct Part {
  std::string_view key;
  Comparison comparison = Comparison::Equal;
  std::string_view value;
};

// Longer symbols first: "<=" is not "<" with a value that starts with '='.
constexpr std::array<Comparison, 7> kComparisons = {
    Comparison::NotEqual, Comparison::LessOrEqual, Comparison::GreaterOrEqual, Comparison::Contains,
    Comparison::Equal,    Comparison::Less,        Comparison::Greater};

using Checked = Result<void, FilterError>;

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= assets::kMaxDescriptorKey &&
         std::ranges::all_of(key, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
         });
}

Result<std::string_view, FilterError> unquote(std::string_view value) {
  const bool quoted = value.starts_with(kQuote);
  if (quoted) {
    if (value.size() < 2 || !value.ends_with(kQuote)) return fail(FilterError::BadQuotes);
    value = value.substr(1, value.size() - 2);
  }
  if (value.contains(kQuote)) return fail(FilterError::BadQuotes);
  if (value.empty() || value.size() > assets::kMaxDescriptorText)
    return fail(FilterError::BadValue);
  if (!quoted && (value.starts_with(' ') || value.ends_with(' ')))
    return fail(FilterError::BadValue);
  return value;
}

Result<Part, FilterError> split(std::string_view text) {
  if (text.empty()) return fail(FilterError::EmptyPart);
  Part part;
  const std::string_view has = symbol_of(Comparison::Has);
  if (text.starts_with(has)) {
    part.comparison = Comparison::Has;
    HM_TRY(part.value, unquote(text.substr(has.size())));
    return part;
  }
  const std::size_t at = text.find_first_of("=!<>~");
  if (at == std::string_view::npos) return fail(FilterError::NoComparison);
  const auto found = std::ranges::find_if(
      kComparisons, [&](Comparison c) { return text.substr(at).starts_with(symbol_of(c)); });
  if (found == kComparisons.end()) return fail(FilterError::NoComparison);
  part.key = text.substr(0, at);
  part.comparison = *found;
  if (!is_key(part.key)) return fail(FilterError::BadKey);
  HM_TRY(part.value, unquote(text.substr(at + symbol_of(*found).size())));
  return part;
}

Result<std::uint64_t, FilterError> number_within(std::string_view text, std::uint64_t least,
                                                 std::uint64_t most) {
  const auto number = parse_number(text);
  if (!number) return fail(FilterError::BadNumber);
  if (*number < least || *number > most) return fail(FilterError::OutOfRange);
  return *number;
}

// In units of `unit_us` microseconds, which must come out whole and at least 1.
Result<std::uint64_t, FilterError> time_in(std::string_view text, std::uint64_t unit_us) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return fail(FilterError::BadTime);
  const auto number = parse_number(text.substr(0, digits));
  const auto unit = std::ranges::find(kTimeUnits, text.substr(digits), &TimeUnit::name);
  if (!number || unit == kTimeUnits.end()) return fail(FilterError::BadTime);
  if (*number == 0 || *number > UINT64_MAX / unit->micros) return fail(FilterError::OutOfRange);
  const std::uint64_t micros = *number * unit->micros;
  if (micros % unit_us != 0) return fail(FilterError::OutOfRange);
  return micros / unit_us;
}

template <class Id>
void add(std::vector<std::variant<Id, std::string>>& list, std::string_view text) {
  if (const auto id = Id::parse(text)) {
    list.emplace_back(*id);
  } else {
    list.emplace_back(std::string(text));
  }
}

Checked set_kind(Filter& filter, std::string_view value) {
  const auto kind = assets::parse_kind(value);
  if (!kind) return fail(FilterError::BadKind);
  filter.kind = *kind;
  return {};
}

Checked set_network(Filter& filter, std::string_view value) {
  const auto found = std::ranges::find(kNetworkClasses, value);
  if (found == kNetworkClasses.end()) return fail(FilterError::BadNetwork);
  filter.network = static_cast<privacy::NetworkClass>(found - kNetworkClasses.begin());
  return {};
}

Checked set_price(Filter& filter, std::string_view value) {
  filter.highest_price = caesar::parse_price(value);
  return filter.highest_price ? Checked{} : fail(FilterError::BadPrice);
}

Checked set_cost(Filter& filter, std::string_view value) {
  filter.highest_cost = caesar::parse_amount(value);
  return filter.highest_cost ? Checked{} : fail(FilterError::BadPrice);
}

Checked set_quantity(Filter& filter, std::string_view value) {
  HM_TRY(filter.quantity, number_within(value, 1, UINT64_MAX));
  return {};
}

Checked set_trust(Filter& filter, std::string_view value) {
  HM_TRY(const std::uint64_t trust, number_within(value, 0, kMaxTrust));
  filter.least_trust = static_cast<std::uint16_t>(trust);
  return {};
}

Checked set_choices(Filter& filter, std::string_view value) {
  HM_TRY(filter.choices, number_within(value, 1, kMaxChoices));
  return {};
}

Checked set_duration(Filter& filter, std::string_view value) {
  HM_TRY(filter.duration_ms, time_in(value, 1000));
  return {};
}

Checked set_rtt(Filter& filter, std::string_view value) {
  HM_TRY(filter.longest_rtt_us, time_in(value, 1));
  return {};
}

// Keys that are said once, with the one comparison that each takes.
struct Single {
  std::string_view key;
  Comparison comparison;
  Checked (*set)(Filter&, std::string_view);
};
constexpr std::array<Single, 9> kSingles = {{
    {"kind", Comparison::Equal, set_kind},
    {"quantity", Comparison::Equal, set_quantity},
    {"duration", Comparison::Equal, set_duration},
    {"network", Comparison::Equal, set_network},
    {"price", Comparison::LessOrEqual, set_price},
    {"cost", Comparison::LessOrEqual, set_cost},
    {"trust", Comparison::GreaterOrEqual, set_trust},
    {"rtt", Comparison::LessOrEqual, set_rtt},
    {"choices", Comparison::Equal, set_choices},
}};
using Seen = std::bitset<kSingles.size()>;

template <class Ref>
Checked take_party(const Part& part, std::vector<Ref>& wanted, std::vector<Ref>& excluded) {
  if (part.comparison != Comparison::Equal && part.comparison != Comparison::NotEqual) {
    return fail(FilterError::WrongComparison);
  }
  add(part.comparison == Comparison::Equal ? wanted : excluded, part.value);
  return {};
}

Checked take(Filter& filter, Seen& seen, std::string_view text) {
  HM_TRY(const Part part, split(text));
  if (const auto single = std::ranges::find(kSingles, part.key, &Single::key);
      single != kSingles.end()) {
    const auto index = static_cast<std::size_t>(single - kSingles.begin());
    if (part.comparison != single->comparison) return fail(FilterError::WrongComparison);
    if (seen[index]) return fail(FilterError::Repeated);
    seen.set(index);
    return single->set(filter, part.value);
  }
  if (part.key == "owner") return take_party(part, filter.owners, filter.excluded_owners);
  if (part.key == "node") return take_party(part, filter.nodes, filter.excluded_nodes);
  Requirement wanted = requirement(std::string(part.key), part.comparison, std::string(part.value));
  if (is_order(part.comparison) && !wanted.number) return fail(FilterError::BadNumber);
  filter.requirements.push_back(std::move(wanted));
  return {};
}

// Up to the next comma outside quotation marks.
std::size_t part_length(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kQuote) quoted = !quoted;
    if (text[i] == ',' && !quoted) return i;
  }
  return text.size();
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

Result<Filter, FilterFault> parse_filter(std::string_view text, Filter base) {
  if (text.size() > kMaxFilterText) return fail(FilterFault{FilterError::TooLong, 0, text.size()});
  if (!is_utf8(text)) return fail(FilterFault{FilterError::BadText, 0, text.size()});
  if (const auto bad = std::ranges::find_if(text, is_control); bad != text.end()) {
    const auto position = static_cast<std::size_t>(bad - text.begin());
    return fail(FilterFault{FilterError::BadText, position, 1});
  }
  if (text.empty()) return base;
  Seen seen;
  std::size_t at = 0;
  for (std::size_t parts = 1;; ++parts) {
    const std::size_t length = part_length(text.substr(at));
    if (parts > kMaxFilterParts) return fail(FilterFault{FilterError::TooManyParts, at, length});
    if (const auto taken = take(base, seen, text.substr(at, length)); !taken) {
      return fail(FilterFault{taken.error(), at, length});
    }
    at += length;
    if (at == text.size()) return base;
    ++at;
  }
}

}  // namespace hm::scheduling
