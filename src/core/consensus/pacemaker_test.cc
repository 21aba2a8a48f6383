// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/pacemaker.h"

#include <gtest/gtest.h>

namespace hm::consensus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A validator that restarts while the mesh has no quorum sees its first round last as long as the
// outage; waiting in proportion afterwards would hold up the mesh for seconds more.
TEST(Pacemaker, AnOutageInsideARoundTeachesAtMostADoubling) {
  Pacemaker pace(milliseconds(100), kMinDelta, kMaxDelta);
  pace.add_round(seconds(30));
  EXPECT_EQ(pace.delta(), milliseconds(200));
}

// The same outage seen twice, as views lost to a timer and as a long round, is not squared.
TEST(Pacemaker, ARoundThatOutlastedLostViewsTeachesNoMoreThanADoubling) {
  Pacemaker pace(milliseconds(100), kMinDelta, kMaxDelta);
  pace.note_lost_view();
  pace.note_lost_view();
  pace.add_round(seconds(30));
  pace.note_final();
  EXPECT_EQ(pace.delta(), milliseconds(200));
}

TEST(Pacemaker, RoundsThatAlwaysTakeLongerAreLearnedWithinADozen) {
  Pacemaker pace(milliseconds(100), kMinDelta, kMaxDelta);
  for (int round = 0; round < 12; ++round) pace.add_round(milliseconds(1200));
  EXPECT_EQ(pace.delta(), milliseconds(1200));
}

TEST(Pacemaker, LostViewsDoubleUntilABlockIsFinal) {
  Pacemaker pace(milliseconds(100), kMinDelta, kMaxDelta);
  for (int view = 0; view < 3; ++view) pace.note_lost_view();
  EXPECT_EQ(pace.delta(), milliseconds(800));
  for (int view = 0; view < 40; ++view) pace.note_lost_view();
  EXPECT_EQ(pace.delta(), kMaxBackoffDelta);
  pace.note_final();
  EXPECT_EQ(pace.delta(), milliseconds(100));
}

}  // namespace
}  // namespace hm::consensus
