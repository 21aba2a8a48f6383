// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/supply.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <vector>

namespace hm::caesar {
namespace {

TEST(Supply, ConservationNoticesEveryMissingUnit) {
  const Supply good{Amount{100}, Amount{10}, Amount{40}, Amount{20}, Amount{25}, Amount{5}};
  EXPECT_TRUE(good.is_conserved());
  for (Amount Supply::* part : {&Supply::minted, &Supply::burned, &Supply::balances,
                                &Supply::escrows, &Supply::bonds, &Supply::pools}) {
    Supply bad = good;
    ++(bad.*part).value;
    EXPECT_FALSE(bad.is_conserved());
  }
  Supply wrapped = good;
  wrapped.burned = Amount{200};
  EXPECT_FALSE(wrapped.is_conserved());
}

TEST(Supply, MintsUpToTheLargestSupplyAndBurningMakesNoRoom) {
  Supply supply;
  Account account;
  EXPECT_TRUE(mint(supply, balance_of(account), Amount{5}));
  EXPECT_TRUE(mint(supply, bond_of(account), Amount{7}));
  EXPECT_EQ(account, (Account{Amount{5}, Amount{7}, Amount{0}}));
  EXPECT_FALSE(mint(supply, balance_of(account), kMaxSupply));
  EXPECT_FALSE(mint(supply, balance_of(account), Amount{UINT64_MAX}));
  EXPECT_EQ(supply.minted, Amount{12});
  EXPECT_TRUE(burn(supply, bond_of(account), Amount{7}));
  EXPECT_EQ(mintable(supply), Amount{kMaxSupply.value - 12});
  EXPECT_TRUE(mint(supply, balance_of(account), mintable(supply)));
  EXPECT_EQ(mintable(supply), Amount{0});
  EXPECT_FALSE(mint(supply, balance_of(account), Amount{1}));
  EXPECT_TRUE(supply.is_conserved());
}

TEST(Supply, EveryMoveOfALeaseAndOfABondConserves) {
  Supply supply;
  Account tenant;
  Account provider;
  Amount escrow;
  Amount pool;
  ASSERT_TRUE(mint(supply, balance_of(tenant), Amount{100}));
  EXPECT_TRUE(transfer(supply, balance_of(tenant), as_escrow(escrow), Amount{60}));
  EXPECT_EQ(supply.escrows, Amount{60});
  EXPECT_TRUE(transfer(supply, as_escrow(escrow), balance_of(provider), Amount{30}));
  EXPECT_TRUE(transfer(supply, as_escrow(escrow), as_pool(pool), Amount{10}));
  EXPECT_TRUE(transfer(supply, as_escrow(escrow), balance_of(tenant), Amount{20}));
  EXPECT_TRUE(transfer(supply, as_pool(pool), bond_of(provider), Amount{10}));
  EXPECT_TRUE(transfer(supply, balance_of(provider), bond_of(provider), Amount{30}));
  EXPECT_TRUE(transfer(supply, bond_of(provider), unbonding_of(provider), Amount{25}));
  EXPECT_EQ(supply.bonds, Amount{40});
  EXPECT_TRUE(burn(supply, unbonding_of(provider), Amount{5}));
  EXPECT_TRUE(transfer(supply, unbonding_of(provider), balance_of(provider), Amount{20}));
  EXPECT_EQ(provider, (Account{Amount{20}, Amount{15}, Amount{0}}));
  EXPECT_EQ(tenant.balance, Amount{60});
  EXPECT_EQ(supply, (Supply{Amount{100}, Amount{5}, Amount{80}, Amount{0}, Amount{15}, Amount{0}}));
  EXPECT_TRUE(supply.is_conserved());
}

TEST(Supply, AFailedMoveChangesNothing) {
  Supply supply;
  Account account;
  Amount escrow{UINT64_MAX};
  ASSERT_TRUE(mint(supply, balance_of(account), Amount{10}));
  const Supply before = supply;
  EXPECT_FALSE(transfer(supply, balance_of(account), as_escrow(escrow), Amount{11}));
  EXPECT_FALSE(transfer(supply, balance_of(account), as_escrow(escrow), Amount{1})) << "overflow";
  EXPECT_FALSE(transfer(supply, as_escrow(escrow), balance_of(account), Amount{1}))
      << "the compartment holds nothing";
  EXPECT_FALSE(burn(supply, balance_of(account), Amount{11}));
  EXPECT_FALSE(burn(supply, as_escrow(escrow), Amount{1})) << "the compartment holds nothing";
  EXPECT_EQ(supply, before);
  EXPECT_EQ(account.balance, Amount{10});
  EXPECT_EQ(escrow, Amount{UINT64_MAX});
}

TEST(Supply, AMoveToItselfNeedsTheUnitsAndOneCompartment) {
  Supply supply;
  Account account;
  ASSERT_TRUE(mint(supply, balance_of(account), Amount{10}));
  const Supply before = supply;
  EXPECT_TRUE(transfer(supply, balance_of(account), balance_of(account), Amount{10}));
  EXPECT_FALSE(transfer(supply, balance_of(account), balance_of(account), Amount{11}));
  EXPECT_FALSE(transfer(supply, balance_of(account), as_pool(account.balance), Amount{1}));
  EXPECT_EQ(supply, before);
  EXPECT_EQ(account.balance, Amount{10});
}

// A world of a few holdings, and the reference: plain totals of what each should be.
class World {
 public:
  static constexpr std::size_t kHoldings = 10;

  Holding holding(std::size_t i) {
    switch (i) {
      case 0: return balance_of(a_);
      case 1: return bond_of(a_);
      case 2: return unbonding_of(a_);
      case 3: return balance_of(b_);
      case 4: return bond_of(b_);
      case 5: return unbonding_of(b_);
      case 6: return as_escrow(escrows_[0]);
      case 7: return as_escrow(escrows_[1]);
      case 8: return as_pool(pool_);
      default: return as_stake(stake_);
    }
  }

  void step() {
    const auto from = *rc::gen::inRange<std::size_t>(0, kHoldings);
    const auto to = *rc::gen::inRange<std::size_t>(0, kHoldings);
    const std::uint64_t amount = *rc::gen::weightedOneOf<std::uint64_t>({
        {8, rc::gen::inRange<std::uint64_t>(0, 100)},
        {1, rc::gen::elementOf(std::vector{kMaxSupply.value, UINT64_MAX, expected_[from]})},
    });
    const Supply before = supply;
    bool done = false;
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        done = mint(supply, holding(to), Amount{amount});
        RC_ASSERT(done == (amount <= kMaxSupply.value - minted_));
        if (done) minted_ += amount, expected_[to] += amount;
        break;
      case 1:
        done = burn(supply, holding(from), Amount{amount});
        RC_ASSERT(done == (amount <= expected_[from]));
        if (done) burned_ += amount, expected_[from] -= amount;
        break;
      default:
        done = transfer(supply, holding(from), holding(to), Amount{amount});
        RC_ASSERT(done == (amount <= expected_[from]));
        if (done) expected_[from] -= amount, expected_[to] += amount;
    }
    if (!done) RC_ASSERT(supply == before);
    check();
  }

  Supply supply;

 private:
  void check() {
    Supply sums{Amount{minted_}, Amount{burned_}, {}, {}, {}, {}};
    for (std::size_t i = 0; i < kHoldings; ++i) {
      const Holding held = holding(i);
      RC_ASSERT(held.amount == Amount{expected_[i]});
      (sums.*held.compartment).value += held.amount.value;
    }
    RC_ASSERT(supply == sums);
    RC_ASSERT(supply.is_conserved());
  }

  Account a_, b_;
  std::array<Amount, 2> escrows_;
  Amount pool_, stake_;
  std::array<std::uint64_t, kHoldings> expected_{};
  std::uint64_t minted_ = 0, burned_ = 0;
};

TEST(Supply, AnySequenceOfMovesConservesEveryUnit) {
  EXPECT_TRUE(rc::check("holdings and compartments follow the reference", [] {
    World world;
    for (int i = 0; i < 100; ++i) world.step();
  }));
}

}  // namespace
}  // namespace hm::caesar
