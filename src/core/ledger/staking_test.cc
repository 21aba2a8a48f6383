// SPDX-License-Identifier: Apache-2.0
// Stake: bonding, delegating, the way back, what an epoch pays, demurrage and starter credit.
#include <gtest/gtest.h>

#include <functional>

#include "core/caesar/demurrage.h"
#include "core/ledger/limits.h"
#include "core/ledger/sample_lending.h"

namespace hm::ledger {
namespace {

using caesar::Amount;
using caesar::caes;
using sample::kDay;
using sample::key;
using sample::Market;
using sample::node_id;
using sample::owner_id;

std::optional<Refusal> rule(const std::optional<Refused>& refused) {
  return refused ? std::optional(refused->rule) : std::nullopt;
}

Genesis with_economy(const std::function<void(caesar::Economy&)>& change) {
  Genesis genesis = sample::genesis();
  change(genesis.economy);
  HM_CHECK(validate(genesis).has_value());
  return genesis;
}

caesar::Account account(const Market& m, std::uint32_t seed) {
  return m.ledger().account(owner_id(seed));
}

const ValidatorRecord& validator(const Market& m, std::uint32_t node) {
  return m.ledger().tables().validators.at(node_id(key(node)));
}

TEST(Staking, ABondIsLockedAndComesBackAfterTheUnbondingTime) {
  Market m;
  ASSERT_FALSE(m.by_owner(0, Bond{caes(100)}));
  EXPECT_EQ(account(m, 0), (caesar::Account{caes(900), caes(1'100), {}}));
  EXPECT_EQ(rule(m.by_owner(0, Bond{caes(901)})), Refusal::OverBalance);
  EXPECT_EQ(rule(m.by_owner(0, Unbond{Amount{caes(100).value + 1}})), Refusal::BondTied)
      << "the rest backs its validator";
  ASSERT_FALSE(m.by_owner(0, Unbond{caes(40)}));
  m.pass(1'000);
  ASSERT_FALSE(m.by_owner(0, Unbond{caes(60)}));
  EXPECT_EQ(account(m, 0), (caesar::Account{caes(900), caes(1'000), caes(100)}));
  EXPECT_EQ(rule(m.by_owner(0, TransferCaes{owner_id(1), caes(901)})), Refusal::OverBalance);

  const std::uint64_t time = m.ledger().chain().economy.unbonding_ms;
  m.wait(time - 1'001);
  EXPECT_EQ(account(m, 0).unbonding, caes(100));
  m.wait(1);
  EXPECT_EQ(account(m, 0), (caesar::Account{caes(940), caes(1'000), caes(60)}));
  EXPECT_EQ(m.ledger().owner(owner_id(0))->account.unbonding, caes(100)) << "nobody touched it";
  ASSERT_FALSE(m.by_owner(0, TransferCaes{owner_id(1), caes(940)}));
  m.wait(1'000);
  EXPECT_EQ(account(m, 0), (caesar::Account{caes(60), caes(1'000), {}}));
  ASSERT_FALSE(m.by_owner(0, TransferCaes{owner_id(1), caes(60)}));
  EXPECT_TRUE(m.ledger().tables().unbondings.empty());
}

TEST(Staking, WhatBacksRecordsStaysBonded) {
  Market m;
  // Owner 50 has no validator, and a bond for one record of a thousandth of a CAES.
  ASSERT_FALSE(m.by_owner(0, RegisterOwner{"small", sample::bundle(50), caes(5), caes(2)}));
  ASSERT_FALSE(m.by_owner(50, RegisterOwner{"child", sample::bundle(51), {}, {}}));
  EXPECT_EQ(rule(m.by_owner(50, Unbond{caes(2)})), Refusal::BondTied);
  EXPECT_FALSE(m.by_owner(50, Unbond{Amount{1'999'000'000}}));
}

TEST(Staking, AmountsWhoseTimeIsOverTakeNoPlaceAmongThoseThatWait) {
  Market m;
  ASSERT_FALSE(m.by_owner(0, Bond{caes(100)}));
  for (std::size_t i = 0; i < kMaxUnbondings; ++i) {
    ASSERT_FALSE(m.by_owner(0, Unbond{caes(1)}));
  }
  EXPECT_EQ(rule(m.by_owner(0, Unbond{caes(1)})), Refusal::TooManyUnbondings);
  m.wait(m.ledger().chain().economy.unbonding_ms);
  EXPECT_FALSE(m.by_owner(0, Unbond{caes(1)}));
  EXPECT_EQ(account(m, 0), (caesar::Account{caes(916), caes(1'083), caes(1)}));
}

TEST(Staking, AnUnbondingTimeWithoutEndNeverEnds) {
  Market m(with_economy([](auto& e) { e.unbonding_ms = UINT64_MAX; }));
  ASSERT_FALSE(m.by_owner(0, Bond{caes(10)}));
  ASSERT_FALSE(m.by_owner(0, Unbond{caes(10)}));
  m.wait(365 * kDay);
  EXPECT_EQ(account(m, 0).unbonding, caes(10));
}

TEST(Staking, DelegationsAreSharesThatComeBackThroughUnbonding) {
  Market m;
  const auto node = node_id(key(1000));
  ASSERT_FALSE(m.by_owner(1, Delegate{node, caes(300)}));
  EXPECT_EQ(validator(m, 1000).delegated, (caesar::DelegationPool{caes(300), caes(300).value}));
  EXPECT_EQ(account(m, 1).balance, caes(700));
  EXPECT_EQ(validator(m, 1000).stake, caes(1'000)) << "no voting weight";
  EXPECT_EQ(rule(m.by_owner(1, Delegate{node, caes(701)})), Refusal::OverBalance);
  EXPECT_EQ(rule(m.by_owner(2, Undelegate{node, 1})), Refusal::NotEnoughShares);
  EXPECT_EQ(rule(m.by_node(1001, Delegate{node, caes(1)})), Refusal::NodeMayNot);
  ASSERT_FALSE(m.by_owner(1, Undelegate{node, caes(100).value}));
  EXPECT_EQ(account(m, 1).unbonding, caes(100));
  ASSERT_FALSE(m.by_owner(1, Undelegate{node, caes(200).value}));
  EXPECT_TRUE(m.ledger().tables().delegations.empty());
  EXPECT_EQ(validator(m, 1000).delegated, caesar::DelegationPool{});
  m.wait(m.ledger().chain().economy.unbonding_ms);
  EXPECT_EQ(account(m, 1).balance, caes(1'000));
}

TEST(Staking, AnEpochPaysByStakeAndTheCommissionGoesToTheValidatorsOwner) {
  Market m(with_economy([](auto& e) {
    e.epoch_blocks = 4;
    e.epoch_emission = caes(100);
    e.provider_ppm = 500'000;
    e.commission_ppm = 100'000;
  }));
  ASSERT_FALSE(m.by_owner(1, Delegate{node_id(key(1000)), caes(1'000)}));
  const auto before = m.ledger().tables().supply.minted;
  while (m.ledger().height() < 4) m.wait(1);
  EXPECT_EQ(m.ledger().tables().supply.minted.value - before.value, caes(100).value);
  EXPECT_EQ(m.ledger().tables().pools.providers, caes(50));
  // 50 CAES over a stake of 5 000: 20 for the first, 10 for each of the others. Of the 20 the half
  // is the delegators', less a tenth.
  EXPECT_EQ(account(m, 0).balance, caes(1'011));
  EXPECT_EQ(validator(m, 1000).delegated.total, caes(1'009));
  EXPECT_EQ(account(m, 1).balance, caes(10));
  EXPECT_EQ(account(m, 2).balance, caes(1'010));
  ASSERT_FALSE(m.by_owner(1, Undelegate{node_id(key(1000)), caes(1'000).value}));
  EXPECT_EQ(account(m, 1).unbonding, caes(1'009));
}

TEST(Staking, EmissionHalvesAndStopsAtTheLargestSupply) {
  Market m(with_economy([](auto& e) {
    e.epoch_blocks = 1;
    e.epoch_emission = caes(8);
    e.halving_epochs = 2;
  }));
  std::vector<std::uint64_t> minted;
  for (int i = 0; i < 8; ++i) {
    const auto before = m.ledger().tables().supply.minted.value;
    m.wait(1);
    minted.push_back((m.ledger().tables().supply.minted.value - before) / caesar::kUnitsPerCaes);
  }
  EXPECT_EQ(minted, (std::vector<std::uint64_t>{8, 8, 4, 4, 2, 2, 1, 1}));

  Market full(with_economy([](auto& e) {
    e.epoch_blocks = 1;
    e.epoch_emission = caesar::kMaxSupply;
    e.halving_epochs = 0;
  }));
  full.wait(1);
  EXPECT_EQ(full.ledger().tables().supply.minted, caesar::kMaxSupply);
  full.wait(1);
  EXPECT_EQ(full.ledger().tables().supply.minted, caesar::kMaxSupply);
}

Genesis with_demurrage() {
  return with_economy([](auto& e) {
    e.demurrage_ppm_per_day = 1'000;
    e.unbonding_ms = 3 * kDay;
  });
}

TEST(Staking, DemurrageIsPaidWhenAnAccountIsTouchedAndShownBefore) {
  Market m(with_demurrage());
  m.wait(10 * kDay);
  const Amount left = caesar::after_demurrage(caes(1'000), 1'000, 10);
  EXPECT_EQ(account(m, 0).balance, left);
  EXPECT_EQ(m.ledger().owner(owner_id(0))->account.balance, caes(1'000));
  EXPECT_EQ(rule(m.by_owner(0, TransferCaes{owner_id(1), caes(1'000)})), Refusal::OverBalance);
  ASSERT_FALSE(m.by_owner(0, TransferCaes{owner_id(1), Amount{1}}));
  EXPECT_EQ(account(m, 0).balance, Amount{left.value - 1});
  EXPECT_EQ(account(m, 1).balance, Amount{left.value + 1});
  const Amount paid{2 * (caes(1'000).value - left.value)};
  EXPECT_EQ(m.ledger().tables().pools.validators, paid);
  ASSERT_FALSE(m.by_owner(0, TransferCaes{owner_id(1), Amount{1}}));
  EXPECT_EQ(m.ledger().tables().pools.validators, paid) << "once for each day";
}

TEST(Staking, ItDoesNotMatterHowOftenAnAccountIsTouched) {
  Market touched(with_demurrage());
  Market left_alone(with_demurrage());
  for (Market* m : {&touched, &left_alone}) {
    ASSERT_FALSE(m->by_owner(0, Bond{caes(500)}));
    ASSERT_FALSE(m->by_owner(0, Unbond{caes(500)}));
  }
  for (int day = 0; day < 10; ++day) {
    touched.wait(kDay);
    left_alone.wait(kDay);
    // A receiver is touched; what it gets goes back at once.
    ASSERT_FALSE(touched.by_owner(1, TransferCaes{owner_id(0), Amount{1}}));
    ASSERT_FALSE(touched.by_owner(0, TransferCaes{owner_id(1), Amount{1}}));
    EXPECT_EQ(account(touched, 0), account(left_alone, 0)) << "day " << day;
  }
}

TEST(Staking, ANewcomerGetsStarterCreditWhileThereIsSome) {
  Market m(with_economy([](auto& e) {
    e.starter_credit = caes(3);
    e.starter_pool = caes(7);
  }));
  const auto minted = m.ledger().tables().supply.minted;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const std::string name = "new-" + std::to_string(i);
    ASSERT_FALSE(m.by_owner(0, RegisterOwner{name, sample::bundle(50 + i), caes(1), {}}));
    EXPECT_EQ(account(m, 50 + i).balance, caes(i < 2 ? 4 : 1));
  }
  EXPECT_EQ(m.ledger().tables().pools.starter, caes(1));
  EXPECT_EQ(m.ledger().tables().supply.minted, minted);
  EXPECT_EQ(account(m, 0).balance, caes(997));
}

}  // namespace
}  // namespace hm::ledger
