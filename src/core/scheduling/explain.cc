// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "core/scheduling/placement.h"

namespace hm::scheduling {
namespace {

enum class Numbers : std::uint8_t { Plain, Caes, Millis };

struct Rule {
  Reason reason;
  std::string_view name;
  Numbers numbers;
  // {g} and {w} stand for the numbers given and wanted.
  std::string_view sentence;
};

// In the order of the enumeration.
constexpr std::array<Rule, static_cast<std::size_t>(kLastReason) + 1> kRules = {{
    {Reason::WrongKind, "wrong_kind", Numbers::Plain, "it is of another kind"},
    {Reason::OwnerNotListed, "owner_not_listed", Numbers::Plain,
     "its owner is none of those wanted"},
    {Reason::NodeNotListed, "node_not_listed", Numbers::Plain, "its node is none of those wanted"},
    {Reason::OwnerExcluded, "owner_excluded", Numbers::Plain, "its owner is excluded"},
    {Reason::NodeExcluded, "node_excluded", Numbers::Plain, "its node is excluded"},
    {Reason::DescriptorLacks, "descriptor_lacks", Numbers::Plain, "it does not have {r}"},
    {Reason::TrustTooLow, "trust_too_low", Numbers::Plain,
     "its trust is {g}; at least {w} is wanted"},
    {Reason::DistanceUnknown, "distance_unknown", Numbers::Millis,
     "its round-trip time is not measured; at most {w} ms is wanted"},
    {Reason::TooFar, "too_far", Numbers::Millis,
     "its round-trip time is {g} ms; at most {w} ms is wanted"},
    {Reason::NotConnected, "not_connected", Numbers::Plain, "its node cannot be reached"},
    {Reason::NotAllowed, "not_allowed", Numbers::Plain, ""},
    {Reason::CostTooHigh, "cost_too_high", Numbers::Caes,
     "the lease would cost {g} CAES; at most {w} CAES is wanted"},
    {Reason::RankedLower, "ranked_lower", Numbers::Plain,
     "it would do, but of {g} that would the best {w} were asked for"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<std::size_t>(kRules[i].reason) != i) return false;
  }
  return true;
}
static_assert(in_order());

const Rule& rule_of(Reason reason) { return kRules.at(static_cast<std::size_t>(reason)); }

// Milliseconds of microseconds, without trailing zeros.
std::string millis(std::uint64_t micros) {
  std::string text = std::to_string(micros / 1000);
  std::string rest = std::to_string(1000 + micros % 1000).substr(1);
  rest.resize(rest.find_last_not_of('0') + 1);
  return rest.empty() ? text : text + "." + rest;
}

std::string number(Numbers kind, std::uint64_t value) {
  switch (kind) {
    case Numbers::Plain: return std::to_string(value);
    case Numbers::Millis: return millis(value);
    case Numbers::Caes: break;
  }
  // A cost beyond all CAES has no number.
  if (value > caesar::kMaxSupply.value) return "more than " + caesar::to_string(caesar::kMaxSupply);
  return caesar::to_string(caesar::Amount{value});
}

void replace(std::string& text, std::string_view mark, const std::string& value) {
  if (const std::size_t at = text.find(mark); at != std::string::npos) {
    text.replace(at, mark.size(), value);
  }
}

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

// Nothing but its size stands against the candidate.
bool is_usable(const Rejection& rejection) {
  return rejection.reason == Reason::RankedLower ||
         (rejection.deny && rejection.deny->rule == privacy::Rule::NotEnoughFree);
}

}  // namespace

std::string_view name_of(Reason reason) { return rule_of(reason).name; }

std::string explain(const Rejection& rejection, const Filter& filter) {
  if (rejection.deny) return privacy::explain(privacy::Decision(*rejection.deny));
  const Rule& rule = rule_of(rejection.reason);
  std::string text(rule.sentence);
  replace(text, "{g}", number(rule.numbers, rejection.given));
  replace(text, "{w}", number(rule.numbers, rejection.wanted));
  if (rejection.reason == Reason::DescriptorLacks &&
      rejection.wanted < filter.requirements.size()) {
    replace(text, "{r}", to_string(filter.requirements[rejection.wanted]));
  }
  return text;
}

Totals totals(const Plan& plan, std::span<const Candidate> candidates) {
  Totals totals;
  std::map<identity::NodeId, std::uint64_t> by_node;
  const auto count = [&](const Candidate& candidate) {
    const std::uint64_t free = candidate.facts.free;
    ++totals.assets;
    totals.free = saturating_sum(totals.free, free);
    totals.largest_asset = std::max(totals.largest_asset, free);
    std::uint64_t& on_node = by_node[candidate.facts.node];
    on_node = saturating_sum(on_node, free);
    totals.largest_node = std::max(totals.largest_node, on_node);
  };
  for (const Choice& choice : plan.choices) count(candidates[choice.candidate]);
  for (const Rejection& rejection : plan.rejections) {
    if (is_usable(rejection)) count(candidates[rejection.candidate]);
  }
  return totals;
}

bool is_fragmented(const Totals& totals, const Filter& filter) {
  return totals.free >= filter.quantity && totals.largest_asset < filter.quantity;
}

std::string explain(const Totals& totals, const Filter& filter) {
  std::string text = std::to_string(totals.free) + " free on " + std::to_string(totals.assets) +
                     " assets, at most " + std::to_string(totals.largest_asset) +
                     " on one asset and " + std::to_string(totals.largest_node) + " on one node; " +
                     std::to_string(filter.quantity) + " wanted";
  if (is_fragmented(totals, filter)) text += ": enough in sum, but no single asset is large enough";
  return text;
}

}  // namespace hm::scheduling
