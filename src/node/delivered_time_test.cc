// SPDX-License-Identifier: Apache-2.0
#include "node/delivered_time.h"

#include <gtest/gtest.h>

namespace hm::node {
namespace {

constexpr UnixMillis kStart{1'000'000};

MonoTime at(std::uint64_t ms) { return MonoTime(std::chrono::milliseconds(ms)); }
UnixMillis wall(std::uint64_t ms) { return UnixMillis(kStart.value + ms); }

TEST(DeliveredTime, IsTheWholeIntervalWhenNothingWasMissing) {
  DeliveredTime time(kStart, at(0));
  EXPECT_EQ(time.take(wall(0), wall(5'000), at(5'250)), 5'000U);
  EXPECT_EQ(time.take(wall(5'000), wall(10'000), at(10'100)), 5'000U);
}

TEST(DeliveredTime, LeavesOutWhatWasBeforeThisProcessHeldTheLease) {
  DeliveredTime time(wall(3'000), at(0));
  EXPECT_EQ(time.take(wall(0), wall(5'000), at(2'250)), 2'000U);
  DeliveredTime later(wall(6'000), at(0));
  EXPECT_EQ(later.take(wall(0), wall(5'000), at(0)), 0U);
}

TEST(DeliveredTime, LeavesOutWhatThePeerWasAway) {
  DeliveredTime time(kStart, at(0));
  time.lost(Away::Peer, at(1'000));
  time.back(Away::Peer, at(1'700));
  time.lost(Away::Peer, at(4'000));
  EXPECT_EQ(time.take(wall(0), wall(5'000), at(5'000)), 3'300U);
  time.back(Away::Peer, at(6'000));
  EXPECT_EQ(time.take(wall(5'000), wall(10'000), at(10'000)), 4'000U);
}

TEST(DeliveredTime, LeavesOutOnceWhatPeerAndServiceWereAwayTogether) {
  DeliveredTime time(kStart, at(0));
  time.set_service(Delivered::Yes, at(500));
  time.set_service(Delivered::No, at(1'000));
  time.lost(Away::Peer, at(1'500));
  time.set_service(Delivered::No, at(1'600));
  time.set_service(Delivered::Yes, at(2'000));
  time.back(Away::Peer, at(2'500));
  EXPECT_EQ(time.take(wall(0), wall(5'000), at(5'000)), 3'500U);
  EXPECT_EQ(time.take(wall(5'000), wall(10'000), at(10'000)), 5'000U);
}

TEST(DeliveredTime, LeavesOutWhatTheAssetWasNotAvailable) {
  DeliveredTime time(kStart, at(0));
  time.asset_lost(wall(4'000));
  EXPECT_EQ(time.take(wall(0), wall(5'000), at(5'000)), 4'000U);
  time.asset_back(wall(7'500));
  EXPECT_EQ(time.take(wall(5'000), wall(10'000), at(10'000)), 2'500U);
}

TEST(DeliveredTime, LeavesOutWhatTheMachineSlept) {
  DeliveredTime time(kStart, at(0));
  // An hour by the block clock, two seconds awake.
  EXPECT_EQ(time.take(wall(0), wall(3'600'000), at(2'000)), 2'000U);
  // The clocks of two nodes never agree to the millisecond: that is no sleep.
  EXPECT_EQ(time.take(wall(3'600'000), wall(3'605'000), at(6'500)), 5'000U);
}

TEST(DeliveredTime, IsNeverBelowNothing) {
  DeliveredTime time(kStart, at(0));
  time.lost(Away::Peer, at(0));
  time.asset_lost(kStart);
  EXPECT_EQ(time.take(wall(0), wall(5'000), at(9'000)), 0U);
  EXPECT_EQ(time.take(wall(5'000), wall(5'000), at(9'000)), 0U);
}

}  // namespace
}  // namespace hm::node
