// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/service_record.h"

#include <gtest/gtest.h>

#include "node/hosting/limits.h"

namespace hm::hosting {
namespace {

ReplicaRecord replica_of(std::uint8_t owner) {
  ReplicaRecord replica;
  replica.owner.bytes = {owner};
  replica.provider.bytes = {owner, 1};
  return replica;
}

TEST(LeftOut, LastsTwiceAsLongEachTimeUpToALimit) {
  ServiceRecord service;
  const ReplicaRecord bad = replica_of(1);
  UnixMillis now{1'000'000};
  std::uint64_t last = 0;
  for (int i = 0; i < 12; ++i) {
    leave_out(service, bad, Blame::Provider, "it went dark", now);
    ASSERT_EQ(service.left_out.size(), 1U);
    const std::uint64_t time = service.left_out[0].until.value - now.value;
    EXPECT_EQ(time, i == 0 ? kLeftOutMillis : std::min(last * 2, kLongestLeftOutMillis));
    EXPECT_TRUE(is_left_out(service, bad.owner, now));
    EXPECT_FALSE(is_left_out(service, bad.owner, service.left_out[0].until));
    last = time;
    now = service.left_out[0].until;
  }
  EXPECT_EQ(last, kLongestLeftOutMillis);
  now = UnixMillis{now.value + kForgiveMillis + 1};
  leave_out(service, bad, Blame::Provider, "again", now);
  EXPECT_EQ(service.left_out[0].until.value - now.value, kLeftOutMillis) << "after a good while";
  EXPECT_EQ(service.left_out[0].why, "again");
}

TEST(LeftOut, IsShorterForWhatMayNotBeTheProvidersDoingAndNeverShortensWhatStands) {
  ServiceRecord service;
  const ReplicaRecord bad = replica_of(1);
  const UnixMillis now{1'000'000};
  leave_out(service, bad, Blame::Passing, "it ended with 1", now);
  EXPECT_EQ(service.left_out[0].until.value, now.value + kPassedOverMillis);
  leave_out(service, bad, Blame::Provider, "it lies", now);
  const UnixMillis until = service.left_out[0].until;
  leave_out(service, bad, Blame::Passing, "it ended with 1", now);
  EXPECT_EQ(service.left_out[0].until, until);
}

TEST(LeftOut, IsBoundedAndTheLongestKnownGoesFirst) {
  ServiceRecord service;
  for (std::size_t i = 0; i <= kMaxLeftOut; ++i) {
    leave_out(service, replica_of(static_cast<std::uint8_t>(i)), Blame::Provider, "dark",
              UnixMillis{1'000 + i});
  }
  EXPECT_EQ(service.left_out.size(), kMaxLeftOut);
  EXPECT_FALSE(is_left_out(service, replica_of(0).owner, UnixMillis{1'000}));
  EXPECT_TRUE(is_left_out(service, replica_of(kMaxLeftOut).owner, UnixMillis{1'000}));
}

}  // namespace
}  // namespace hm::hosting
