// SPDX-License-Identifier: Apache-2.0
#include "node/storing/answer_times.h"

#include <gtest/gtest.h>

namespace hm::storing {
namespace {

using namespace std::chrono_literals;

TEST(AnswerTimes, OfQuickNodesAShardIsLateAfterTheShortestTime) {
  AnswerTimes times;
  EXPECT_EQ(times.late_after(), kHedge);
  for (int i = 0; i < 100; ++i) times.add(20ms);
  EXPECT_EQ(times.late_after(), kHedge);
}

TEST(AnswerTimes, WhereAllAreSlowNoneIsLateAtOnce) {
  AnswerTimes times;
  for (int i = 0; i < 100; ++i) times.add(200ms);
  EXPECT_GT(times.late_after(), 500ms);
  EXPECT_LE(times.late_after(), 600ms);
  for (int i = 0; i < 100; ++i) times.add(10s);
  EXPECT_EQ(times.late_after(), kLongestHedge);
}

TEST(AnswerTimes, OneOfSixThatIsTenTimesAsSlowIsLate) {
  AnswerTimes times;
  for (int i = 0; i < 600; ++i) times.add(i % 6 == 0 ? 1s : 100ms);
  EXPECT_LT(times.late_after(), 1s);
}

}  // namespace
}  // namespace hm::storing
