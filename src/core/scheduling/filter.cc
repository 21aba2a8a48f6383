// SPDX-License-Identifier: Apache-2.0
#include "core/scheduling/filter.h"

#include <array>

#include "core/scheduling/words.h"

namespace hm::scheduling {
namespace {

struct Rule {
  std::string_view name;
  std::string_view sentence;
};
// In the order of the enumeration.
constexpr std::array<Rule, static_cast<std::size_t>(kLastFilterError) + 1> kRules = {{
    {"too_long", "a filter has at most 4096 bytes"},
    {"too_many_parts", "a filter has at most 64 parts"},
    {"bad_text", "a filter is UTF-8 without control characters"},
    {"empty_part", "nothing stands between two commas"},
    {"no_comparison", "a part is a key, one of = != < <= > >= ~= and a value, or has:ITEM"},
    {"bad_key", "a key is 1 to 48 of a-z 0-9 _ . without spaces"},
    {"wrong_comparison",
     "kind, quantity, duration, network and choices take =, price, cost and rtt <=, trust >=, "
     "owner "
     "and node = or !="},
    {"bad_quotes", "quotation marks stand around the whole value, with none inside"},
    {"bad_value",
     "a value has 1 to 512 bytes; one with a space at an end stands in quotation marks"},
    {"bad_number",
     "a number is digits, then nothing, k M G T P or Ki Mi Gi Ti Pi, and B if you like"},
    {"bad_time", "a time is digits, then us, ms, s, m, h or d"},
    {"bad_price", "a price is CAES such as 0.5, or 0.5/1073741824 for so many units"},
    {"bad_kind", "the kinds are cpu, gpu, memory, storage, network, container and economic"},
    {"bad_network", "the network classes are none, mesh and internet"},
    {"out_of_range",
     "trust is 0 to 1000, choices are 1 to 8, quantities and times at least 1, and a duration is "
     "whole milliseconds"},
    {"repeated", "this key was given before"},
}};
static_assert(kMaxFilterText == 4096 && kMaxFilterParts == 64 && kMaxTrust == 1000 &&
              kMaxChoices == 8 && assets::kMaxDescriptorKey == 48 &&
              assets::kMaxDescriptorText == 512);

const Rule& rule_of(FilterError error) { return kRules.at(static_cast<std::size_t>(error)); }

std::string quoted(std::string_view value) {
  const bool plain = !value.contains(',') && !value.starts_with(' ') && !value.ends_with(' ');
  if (plain) return std::string(value);
  return kQuote + std::string(value) + kQuote;
}

// In the largest unit that gives a whole number.
std::string time_text(std::uint64_t count, std::uint64_t unit_us) {
  for (const TimeUnit& unit : kTimeUnits) {
    if (unit.micros < unit_us) break;
    if (const std::uint64_t factor = unit.micros / unit_us; count % factor == 0) {
      return std::to_string(count / factor) + std::string(unit.name);
    }
  }
  return std::to_string(count);
}

template <class Ref>
void append_parties(std::string& text, std::string_view key, const std::vector<Ref>& parties) {
  for (const Ref& party : parties) {
    const auto* name = std::get_if<std::string>(&party);
    text +=
        "," + std::string(key) + (name != nullptr ? quoted(*name) : std::get<0>(party).to_string());
  }
}

}  // namespace

std::string_view name_of(FilterError error) { return rule_of(error).name; }

std::string to_string(const Requirement& requirement) {
  return requirement.key + std::string(symbol_of(requirement.comparison)) +
         quoted(requirement.text);
}

std::string to_string(const Filter& filter) {
  std::string text = "kind=" + std::string(assets::name_of(filter.kind));
  text += ",quantity=" + std::to_string(filter.quantity);
  text += ",duration=" + time_text(filter.duration_ms, 1000);
  text += ",network=" + std::string(kNetworkClasses.at(static_cast<std::size_t>(filter.network)));
  if (filter.highest_price) text += ",price<=" + caesar::to_string(*filter.highest_price);
  if (filter.highest_cost) text += ",cost<=" + caesar::to_string(*filter.highest_cost);
  text += ",trust>=" + std::to_string(filter.least_trust);
  if (filter.longest_rtt_us) text += ",rtt<=" + time_text(*filter.longest_rtt_us, 1);
  text += ",choices=" + std::to_string(filter.choices);
  append_parties(text, "owner=", filter.owners);
  append_parties(text, "owner!=", filter.excluded_owners);
  append_parties(text, "node=", filter.nodes);
  append_parties(text, "node!=", filter.excluded_nodes);
  for (const Requirement& wanted : filter.requirements) text += "," + to_string(wanted);
  return text;
}

std::string explain(const FilterFault& fault, std::string_view text) {
  std::string sentence;
  const bool shows_part =
      fault.error != FilterError::TooLong && fault.error != FilterError::BadText;
  if (shows_part) sentence = "'" + std::string(text.substr(fault.position, fault.length)) + "' ";
  return sentence + "at " + std::to_string(fault.position) + ": " +
         std::string(rule_of(fault.error).sentence);
}

}  // namespace hm::scheduling
