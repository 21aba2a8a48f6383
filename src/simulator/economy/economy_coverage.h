// SPDX-License-Identifier: Apache-2.0
// What a run of the random economy has tried: for each kind of action how often it was applied and
// how often it was refused by which rule. A run that never saw one side of an action proves nothing
// about it, and fails.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "core/ledger/operation.h"

namespace hm::simulator {

class Coverage {
 public:
  void note(const ledger::Action& action, const std::optional<ledger::Refused>& refused);

  std::uint64_t applied() const;
  std::uint64_t refused() const;
  // What is missing, in words; empty if every action was applied and refused.
  std::string gaps() const;
  // One line for each action, and the rules that refused nothing.
  std::string table() const;

 private:
  struct Row {
    std::uint64_t applied = 0;
    std::map<ledger::Refusal, std::uint64_t> refused;
    std::uint64_t refusals() const;
  };
  std::array<Row, std::variant_size_v<ledger::Action>> rows_;
  std::array<std::string_view, std::variant_size_v<ledger::Action>> names_{};
};

}  // namespace hm::simulator
