// SPDX-License-Identifier: Apache-2.0
// The random economy is the same run for the same seed, and its checks notice what they are for.
#include "simulator/economy/economy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ranges>

#include "foundation/base/check.h"
#include "simulator/economy/economy_audit.h"

namespace hm::simulator {
namespace {

using ledger::Tables;

bool is_under_a_grant(const ledger::LeaseRecord& lease) {
  return lease.is_open() && lease.placement.choice.grant;
}

// An economy in full swing: somebody leases something under a grant.
const Economy& running() {
  static const Economy& economy = *[] {
    auto* made = new Economy({.seed = 3, .operations = 40'000});
    const auto is_lent = [&] {
      return std::ranges::any_of(made->ledger().tables().leases | std::views::values,
                                 is_under_a_grant);
    };
    while ((made->operations() < 8'000 || !is_lent()) && made->step()) {
    }
    return made;
  }();
  return economy;
}

std::string check_of(const std::function<void(Tables&)>& tamper) {
  Tables tables = running().ledger().tables();
  tamper(tables);
  const auto finding = audit(tables);
  return finding ? finding->check : "none";
}

ledger::LeaseRecord& open_lease(Tables& tables) {
  const auto found = std::ranges::find_if(
      tables.leases, [](const auto& row) { return is_under_a_grant(row.second); });
  HM_CHECK(found != tables.leases.end());
  return found->second;
}

TEST(EconomyAudit, FindsNothingWrongWithARunningEconomy) {
  ASSERT_FALSE(running().violation());
  EXPECT_EQ(check_of([](Tables&) {}), "none");
}

TEST(EconomyAudit, NoticesALostUnit) {
  EXPECT_EQ(check_of([](Tables& tables) { --tables.owners.begin()->second.account.balance.value; }),
            "conservation");
  EXPECT_EQ(check_of([](Tables& tables) { --tables.supply.minted.value; }), "conservation");
  EXPECT_EQ(check_of([](Tables& tables) { ++open_lease(tables).escrow.value; }), "conservation");
}

TEST(EconomyAudit, NoticesABalanceBelowNothing) {
  EXPECT_EQ(check_of([](Tables& tables) {
              tables.owners.begin()->second.account.balance.value = UINT64_MAX;
            }),
            "conservation");
}

TEST(EconomyAudit, NoticesAnOverCommittedAsset) {
  EXPECT_EQ(check_of([](Tables& tables) {
              auto& [hash, use] = *tables.asset_uses.begin();
              tables.assets.at(hash).terms.quantity.offered = use.leased - 1;
            }),
            "over_commit");
  EXPECT_EQ(check_of([](Tables& tables) {
              const auto& hash = open_lease(tables).placement.choice.asset.hash;
              tables.assets.at(hash).terms.state = assets::AssetState::Retired;
            }),
            "over_commit");
}

TEST(EconomyAudit, NoticesALeaseThatWasUsedMoreThanItWasThere) {
  EXPECT_EQ(check_of([](Tables& tables) { open_lease(tables).placement.tenant_used = UINT64_MAX; }),
            "lease");
  EXPECT_EQ(check_of([](Tables& tables) { open_lease(tables).placement.counted_ms = UINT64_MAX; }),
            "lease");
}

TEST(EconomyAudit, NoticesALeaseThatWasOutvotedAndGoesOn) {
  EXPECT_EQ(check_of([](Tables& tables) {
              open_lease(tables).placement.end = ledger::LeaseEnd::WrongResult;
            }),
            "lease");
}

TEST(EconomyAudit, NoticesALeaseThatHoldsLessThanCanGoBackToAnAllowance) {
  EXPECT_EQ(check_of([](Tables& tables) {
              auto& lease = open_lease(tables);
              lease.allowance_held.value = lease.escrow.value + 1;
            }),
            "lease");
}

TEST(EconomyAudit, NoticesUsesThatAreNotThoseOfTheLeases) {
  EXPECT_EQ(check_of([](Tables& tables) { ++tables.asset_uses.begin()->second.leased; }),
            "asset_use");
  EXPECT_EQ(check_of([](Tables& tables) { tables.asset_uses.begin()->second.leases.pop_back(); }),
            "asset_use");
  EXPECT_EQ(check_of([](Tables& tables) {
              const auto& placement = open_lease(tables).placement;
              ++tables.grant_uses.at({placement.provider, *placement.choice.grant}).open_leases;
            }),
            "grant_use");
  EXPECT_EQ(check_of([](Tables& tables) {
              const auto& placement = open_lease(tables).placement;
              tables.grants.erase({placement.provider, *placement.choice.grant});
            }),
            "grant_use");
}

TEST(EconomyAudit, NoticesCountersAndStakeThatDoNotAddUp) {
  EXPECT_EQ(check_of([](Tables& tables) { ++tables.owners.begin()->second.leases; }),
            "owner_counter");
  EXPECT_EQ(check_of([](Tables& tables) { ++tables.owners.begin()->second.grants; }),
            "owner_counter");
  EXPECT_EQ(check_of([](Tables& tables) { ++tables.validators.begin()->second.delegated.shares; }),
            "stake");
  EXPECT_EQ(check_of([](Tables& tables) {
              tables.unbondings[tables.owners.begin()->first].entries.push_back(
                  {caesar::Amount{1}, UnixMillis{UINT64_MAX}});
            }),
            "unbonding");
}

// The flows see what no count can: units that moved to somebody whom they do not belong to.
TEST(EconomyFlows, NoticeAnOperationThatNobodySaw) {
  Cast cast(5);
  SimRandom random(5);
  const ledger::Genesis genesis = cast.genesis(random);
  auto ledger = ledger::Ledger::from_genesis(genesis);
  Flows flows(ledger);
  const identity::OwnerId from = cast.people[1].id;
  const ledger::PreparedOperation transfer{
      .id = {},
      .operation = {.chain_id = ledger.chain().chain_id,
                    .actor = from,
                    .sequence = 1,
                    .anchor = ledger.anchor(),
                    .expiry_height = 10,
                    .action = ledger::TransferCaes{cast.people[2].id, caesar::Amount{1}},
                    .proofs = {}},
      .key = cast.people[1].sets[0].ed25519().public_key()};
  auto outcome = ledger.apply({1, {}, genesis.time}, {&transfer, 1});
  ASSERT_FALSE(outcome.receipts[0].refused);
  const auto finding = flows.after_block(ledger, {}, {});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->check, "flow");
}

TEST(Economy, TheSameSeedIsTheSameRun) {
  const auto run = [](std::uint64_t seed) {
    Economy economy({.seed = seed, .operations = 3'000});
    while (economy.step()) {
    }
    return std::pair(economy.ledger().root(), economy.trace_hash());
  };
  const auto first = run(11);
  EXPECT_EQ(first, run(11));
  EXPECT_NE(first, run(12));
}

TEST(Economy, ARunThatNeverTriedAnActionFails) {
  Economy economy({.seed = 1, .operations = 10});
  while (economy.step()) {
  }
  ASSERT_TRUE(economy.violation());
  EXPECT_EQ(economy.violation()->check, "coverage");
}

TEST(Economy, TheRepeatCommandNamesSeedAndLength) {
  EXPECT_EQ(repeat_command("hypermesh-sim", {.seed = 7, .operations = 12}),
            "hypermesh-sim --economy --operations 12 --seed 7");
}

}  // namespace
}  // namespace hm::simulator
