// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/economy.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::caesar {
namespace {

Economy sample() {
  return {.epoch_blocks = 100,
          .epoch_emission = caes(10),
          .halving_epochs = 50,
          .provider_ppm = 600'000,
          .fee_ppm = 30'000,
          .reward_ppm = 20'000,
          .commission_ppm = 100'000,
          .demurrage_ppm_per_day = 100,
          .starter_credit = caes(5),
          .starter_pool = caes(1000),
          .unbonding_ms = 86'400'000};
}

TEST(Economy, AValidOneIsAcceptedUpToItsBounds) {
  EXPECT_TRUE(validate(Economy{}));
  EXPECT_TRUE(validate(sample()));
  Economy most = sample();
  most.epoch_emission = most.starter_pool = most.starter_credit = kMaxSupply;
  most.provider_ppm = most.fee_ppm = most.commission_ppm = kPpm;
  most.reward_ppm = 666'666;
  most.demurrage_ppm_per_day = kPpm - 1;
  EXPECT_TRUE(validate(most));
}

TEST(Economy, EachBrokenRuleIsRefusedByName) {
  const auto broken = [](auto change) {
    Economy economy = sample();
    change(economy);
    return validate(economy);
  };
  using enum EconomyError;
  const auto expect = [&](EconomyError error, auto change) {
    const auto result = broken(change);
    ASSERT_FALSE(result) << text_of(error);
    EXPECT_EQ(result.error(), error) << text_of(error);
    EXPECT_NE(text_of(error), "unknown");
  };
  const Amount too_much{kMaxSupply.value + 1};
  expect(EpochWithoutBlocks, [](Economy& e) { e.epoch_blocks = 0; });
  expect(EmissionTooLarge, [&](Economy& e) { e.epoch_emission = too_much; });
  expect(ProviderPartTooLarge, [](Economy& e) { e.provider_ppm = kPpm + 1; });
  expect(FeeTooLarge, [](Economy& e) { e.fee_ppm = kPpm + 1; });
  expect(RewardTooLarge, [](Economy& e) { e.reward_ppm = 20'001; });
  expect(RewardTooLarge, [](Economy& e) { e.reward_ppm = UINT32_MAX; });
  expect(RewardTooLarge, [](Economy& e) { e.fee_ppm = 0, e.reward_ppm = 1; });
  expect(CommissionTooLarge, [](Economy& e) { e.commission_ppm = kPpm + 1; });
  expect(DemurrageTooLarge, [](Economy& e) { e.demurrage_ppm_per_day = kPpm; });
  expect(StarterPoolTooLarge, [&](Economy& e) { e.starter_pool = too_much; });
  expect(StarterCreditTooLarge, [](Economy& e) { e.starter_credit = caes(1001); });
  expect(NoUnbonding, [](Economy& e) { e.unbonding_ms = 0; });
}

TEST(Economy, ValidMeansTheRewardIsBelowTheFeeOrNothing) {
  EXPECT_TRUE(rc::check("reward_ppm < fee_ppm or 0", [](std::uint32_t fee, std::uint32_t reward) {
    Economy economy = sample();
    economy.fee_ppm = fee % (kPpm + 1);
    economy.reward_ppm = reward % (kPpm + 1);
    if (validate(economy)) {
      RC_ASSERT(economy.reward_ppm < economy.fee_ppm || economy.reward_ppm == 0U);
    }
  }));
}

TEST(Economy, TheEmissionHalvesAndEnds) {
  Economy economy = sample();
  economy.epoch_emission = Amount{5};
  EXPECT_EQ(emission(economy, 0), Amount{5});
  EXPECT_EQ(emission(economy, 49), Amount{5});
  EXPECT_EQ(emission(economy, 50), Amount{2});
  EXPECT_EQ(emission(economy, 100), Amount{1});
  EXPECT_EQ(emission(economy, 150), Amount{0});
  EXPECT_EQ(emission(economy, 50 * 64), Amount{0});
  EXPECT_EQ(emission(economy, UINT64_MAX), Amount{0});
  economy.halving_epochs = 0;
  EXPECT_EQ(emission(economy, UINT64_MAX), Amount{5});
}

TEST(Economy, TheProvidersGetTheirPartRoundedDown) {
  EXPECT_EQ(providers_part(sample(), caes(10)), caes(6));
  EXPECT_EQ(providers_part(sample(), Amount{1}), Amount{0});
  Economy all = sample();
  all.provider_ppm = kPpm;
  EXPECT_EQ(providers_part(all, kMaxSupply), kMaxSupply);
}

TEST(Economy, PoolsAddUpOrOverflow) {
  EXPECT_EQ(sum({Amount{1}, Amount{2}, Amount{3}}), Amount{6});
  EXPECT_FALSE(sum({Amount{UINT64_MAX}, Amount{1}, Amount{0}}));
  EXPECT_FALSE(sum({Amount{UINT64_MAX}, Amount{0}, Amount{1}}));
}

TEST(Economy, HasOneEncoding) {
  const Bytes bytes = codec::encode(sample());
  EXPECT_EQ(bytes.size(), 7 * 8U - 8U + 5 * 4U);
  const auto decoded = codec::decode<Economy>(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, sample());
}

}  // namespace
}  // namespace hm::caesar
