// SPDX-License-Identifier: Apache-2.0
// Settlement and rewards: what is divided adds up.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

#include "core/caesar/rewards.h"
#include "core/caesar/settlement.h"

namespace hm::caesar {
namespace {

Economy economy(std::uint32_t fee_ppm, std::uint32_t reward_ppm) {
  Economy out;
  out.fee_ppm = fee_ppm;
  out.reward_ppm = reward_ppm;
  return out;
}

const Amount kMuch = caes(1000);

TEST(Settlement, DividesAPayment) {
  const Economy e = economy(30'000, 20'000);
  EXPECT_EQ(split(Amount{1'000'000}, e, {1, 1}, kMuch),
            (Split{Amount{970'000}, Amount{30'000}, Amount{20'000}}));
  EXPECT_EQ(split(Amount{1'000'000}, e, {3, 4}, kMuch)->reward, Amount{15'000});
  EXPECT_EQ(split(Amount{1'000'000}, e, {0, 4}, kMuch)->reward, Amount{0});
  EXPECT_EQ(split(Amount{1'000'000}, e, {1, 1}, Amount{7})->reward, Amount{7});
  EXPECT_EQ(split(Amount{100}, e, {1, 1}, kMuch), (Split{Amount{97}, Amount{3}, Amount{2}}));
  EXPECT_EQ(split(Amount{50}, e, {1, 1}, kMuch), (Split{Amount{49}, Amount{1}, Amount{0}}))
      << "the reward of so small a payment would be the whole fee";
  EXPECT_EQ(split(Amount{0}, e, {1, 1}, kMuch), (Split{}));
  EXPECT_EQ(split(Amount{9}, economy(0, 0), {1, 1}, kMuch), (Split{Amount{9}, {}, {}}));
  EXPECT_EQ(split(Amount{9}, economy(kPpm, 0), {1, 1}, kMuch), (Split{{}, Amount{9}, {}}));
}

TEST(Settlement, RefusesAMultiplierThatIsNoPart) {
  EXPECT_FALSE(split(Amount{1}, economy(30, 20), {5, 4}, kMuch));
  EXPECT_FALSE(split(Amount{1}, economy(30, 20), {0, 0}, kMuch));
}

TEST(Settlement, TradingWithOneselfNeverProfits) {
  EXPECT_TRUE(rc::check("provider + fee = payment; fee > reward or both 0", [] {
    const auto fee_ppm = *rc::gen::inRange<std::uint32_t>(0, kPpm + 1);
    const auto reward_ppm = *rc::gen::inRange<std::uint32_t>(0, fee_ppm * 2 / 3 + 1);
    const Economy e = economy(fee_ppm, reward_ppm);
    RC_ASSERT(validate(e));
    const Amount payment{*rc::gen::oneOf(rc::gen::arbitrary<std::uint64_t>(),
                                         rc::gen::inRange<std::uint64_t>(0, 1000))};
    const Amount pool{*rc::gen::arbitrary<std::uint64_t>()};
    const auto den = *rc::gen::inRange<std::uint64_t>(1, 5);
    const Ratio multiplier{*rc::gen::inRange<std::uint64_t>(0, den + 1), den};
    const auto s = split(payment, e, multiplier, pool);
    RC_ASSERT(s.has_value());
    RC_ASSERT(checked_add(s->provider, s->fee) == payment);
    RC_ASSERT(s->reward <= pool);
    RC_ASSERT(s->reward < s->fee || s->reward == Amount{});
    // Not even with a third of the fee coming back to a validator.
    RC_ASSERT(s->reward.value <= s->fee.value - s->fee.value / 3);
  }));
}

TEST(Rewards, AreProportionalAndLeaveTheRemainder) {
  const std::vector<Amount> stakes = {Amount{1}, Amount{1}, Amount{1}};
  EXPECT_EQ(share_out(Amount{10}, stakes), (std::vector{Amount{3}, Amount{3}, Amount{3}}));
  const std::vector<Amount> uneven = {Amount{0}, Amount{3}, Amount{1}};
  EXPECT_EQ(share_out(Amount{8}, uneven), (std::vector{Amount{0}, Amount{6}, Amount{2}}));
  EXPECT_EQ(share_out(Amount{8}, std::vector{Amount{0}}), std::vector{Amount{0}});
  EXPECT_TRUE(share_out(Amount{8}, {}).empty());
  const std::vector<Amount> largest(3, Amount{UINT64_MAX});
  EXPECT_EQ(share_out(Amount{UINT64_MAX}, largest)[2], Amount{UINT64_MAX / 3});
}

TEST(Rewards, NeverPayMoreThanThePool) {
  EXPECT_TRUE(rc::check("sum <= pool, order of stakes kept",
                        [](std::uint64_t pool, const std::vector<std::uint64_t>& numbers) {
                          std::vector<Amount> stakes;
                          for (const auto number : numbers) stakes.emplace_back(number);
                          const auto shares = share_out(Amount{pool}, stakes);
                          RC_ASSERT(shares.size() == stakes.size());
                          Amount paid;
                          bool any = false;
                          for (std::size_t i = 0; i < shares.size(); ++i) {
                            const auto more = checked_add(paid, shares[i]);
                            RC_ASSERT(more.has_value());
                            paid = *more;
                            any = any || stakes[i].value > 0;
                            if (i > 0 && stakes[i] >= stakes[i - 1]) {
                              RC_ASSERT(shares[i] >= shares[i - 1]);
                            }
                          }
                          RC_ASSERT(paid.value <= pool);
                          // Less than one unit per validator is left.
                          if (any) RC_ASSERT(pool - paid.value < stakes.size());
                        }));
}

TEST(Rewards, AValidatorsDelegatorsPayItsCommission) {
  EXPECT_EQ(divide(Amount{100}, Amount{50}, Amount{50}, 100'000),
            (ValidatorReward{Amount{55}, Amount{45}}));
  EXPECT_EQ(divide(Amount{100}, Amount{50}, Amount{0}, 100'000),
            (ValidatorReward{Amount{100}, Amount{0}}));
  EXPECT_EQ(divide(Amount{100}, Amount{0}, Amount{0}, 0),
            (ValidatorReward{Amount{100}, Amount{0}}));
  EXPECT_EQ(divide(Amount{100}, Amount{0}, Amount{50}, 0),
            (ValidatorReward{Amount{0}, Amount{100}}));
  EXPECT_EQ(divide(Amount{100}, Amount{0}, Amount{50}, kPpm),
            (ValidatorReward{Amount{100}, Amount{0}}));
  EXPECT_TRUE(rc::check("both parts are the reward", [](std::uint64_t reward, std::uint64_t own,
                                                        std::uint64_t delegated) {
    const auto ppm = *rc::gen::inRange<std::uint32_t>(0, kPpm + 1);
    const auto both = divide(Amount{reward}, Amount{own}, Amount{delegated}, ppm);
    RC_ASSERT(checked_add(both.owner, both.delegators) == Amount{reward});
  }));
}

}  // namespace
}  // namespace hm::caesar
