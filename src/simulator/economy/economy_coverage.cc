// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy_coverage.h"

#include <fmt/format.h>

#include <set>

namespace hm::simulator {
namespace {

// Evidence of faults comes out of consensus, which this world does not have.
bool is_drawn(std::size_t action) {
  return action != ledger::Action(ledger::ReportFault{}).index();
}

}  // namespace

std::uint64_t Coverage::Row::refusals() const {
  std::uint64_t sum = 0;
  for (const auto& [rule, count] : refused) sum += count;
  return sum;
}

void Coverage::note(const ledger::Action& action, const std::optional<ledger::Refused>& refused) {
  Row& row = rows_[action.index()];
  names_[action.index()] = ledger::name_of(action);
  if (refused) {
    ++row.refused[refused->rule];
  } else {
    ++row.applied;
  }
}

std::uint64_t Coverage::applied() const {
  std::uint64_t sum = 0;
  for (const Row& row : rows_) sum += row.applied;
  return sum;
}

std::uint64_t Coverage::refused() const {
  std::uint64_t sum = 0;
  for (const Row& row : rows_) sum += row.refusals();
  return sum;
}

std::string Coverage::gaps() const {
  std::string text;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const bool is_applied = rows_[i].applied > 0;
    const bool is_refused = !rows_[i].refused.empty();
    if ((is_applied && is_refused) || !is_drawn(i)) continue;
    text += fmt::format("{}action {} ({}) was never {}", text.empty() ? "" : ", ", i, names_[i],
                        is_applied   ? "refused"
                        : is_refused ? "applied"
                                     : "tried");
  }
  return text;
}

std::string Coverage::table() const {
  std::string text =
      fmt::format("{:<19}{:>10}{:>10}  refused by\n", "action", "applied", "refused");
  std::set<ledger::Refusal> seen;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!is_drawn(i)) continue;
    std::string rules;
    for (const auto& [rule, count] : rows_[i].refused) {
      seen.insert(rule);
      rules += fmt::format("{}{} {}", rules.empty() ? "" : ", ", ledger::name_of(rule), count);
    }
    text += fmt::format("{:<19}{:>10}{:>10}  {}\n", names_[i], rows_[i].applied,
                        rows_[i].refusals(), rules);
  }
  std::string unseen;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(ledger::kLastRefusal); ++i) {
    const auto rule = static_cast<ledger::Refusal>(i);
    if (seen.contains(rule)) continue;
    unseen += fmt::format("{}{}", unseen.empty() ? "" : ", ", ledger::name_of(rule));
  }
  return text + fmt::format("rules that refused nothing: {}\n", unseen.empty() ? "none" : unseen);
}

}  // namespace hm::simulator
