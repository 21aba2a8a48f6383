// SPDX-License-Identifier: Apache-2.0
// One seed is one run, and every scenario of the table runs.
#include "simulator/campaign.h"

#include <gtest/gtest.h>

#include <set>

#include "simulator/consensus_world.h"
#include "simulator/node_world.h"

namespace hm::simulator {
namespace {

const std::vector<WorldKind> kKinds = {
    {.name = "consensus", .make = make_consensus_world, .share = 1},
    {.name = "node", .make = make_node_world, .share = 1}};

Campaign short_campaign() {
  Campaign campaign;
  campaign.fault_time = std::chrono::seconds(2);
  return campaign;
}

TEST(Campaign, TheSameSeedGivesBitForBitTheSameRun) {
  std::set<std::uint64_t> hashes;
  for (const WorldKind& kind : kKinds) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Campaign campaign = short_campaign();
      campaign.world = kind.name;
      campaign.nodes = 4;
      campaign.scenario = "mix";
      const Trial run = choose(seed, campaign, kKinds);
      const Outcome first = run_world(run);
      const Outcome second = run_world(run);
      EXPECT_EQ(first.trace_hash, second.trace_hash) << kind.name << " seed " << seed;
      EXPECT_EQ(first.steps, second.steps);
      EXPECT_EQ(first.final_blocks, second.final_blocks);
      EXPECT_FALSE(first.violation) << first.violation->check << ": " << first.violation->what;
      EXPECT_GT(first.messages, 100u);
      hashes.insert(first.trace_hash);
    }
  }
  EXPECT_EQ(hashes.size(), 8u) << "other seeds are other runs";
}

TEST(Campaign, NamingWhatTheSeedWouldDrawChangesNothing) {
  const Trial drawn = choose(17, short_campaign(), kKinds);
  Campaign named = short_campaign();
  named.world = drawn.kind->name;
  named.nodes = drawn.plan.nodes;
  named.scenario = drawn.plan.scenario;
  EXPECT_EQ(run_world(choose(17, named, kKinds)).trace_hash, run_world(drawn).trace_hash);
}

TEST(Campaign, EveryScenarioMakesProgressOnFourNodes) {
  for (const std::string_view name : scenario_names()) {
    Campaign campaign = short_campaign();
    campaign.world = "consensus";
    campaign.nodes = 4;
    campaign.scenario = name;
    const Outcome outcome = run_world(choose(5, campaign, kKinds));
    EXPECT_FALSE(outcome.violation)
        << name << ": " << outcome.violation->check << ": " << outcome.violation->what;
    EXPECT_GT(outcome.final_blocks, 0u) << name;
    EXPECT_GT(outcome.acknowledged, 0u) << name;
  }
}

TEST(Campaign, TheRepeatCommandNamesEverythingThatWasDrawn) {
  const Trial run = choose(3, short_campaign(), kKinds);
  const std::string command = repeat_command("hypermesh-sim", run);
  EXPECT_NE(command.find("--seed 3"), std::string::npos);
  EXPECT_NE(command.find("--world " + run.kind->name), std::string::npos);
  EXPECT_NE(command.find("--scenario " + run.plan.scenario), std::string::npos);
}

}  // namespace
}  // namespace hm::simulator
