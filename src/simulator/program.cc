// SPDX-License-Identifier: Apache-2.0
#include "simulator/program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace hm::simulator {
namespace {

constexpr std::size_t kMostNodes = 100;

struct Options {
  Campaign campaign;
  std::string seeds = "1..200";
  std::optional<std::uint64_t> seed;
  std::int64_t fault_seconds = 8;
  bool json = false;
  bool twice = false;
  bool keep_going = false;
};

bool parse_range(const std::string& text, std::uint64_t& first, std::uint64_t& last) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return false;
  const auto number = [](std::string_view digits, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  const std::string_view view(text);
  return number(view.substr(0, dots), first) && number(view.substr(dots + 2), last) &&
         first <= last;
}

void declare(CLI::App& app, Options& options, const std::vector<WorldKind>& kinds) {
  app.add_option("--seeds", options.seeds, "seeds to run, both included: A..B");
  app.add_option("--seed", options.seed, "one seed");
  app.add_option("--nodes", options.campaign.nodes, "validators; otherwise 4, 7 or 10 by the seed")
      ->check(CLI::Range(std::size_t{1}, kMostNodes));
  std::vector<std::string> worlds{"all"};
  for (const WorldKind& kind : kinds) worlds.push_back(kind.name);
  app.add_option("--world", options.campaign.world, "what runs on the machines")
      ->check(CLI::IsMember(worlds));
  const auto names = scenario_names();
  app.add_option("--scenario", options.campaign.scenario, "faults; otherwise by the seed")
      ->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())));
  app.add_option("--fault-seconds", options.fault_seconds, "virtual time with load and faults")
      ->check(CLI::Range(1, 3600));
  app.add_option("--allow", options.campaign.allowed, "a check that may be violated");
  app.add_flag("--trace", options.campaign.trace, "print every event to standard error");
  app.add_flag("--twice", options.twice, "run each seed twice and compare the traces");
  app.add_flag("--keep-going", options.keep_going, "do not stop at the first failure");
  app.add_flag("--json", options.json, "figures as JSON on standard output");
  app.add_flag_callback(
      "--long", [&options] { options.fault_seconds = 60; }, "a minute of faults for each seed");
}

void report_failure(const std::string& program, const Trial& run, const Violation& violation) {
  fmt::print(stderr, "seed {} violated: {}: {}\nrepeat: {}\n", run.plan.seed, violation.check,
             violation.what, repeat_command(program, run));
}

Outcome run_checked(const Trial& run, bool twice) {
  Outcome outcome = run_world(run);
  if (!twice || outcome.violation) return outcome;
  const Outcome again = run_world(run);
  if (again.trace_hash != outcome.trace_hash) {
    outcome.violation = Violation{"determinism", "the second run of this seed differs"};
  }
  return outcome;
}

int run_campaign(const std::string& program, const Options& options,
                 const std::vector<WorldKind>& kinds) {
  Figures figures;
  const Campaign& campaign = options.campaign;
  auto last_note = std::chrono::steady_clock::now();
  for (std::uint64_t seed = campaign.first; seed <= campaign.last; ++seed) {
    const Trial run = choose(seed, campaign, kinds);
    const Outcome outcome = run_checked(run, options.twice);
    figures.add(run, outcome);
    if (outcome.violation) {
      report_failure(program, run, *outcome.violation);
      if (!options.keep_going) break;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last_note > std::chrono::seconds(5)) {
      last_note = now;
      fmt::print(stderr, "seed {} of {}..{}, {} failures\n", seed, campaign.first, campaign.last,
                 figures.failures);
    }
    if (options.seed) fmt::print(stderr, "trace hash {:016x}\n", outcome.trace_hash);
  }
  fmt::print("{}\n", options.json ? figures.json() : figures.text());
  return figures.failures > 0 ? 1 : 0;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const std::vector<WorldKind>& kinds) {
  CLI::App app{"Runs meshes in virtual time, with faults, and checks them at every step."};
  app.footer("hypermesh-sim --economy --help: the random economy on one ledger.");
  Options options;
  declare(app, options, kinds);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  if (options.seed) {
    options.campaign.first = options.campaign.last = *options.seed;
  } else if (!parse_range(options.seeds, options.campaign.first, options.campaign.last)) {
    fmt::print(stderr, "--seeds {} is not A..B with A at most B\n", options.seeds);
    return 2;
  }
  if (options.campaign.world == "all") options.campaign.world.reset();
  options.campaign.fault_time = std::chrono::seconds(options.fault_seconds);
  return run_campaign(arguments.front(), options, kinds);
}

}  // namespace hm::simulator
