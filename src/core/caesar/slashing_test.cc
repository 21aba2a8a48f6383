// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/slashing.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace hm::caesar {
namespace {

TEST(Slashing, OneSmallFaultCostsItsBaseAndThreeTimesItsWeight) {
  // 5 % of 100, and of the other 95 the part 3 · 100 / 30 000.
  EXPECT_EQ(slash_amount(Amount{100}, Fault::DoubleVote, Amount{0}, Amount{30'000}), Amount{5});
  EXPECT_EQ(slash_amount(Amount{10'000}, Fault::DoubleVote, Amount{0}, Amount{1'000'000}),
            Amount{500 + 285});
  EXPECT_EQ(slash_amount(Amount{10'000}, Fault::InvalidProof, Amount{0}, Amount{1'000'000}),
            Amount{100 + 297});
}

TEST(Slashing, AThirdOfTheStakeAtFaultLosesEverything) {
  EXPECT_EQ(slash_amount(Amount{1}, Fault::InvalidProof, Amount{33}, Amount{102}), Amount{1});
  EXPECT_EQ(slash_amount(Amount{34}, Fault::InvalidProof, Amount{0}, Amount{102}), Amount{34});
  EXPECT_EQ(slash_amount(Amount{10}, Fault::DoubleVote, Amount{24}, Amount{102}), Amount{10});
  EXPECT_LT(slash_amount(Amount{1'000}, Fault::DoubleVote, Amount{2'399}, Amount{10'200}),
            Amount{1'000});
}

TEST(Slashing, AnyStakeLosesSomething) {
  EXPECT_EQ(slash_amount(Amount{1}, Fault::InvalidProof, Amount{0}, kMaxSupply), Amount{1});
  EXPECT_EQ(slash_amount(Amount{0}, Fault::DoubleVote, Amount{9}, Amount{10}), Amount{0});
  EXPECT_EQ(slash_amount(Amount{7}, Fault::DoubleVote, Amount{0}, Amount{0}), Amount{7});
}

TEST(Slashing, DoesNotWrapForAnyArguments) {
  const Amount most{UINT64_MAX};
  EXPECT_EQ(slash_amount(most, Fault::DoubleVote, most, most), most);
  EXPECT_EQ(slash_amount(most, Fault::DoubleVote, Amount{0}, most), most);
  EXPECT_LT(slash_amount(Amount{UINT64_MAX / 3 - 1}, Fault::DoubleVote, Amount{0}, most),
            Amount{UINT64_MAX / 3 - 1});
}

TEST(Slashing, NeverTakesMoreThanTheStakeAndNeverLessForMoreFaults) {
  EXPECT_TRUE(rc::check("bounds and order", [](std::uint64_t stake, std::uint64_t also,
                                               std::uint64_t more, std::uint64_t total) {
    const Fault fault = *rc::gen::element(Fault::DoubleVote, Fault::InvalidProof);
    const Amount worse{also + std::min(more, UINT64_MAX - also)};
    const Amount slashed = slash_amount(Amount{stake}, fault, Amount{also}, Amount{total});
    RC_ASSERT(slashed <= Amount{stake});
    RC_ASSERT(slashed.value > 0 || stake == 0);
    RC_ASSERT(slashed <= slash_amount(Amount{stake}, fault, worse, Amount{total}));
    RC_ASSERT(slash_amount(Amount{stake}, Fault::InvalidProof, Amount{also}, Amount{total}) <=
              slash_amount(Amount{stake}, Fault::DoubleVote, Amount{also}, Amount{total}));
  }));
}

TEST(Slashing, SplittingAStakeAmongNodesSavesNothing) {
  EXPECT_TRUE(rc::check("parts that fault together lose at least as much", [] {
    const auto total = *rc::gen::inRange<std::uint64_t>(1, kMaxSupply.value);
    const auto one = *rc::gen::inRange<std::uint64_t>(0, total / 2 + 1);
    const auto other = *rc::gen::inRange<std::uint64_t>(0, total / 2 + 1);
    const Amount whole =
        slash_amount(Amount{one + other}, Fault::DoubleVote, Amount{0}, Amount{total});
    const Amount first = slash_amount(Amount{one}, Fault::DoubleVote, Amount{other}, Amount{total});
    const Amount second =
        slash_amount(Amount{other}, Fault::DoubleVote, Amount{one}, Amount{total});
    // Rounding of the correlated part leaves each of them less than a unit.
    RC_ASSERT(first.value + second.value + 1 >= whole.value);
  }));
}

TEST(Slashing, FaultsHaveNames) {
  EXPECT_EQ(name_of(Fault::DoubleVote), "double_vote");
  EXPECT_EQ(name_of(Fault::InvalidProof), "invalid_proof");
}

}  // namespace
}  // namespace hm::caesar
