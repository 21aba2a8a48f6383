// SPDX-License-Identifier: Apache-2.0
#include "node/reading_window.h"

#include <gtest/gtest.h>

#include "core/ledger/lease_book.h"
#include "node/limits.h"

namespace hm::node {
namespace {

using ledger::LeaseRecord;
using ledger::LeaseState;

const ledger::Policy& policy() { return ledger::policy_of(ledger::Preset::Localhost); }
const std::uint64_t kInterval = policy().meter_interval_ms;
constexpr UnixMillis kAccepted{1'000'000};

UnixMillis at(std::uint64_t ms) { return UnixMillis(kAccepted.value + ms); }

LeaseRecord active(std::uint64_t duration) {
  LeaseRecord lease;
  lease.state = LeaseState::Active;
  lease.tenant.bytes[0] = 1;
  lease.placement.accepted = kAccepted;
  lease.until = at(duration);
  return lease;
}

TEST(ReadingWindow, AnIntervalIsDueShortlyAfterItsEndAndForOneMoreInterval) {
  const LeaseRecord lease = active(100 * kInterval);
  EXPECT_FALSE(due_reading(policy(), lease, at(0)));
  EXPECT_FALSE(due_reading(policy(), lease, at(kInterval + kReadingDelayMillis - 1)));
  const ReadingWindow first{0, at(0), at(kInterval)};
  EXPECT_EQ(due_reading(policy(), lease, at(kInterval + kReadingDelayMillis)), first);
  EXPECT_EQ(due_reading(policy(), lease, at(2 * kInterval)), first);
}

TEST(ReadingWindow, OnlyTheLastIntervalIsReadAndNoneTwice) {
  LeaseRecord lease = active(100 * kInterval);
  const auto late = at(7 * kInterval + kReadingDelayMillis);
  EXPECT_EQ(due_reading(policy(), lease, late)->interval, 6U);
  lease.placement.next_interval = 6;
  EXPECT_TRUE(due_reading(policy(), lease, late));
  lease.placement.next_interval = 7;
  EXPECT_FALSE(due_reading(policy(), lease, late));
}

TEST(ReadingWindow, TheLastPartOfALeaseIsReadWhenItsTimeIsOver) {
  LeaseRecord lease = active(2 * kInterval + 100);
  lease.placement.next_interval = 2;
  lease.state = LeaseState::Draining;
  lease.placement.end = ledger::LeaseEnd::Expired;
  lease.ends = at(3 * kInterval + 100);
  const ReadingWindow last{2, at(2 * kInterval), at(2 * kInterval + 100)};
  EXPECT_EQ(due_reading(policy(), lease, at(2 * kInterval + 100 + kReadingDelayMillis)), last);
  lease.placement.next_interval = 3;
  EXPECT_FALSE(due_reading(policy(), lease, at(3 * kInterval)));
}

TEST(ReadingWindow, BeforeANoticeRunsOutThePartSoFarIsRead) {
  LeaseRecord lease = active(100 * kInterval);
  lease.placement.next_interval = 1;
  lease.placement.notice_ms = 60'000;
  lease.placement.end = ledger::LeaseEnd::ByOwner;
  lease.state = LeaseState::Draining;
  lease.ends = at(kInterval + 4'000);
  const UnixMillis moment = at(kInterval + 4'000 - kLastReadingLeadMillis);
  const ReadingWindow last{1, at(kInterval), moment};
  const UnixMillis now(moment.value + kReadingDelayMillis);
  EXPECT_EQ(due_reading(policy(), lease, now), last);
  EXPECT_LT(now, lease.ends);
  lease.placement.next_interval = 2;
  EXPECT_FALSE(due_reading(policy(), lease, now));
}

TEST(ReadingWindow, AProviderGivesUpBeforeItsLeaseCountsAsDark) {
  LeaseRecord lease = active(100 * kInterval);
  for (const std::uint32_t next : {0U, 1U, 40U}) {
    lease.placement.next_interval = next;
    const UnixMillis dark = due_of(policy(), lease);
    EXPECT_LT(give_up_at(policy(), lease).value + kInterval / 4, dark.value);
    EXPECT_GT(give_up_at(policy(), lease).value + kInterval, dark.value);
  }
}

}  // namespace
}  // namespace hm::node
