// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/trust_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/json_fields.h"
#include "core/trust/behaviour.h"

namespace hm::cli {

using nlohmann::ordered_json;

std::string count_in_words(std::uint64_t thousandths) {
  const std::uint64_t whole = thousandths / trust::kCountScale;
  std::string part = fmt::format("{:03}", thousandths % trust::kCountScale);
  while (!part.empty() && part.back() == '0') part.pop_back();
  return part.empty() ? std::to_string(whole) : fmt::format("{}.{}", whole, part);
}

std::string event_in_words(const std::string& name) {
  using enum trust::Event;
  constexpr std::array<std::pair<trust::Event, std::string_view>, trust::kEvents> kWords = {
      {{Witnessed, "intervals of leases of which both sides signed the same"},
       {Missed, "intervals in which it was silent where it could have signed"},
       {LeaseKept, "leases that ended as agreed"},
       {LeaseFailed, "leases that it let down after accepting"},
       {AuditPassed, "audits passed"},
       {AuditFailed, "audits failed"},
       {Disputed, "intervals of which the sides signed different readings; weighs nothing"},
       {Disagreement, "results that most other runs of the same thing contradict"}}};
  if (name == "neutral") return "where an unknown node stands";
  const auto found = std::ranges::find_if(
      kWords, [&](const auto& entry) { return trust::name_of(entry.first) == name; });
  return found == kWords.end() ? std::string() : std::string(found->second);
}

std::string trust_fault(const ordered_json& trust) {
  std::int64_t sum = 0;
  for (const ordered_json& term : list_of(trust, "terms")) sum += signed_of(term, "contribution");
  const std::int64_t score = signed_of(trust, "score");
  if (sum == score) return {};
  return fmt::format("the score is given as {}, its terms add up to {}", score, sum);
}

std::vector<std::string> trust_heads() { return {"TERM", "COUNT", "POINTS", "WHAT"}; }

std::vector<std::vector<Terminal::Cell>> trust_rows(const ordered_json& trust) {
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& term : list_of(trust, "terms")) {
    const std::string name = text_of(term, "name");
    const std::int64_t points = signed_of(term, "contribution");
    rows.push_back(
        {{name, Style::Plain},
         {name == "neutral" ? "" : count_in_words(number_of(term, "count")), Style::Plain},
         {fmt::format("{:+}", points), points < 0   ? Style::Bad
                                       : points > 0 ? Style::Good
                                                    : Style::Plain},
         {event_in_words(name), Style::Dim}});
  }
  return rows;
}

}  // namespace hm::cli
