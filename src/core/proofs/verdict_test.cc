// SPDX-License-Identifier: Apache-2.0
#include "core/proofs/verdict.h"

#include <gtest/gtest.h>

namespace hm::proofs {
namespace {

TEST(Verdict, StakeFollowsRegistrationAndBond) {
  StakeFacts facts{.owner_registered = true,
                   .node_bound_to_owner = true,
                   .bond = caesar::caes(5),
                   .minimum = caesar::caes(5)};
  EXPECT_EQ(stake_verdict(facts).verdict, Verdict::Proven);
  facts.minimum = caesar::Amount{caesar::caes(5).value + 1};
  EXPECT_EQ(stake_verdict(facts).verdict, Verdict::Refused);
  EXPECT_NE(stake_verdict(facts).reason.find("5.000000001 CAES"), std::string::npos);
  facts.owner_registered = false;
  EXPECT_EQ(stake_verdict(facts).verdict, Verdict::Refused);
}

TEST(Verdict, StakeSaysWhenTheNodeIsSomebodyElses) {
  const StakeFacts facts{.owner_registered = true, .bond = caesar::caes(5)};
  EXPECT_EQ(stake_verdict(facts).verdict, Verdict::Proven);
  EXPECT_NE(stake_verdict(facts).reason.find("node of another owner"), std::string::npos);
}

TEST(Verdict, TimeIsTheIntervalOfTheLastOperation) {
  const assets::TimeInterval interval{UnixMillis{100}, UnixMillis{142}};
  const ProofVerdict verdict = time_verdict(interval, {});
  EXPECT_EQ(verdict.verdict, Verdict::Proven);
  EXPECT_EQ(verdict.interval, interval);
  EXPECT_NE(verdict.reason.find("42 ms"), std::string::npos);
  EXPECT_EQ(time_verdict({UnixMillis{2}, UnixMillis{1}}, {}).verdict, Verdict::Refused);
}

TEST(Verdict, SpaceAndWorkAreUnprovenWithoutARecord) {
  EXPECT_EQ(space_verdict(nullptr, 7).verdict, Verdict::Unproven);
  EXPECT_EQ(work_verdict(nullptr, 7).verdict, Verdict::Unproven);
  EXPECT_FALSE(space_verdict(nullptr, 7).reason.empty());
}

TEST(Verdict, ARecordProvesOnlyItsOwnKindAndOnlyUntilItExpires) {
  const ProofRecord record{.kind = ProofKind::Space, .height = 5, .expiry_height = 10};
  EXPECT_EQ(space_verdict(&record, 10).verdict, Verdict::Proven);
  EXPECT_EQ(space_verdict(&record, 11).verdict, Verdict::Unproven);
  EXPECT_EQ(work_verdict(&record, 7).verdict, Verdict::Refused);
}

}  // namespace
}  // namespace hm::proofs
