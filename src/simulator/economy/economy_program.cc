// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy_program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "simulator/economy/economy.h"

namespace hm::simulator {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

int run_economy_program(const std::vector<std::string>& arguments) {
  CLI::App app{"Draws operations of every kind on one ledger and checks it after every block."};
  EconomyPlan plan;
  bool is_asked = false;  // it is why this runs at all
  app.add_flag(kEconomyFlag, is_asked, "run the random economy");
  app.add_option("--operations", plan.operations, "how many operations")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", plan.seed, "what the run is drawn from");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // Said first: if the ledger itself stops the program, this is what is left to repeat it.
  fmt::print(stderr, "repeat: {}\n", repeat_command(arguments.front(), plan));
  Economy economy(plan);
  const auto begin = Clock::now();
  auto last_note = begin;
  while (economy.step()) {
    if (seconds_since(last_note) < 5) continue;
    last_note = Clock::now();
    fmt::print(stderr, "{} of {} operations, {:.0f} a second\n", economy.operations(),
               plan.operations, static_cast<double>(economy.operations()) / seconds_since(begin));
  }
  const double seconds = seconds_since(begin);
  fmt::print("{}", economy.report());
  fmt::print("{:.1f} s, {:.0f} operations a second; trace hash {:016x}\n", seconds,
             static_cast<double>(economy.operations()) / seconds, economy.trace_hash());
  if (!economy.violation()) return 0;
  fmt::print(stderr, "seed {} violated: {}: {}\nrepeat: {}\n", plan.seed,
             economy.violation()->check, economy.violation()->what,
             repeat_command(arguments.front(), plan));
  return 1;
}

}  // namespace hm::simulator
