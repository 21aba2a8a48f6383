// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/delegation.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;

// A pool, a validators' pool that rewards it, and an attacker and a victim with balances.
struct World {
  Supply supply;
  DelegationPool pool;
  Amount rewards;
  std::array<Account, 3> owners;
  std::array<std::uint64_t, 3> shares{};

  explicit World(Amount each) {
    for (Account& owner : owners) check(mint(supply, balance_of(owner), each));
    check(mint(supply, as_pool(rewards), each));
  }
  static void check(bool done) { EXPECT_TRUE(done); }

  Result<Deposited, DelegationError> put(std::size_t who, Amount amount) {
    auto bought = deposit(supply, pool, balance_of(owners[who]), amount);
    if (bought) shares[who] += bought->shares;
    return bought;
  }
  Result<Amount, DelegationError> take(std::size_t who, std::uint64_t count) {
    auto paid = withdraw(supply, pool, count, balance_of(owners[who]));
    if (paid) shares[who] -= count;
    return paid;
  }
  Result<void, DelegationError> pay(Amount amount) {
    return reward(supply, pool, as_pool(rewards), amount);
  }
  Result<Amount, DelegationError> burn_part(Ratio part) { return slash(supply, pool, part); }
};

template <class T>
DelegationError error_of(const Result<T, DelegationError>& result) {
  EXPECT_FALSE(result);
  return result.error();
}

TEST(Delegation, RewardsAndSlashingReachEverybodyByShare) {
  World world(Amount{1000});
  EXPECT_EQ(world.put(0, Amount{300}), (Deposited{300, Amount{300}}));
  EXPECT_EQ(world.put(1, Amount{100}), (Deposited{100, Amount{100}}));
  EXPECT_TRUE(world.pay(Amount{40}));
  EXPECT_EQ(world.pool, (DelegationPool{Amount{440}, 400}));
  EXPECT_EQ(world.take(1, 50), Amount{55});
  EXPECT_EQ(world.burn_part({1, 5}), Amount{77});
  EXPECT_EQ(world.supply.burned, Amount{77});
  EXPECT_EQ(world.take(1, 50), Amount{44});
  EXPECT_EQ(world.take(0, 300), Amount{264});
  EXPECT_EQ(world.pool, DelegationPool{});
  EXPECT_EQ(world.supply.bonds, Amount{0});
  EXPECT_TRUE(world.supply.is_conserved());
}

TEST(Delegation, TheLastToWithdrawGetsWhatRoundingLeft) {
  World world(Amount{1000});
  ASSERT_TRUE(world.put(0, Amount{3}));
  ASSERT_TRUE(world.put(1, Amount{3}));
  ASSERT_TRUE(world.pay(Amount{5}));
  EXPECT_EQ(world.take(0, 3), Amount{5});
  EXPECT_EQ(world.take(1, 3), Amount{6});
}

TEST(Delegation, EachRefusalHasItsNameAndChangesNothing) {
  using enum DelegationError;
  World world(Amount{1000});
  EXPECT_EQ(error_of(world.pay(Amount{1})), NoShares);
  EXPECT_EQ(error_of(world.put(0, Amount{0})), BelowOneShare);
  EXPECT_EQ(error_of(world.put(0, Amount{1001})), TransferRefused);
  ASSERT_TRUE(world.put(0, Amount{10}));
  ASSERT_TRUE(world.pay(Amount{10}));
  const World before = world;
  EXPECT_EQ(error_of(world.put(1, Amount{1})), BelowOneShare);
  EXPECT_EQ(error_of(world.take(0, 0)), BelowOneShare);
  EXPECT_EQ(error_of(world.take(0, 11)), NotEnoughShares);
  EXPECT_EQ(error_of(world.pay(Amount{991})), TransferRefused);
  EXPECT_EQ(error_of(world.burn_part({2, 1})), BadRatio);
  EXPECT_EQ(error_of(world.burn_part({0, 0})), BadRatio);
  EXPECT_EQ(error_of(deposit(world.supply, world.pool, as_stake(world.pool.total), Amount{4})),
            TransferRefused)
      << "a pool cannot buy its own shares";
  EXPECT_EQ(world.supply, before.supply);
  EXPECT_EQ(world.pool, before.pool);
  EXPECT_EQ(world.owners, before.owners);
}

TEST(Delegation, APoolSlashedToNothingTakesNoDepositUntilItsSharesAreGone) {
  World world(Amount{1000});
  ASSERT_TRUE(world.put(0, Amount{10}));
  ASSERT_EQ(world.burn_part({1, 1}), Amount{10});
  EXPECT_EQ(error_of(world.put(1, Amount{10})), DelegationError::PoolEmptied);
  EXPECT_EQ(world.take(0, 10), Amount{0});
  EXPECT_EQ(world.put(1, Amount{10}), (Deposited{10, Amount{10}}));
}

TEST(Delegation, MoreSharesThan64BitsAreRefused) {
  World world(caes(200'000'000));
  ASSERT_TRUE(world.put(0, caes(100'000'000)));
  ASSERT_TRUE(world.burn_part({99'999'999'999'999'999, 100'000'000'000'000'000}));
  ASSERT_EQ(world.pool.total, Amount{1});
  EXPECT_EQ(error_of(world.put(1, Amount{1000})), DelegationError::SharesOverflow);
  EXPECT_EQ(error_of(world.put(1, caes(200'000'000))), DelegationError::SharesOverflow);
  EXPECT_EQ(world.put(1, Amount{1}), (Deposited{100'000'000'000'000'000, Amount{1}}));
  World edge(Amount{10});
  ASSERT_TRUE(edge.put(0, Amount{1}));
  edge.pool.shares = std::uint64_t{1} << 63;
  EXPECT_EQ(error_of(edge.put(1, Amount{1})), DelegationError::SharesOverflow);
}

// The attack: own the only share, make it dear, and keep what the next deposit loses to rounding.
TEST(Delegation, TheFirstDepositorCannotInflateTheShareToStealFromTheNext) {
  World world(caes(100));
  ASSERT_TRUE(world.put(0, Amount{1}));
  ASSERT_TRUE(world.pay(caes(10)));
  EXPECT_EQ(error_of(world.put(1, caes(10))), DelegationError::BelowOneShare);
  EXPECT_EQ(world.owners[1].balance, caes(100));
  const auto bought = world.put(1, caes(19));
  ASSERT_TRUE(bought);
  EXPECT_EQ(*bought, (Deposited{1, Amount{caes(10).value + 1}}));
  EXPECT_EQ(world.take(0, 1), bought->paid);
  EXPECT_EQ(world.take(1, 1), bought->paid);
}

// Exact value of a share before and after, compared as fractions.
bool is_dearer_or_equal(const DelegationPool& after, const DelegationPool& before) {
  return Wide{after.total.value} * before.shares >= Wide{before.total.value} * after.shares;
}

TEST(Delegation, NoSequenceTakesOutMoreThanCameInAndWasRewarded) {
  EXPECT_TRUE(rc::check("against a reference, conservation after each step", [] {
    World world(Amount{*rc::gen::element<std::uint64_t>(50, 1000, 100'000'000'000'000)});
    const std::uint64_t limit = world.rewards.value + 10;
    Wide in = 0, out = 0, rewarded = 0, burned = 0;
    for (int step = 0; step < 60; ++step) {
      const auto who = *rc::gen::inRange<std::size_t>(0, 3);
      const DelegationPool before = world.pool;
      const auto amount = *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 20),
                                          rc::gen::inRange<std::uint64_t>(0, limit));
      bool lowers = false;
      switch (*rc::gen::weightedElement<int>({{4, 0}, {4, 1}, {2, 2}, {1, 3}})) {
        case 0: {
          const auto bought = world.put(who, Amount{amount});
          if (!bought) break;
          in += bought->paid.value;
          RC_ASSERT(bought->paid <= Amount{amount});
          // The depositor loses less than one unit.
          RC_ASSERT(Wide{bought->shares} * world.pool.total.value / world.pool.shares + 1 >=
                    bought->paid.value);
          break;
        }
        case 1: {
          const auto count =
              *rc::gen::element(world.shares[who], std::min(amount, world.shares[who]));
          if (const auto paid = world.take(who, count)) out += paid->value;
          break;
        }
        case 2:
          if (world.pay(Amount{amount})) rewarded += amount;
          break;
        default: {
          const auto den = *rc::gen::inRange<std::uint64_t>(1, 100);
          const auto gone = world.burn_part({*rc::gen::inRange<std::uint64_t>(0, den + 1), den});
          RC_ASSERT(gone.has_value());
          burned += gone->value;
          lowers = true;
        }
      }
      RC_ASSERT(lowers || world.pool.shares == 0 || is_dearer_or_equal(world.pool, before));
      RC_ASSERT(in + rewarded == out + burned + world.pool.total.value);
      RC_ASSERT(world.pool.shares == world.shares[0] + world.shares[1] + world.shares[2]);
      RC_ASSERT(world.pool.shares > 0 || world.pool.total == Amount{});
      RC_ASSERT(world.supply.bonds == world.pool.total);
      RC_ASSERT(world.supply.is_conserved());
    }
  }));
}

TEST(Delegation, InAndOutAgainNeverProfits) {
  EXPECT_TRUE(rc::check("a round trip", [] {
    World world(caes(1000));
    RC_ASSERT(world.put(0, Amount{*rc::gen::inRange<std::uint64_t>(1, 1'000'000)}).has_value());
    RC_ASSERT(world.pay(Amount{*rc::gen::inRange<std::uint64_t>(0, 1'000'000)}).has_value());
    const Amount start = world.owners[1].balance;
    std::uint64_t trips = 0;
    for (int i = 0; i < 10; ++i) {
      if (world.put(1, Amount{*rc::gen::inRange<std::uint64_t>(0, 10'000'000)})) ++trips;
      if (world.shares[1] > 0) RC_ASSERT(world.take(1, world.shares[1]).has_value());
    }
    RC_ASSERT(world.owners[1].balance <= start);
    RC_ASSERT(start.value - world.owners[1].balance.value <= 2 * trips);
  }));
}

}  // namespace
}  // namespace hm::caesar
