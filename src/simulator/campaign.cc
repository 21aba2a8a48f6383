// SPDX-License-Identifier: Apache-2.0
#include "simulator/campaign.h"

#include <fmt/format.h>

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::simulator {
namespace {

std::int64_t milliseconds_of(Duration duration) { return duration / std::chrono::milliseconds(1); }

std::size_t draw_nodes(SimRandom& random) {
  const std::uint64_t ticket = random.below(10);
  if (ticket < 6) return 4;
  return ticket < 9 ? 7 : 10;
}

const WorldKind& draw_kind(SimRandom& random, const std::vector<WorldKind>& kinds) {
  std::uint64_t total = 0;
  for (const WorldKind& kind : kinds) total += kind.share;
  std::uint64_t ticket = random.below(total);
  for (const WorldKind& kind : kinds) {
    if (ticket < kind.share) return kind;
    ticket -= kind.share;
  }
  return kinds.back();
}

std::string json_counts(const std::map<std::string, std::uint64_t>& counts) {
  std::string text = "{";
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}\"{}\": {}", text.size() > 1 ? ", " : "", name, count);
  }
  return text + "}";
}

std::string list_counts(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  }
  return text.empty() ? "none" : text;
}

std::string list_texts(const std::vector<std::string>& texts) {
  return texts.empty() ? "" : fmt::format(" ({})", fmt::join(texts, ", "));
}

std::string json_texts(const std::vector<std::string>& texts) {
  return texts.empty() ? "" : fmt::format("\"{}\"", fmt::join(texts, "\", \""));
}

}  // namespace

Trial choose(std::uint64_t seed, const Campaign& campaign, const std::vector<WorldKind>& kinds) {
  HM_CHECK(!kinds.empty());
  // Every choice is drawn whether it is used or not, so that naming one does not shift the others.
  SimRandom random(seed);
  Trial run;
  run.kind = &draw_kind(random, kinds);
  run.plan.seed = seed;
  run.plan.nodes = draw_nodes(random);
  const auto names = scenario_names();
  run.plan.scenario = names[random.below(names.size())];
  if (campaign.world) {
    const auto found = std::ranges::find(kinds, *campaign.world, &WorldKind::name);
    HM_CHECK(found != kinds.end());
    run.kind = &*found;
  }
  if (campaign.nodes) run.plan.nodes = *campaign.nodes;
  if (campaign.scenario) run.plan.scenario = *campaign.scenario;
  run.plan.fault_time = campaign.fault_time;
  run.plan.trace = campaign.trace;
  run.plan.allowed = campaign.allowed;
  return run;
}

Outcome run_world(const Trial& run) { return run.kind->make(run.plan)->run(); }

std::string repeat_command(const std::string& program, const Trial& run) {
  std::string command =
      fmt::format("{} --seed {} --world {} --nodes {} --scenario {} --fault-seconds {} --trace",
                  program, run.plan.seed, run.kind->name, run.plan.nodes, run.plan.scenario,
                  run.plan.fault_time / std::chrono::seconds(1));
  for (const std::string& check : run.plan.allowed) command += " --allow " + check;
  return command;
}

void Figures::add(const Trial& run, const Outcome& outcome) {
  ++seeds;
  if (outcome.violation) {
    ++failures;
    if (violations.size() < kMostListed) {
      violations.push_back(fmt::format("{}: {}", run.plan.seed, outcome.violation->check));
    }
  }
  steps += outcome.steps;
  messages += outcome.messages;
  views += outcome.views;
  final_blocks += outcome.final_blocks;
  acknowledged += outcome.acknowledged;
  simulated += outcome.simulated;
  if (outcome.recovery > longest_recovery) {
    longest_recovery = outcome.recovery;
    longest_recovery_seed = run.plan.seed;
  }
  longest_convergence = std::max(longest_convergence, outcome.convergence);
  for (const auto& [kind, count] : outcome.faults) faults[kind] += count;
  ++worlds[run.kind->name];
  ++scenarios[run.plan.scenario];
}

std::string Figures::text() const {
  return fmt::format(
      "seeds                {} ({})\n"
      "failures             {}{}\n"
      "simulated time       {} s\n"
      "views                {}\n"
      "final blocks         {}\n"
      "acknowledged ops     {}\n"
      "messages delivered   {}\n"
      "events               {}\n"
      "longest recovery     {} ms (seed {})\n"
      "longest convergence  {} ms\n"
      "faults               {}\n",
      seeds, list_counts(worlds), failures, list_texts(violations),
      simulated / std::chrono::seconds(1), views, final_blocks, acknowledged, messages, steps,
      milliseconds_of(longest_recovery), longest_recovery_seed,
      milliseconds_of(longest_convergence), list_counts(faults));
}

std::string Figures::json() const {
  return fmt::format(
      "{{\"schema\": 1, \"seeds\": {}, \"failures\": {}, \"violations\": [{}], \"simulated_ms\": "
      "{}, \"views\": {}, "
      "\"final_blocks\": {}, \"acknowledged\": {}, \"messages\": {}, \"events\": {}, "
      "\"longest_recovery_ms\": {}, \"longest_recovery_seed\": {}, "
      "\"longest_convergence_ms\": {}, \"worlds\": {}, \"scenarios\": {}, \"faults\": {}}}",
      seeds, failures, json_texts(violations), milliseconds_of(simulated), views, final_blocks,
      acknowledged, messages, steps, milliseconds_of(longest_recovery), longest_recovery_seed,
      milliseconds_of(longest_convergence), json_counts(worlds), json_counts(scenarios),
      json_counts(faults));
}

}  // namespace hm::simulator
