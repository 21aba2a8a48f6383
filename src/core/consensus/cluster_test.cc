// SPDX-License-Identifier: Apache-2.0
// Several replicas together: agreement whatever the network does, progress when it behaves.
#include <gtest/gtest.h>

#include "core/consensus/test_cluster.h"

namespace hm::consensus::testing {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

class ClusterOf : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ClusterOf, OrdersOperationsAndGoesIdle) {
  Cluster cluster(GetParam(), 1);
  cluster.start_all();
  for (std::uint64_t i = 0; i < 20; ++i) {
    cluster.submit(i);
    cluster.run_for(20 * kMillisecond);
  }
  const auto done = [&] {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      if (cluster.node(i).applied.size() != 20) return false;
    }
    return true;
  };
  EXPECT_TRUE(cluster.run_until(done, 5 * kSecond));
  cluster.run_for(2 * kSecond);
  for (std::size_t i = 0; i < cluster.size(); ++i) EXPECT_TRUE(cluster.replica(i).is_idle());
  const std::uint64_t before = cluster.messages_sent();
  const Height height = cluster.replica(0).final_height();
  cluster.run_for(5 * kSecond);
  EXPECT_EQ(cluster.messages_sent(), before) << "idle, and yet messages";
  cluster.run_for(10 * kSecond);
  EXPECT_GE(cluster.replica(0).final_height(), height + 1) << "no heartbeat";
  EXPECT_LE(cluster.replica(0).final_height(), height + 3) << "heartbeats too fast";
  EXPECT_FALSE(cluster.forked());
}

INSTANTIATE_TEST_SUITE_P(Sizes, ClusterOf, ::testing::Values(1, 2, 4, 7));

TEST(Cluster, BlocksFollowEachOtherWithoutWaitingForFinality) {
  Cluster cluster(4, 1);
  cluster.min_delay = cluster.max_delay = 10 * kMillisecond;
  cluster.disk_delay = Duration{};
  cluster.start_all();
  cluster.run_for(100 * kMillisecond);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    cluster.submit(i);
    cluster.run_for(kMillisecond);
  }
  // Two delays of 10 ms a block, so 50 in a second; three or more delays would give 33.
  EXPECT_GE(cluster.replica(0).final_height(), 45u);
}

TEST(Cluster, KilledLeaderCostsNoRepeatingStall) {
  Cluster cluster(4, 3);
  cluster.start_all();
  std::uint64_t operation = 0;
  const auto load = [&](Duration duration) {
    for (Duration passed{}; passed < duration; passed += 5 * kMillisecond) {
      cluster.submit(operation++);
      cluster.run_for(5 * kMillisecond);
    }
  };
  load(kSecond);
  const std::size_t victim = cluster.replica(0).leader(cluster.replica(0).view());
  cluster.crash(victim);
  const std::size_t witness = victim == 0 ? 1 : 0;
  Height height = cluster.replica(witness).final_height();
  Duration longest{};
  Duration stall{};
  for (int i = 0; i < 400; ++i) {
    load(5 * kMillisecond);
    const Height now = cluster.replica(witness).final_height();
    stall = now == height ? stall + 5 * kMillisecond : Duration{};
    longest = std::max(longest, stall);
    height = now;
  }
  EXPECT_LT(longest, kSecond);
  EXPECT_LT(longest, 200 * kMillisecond);
  cluster.restart(victim);
  EXPECT_TRUE(cluster.run_until_height(height, 3 * kSecond));
}

TEST(Cluster, LeaderThatFallsSilentWithoutClosingIsSkippedTheSecondTime) {
  Cluster cluster(4, 3);
  cluster.start_all();
  cluster.submit(1);
  cluster.run_for(kSecond);
  cluster.deliver = [](std::size_t from, std::size_t, const Message&) { return from != 2; };
  std::uint64_t operation = 10;
  const std::uint64_t before = cluster.replica(0).counters().timeouts;
  for (int i = 0; i < 1000; ++i) {
    cluster.submit(operation++);
    cluster.run_for(2 * kMillisecond);
  }
  EXPECT_GT(cluster.replica(0).counters().views_nullified, 10u);
  EXPECT_LE(cluster.replica(0).counters().timeouts, before + 2);
}

// Checking a block may take longer than the timers first allow; they must learn.
TEST(Cluster, SlowValidationStillReachesFinalityAndTheTimersAdapt) {
  Cluster cluster(4, 3);
  cluster.validation_delay = 700 * kMillisecond;
  cluster.start_all();
  std::uint64_t operation = 0;
  for (int i = 0; i < 300; ++i) {
    cluster.submit(operation++);
    cluster.run_for(100 * kMillisecond);
  }
  EXPECT_GE(cluster.replica(0).final_height(), 25u);
  const std::uint64_t nullified = cluster.replica(0).counters().views_nullified;
  for (int i = 0; i < 200; ++i) {
    cluster.submit(operation++);
    cluster.run_for(100 * kMillisecond);
  }
  EXPECT_EQ(cluster.replica(0).counters().views_nullified, nullified);
}

TEST(Cluster, MinorityStopsAndResumesWhenReunited) {
  Cluster cluster(4, 5);
  cluster.start_all();
  cluster.submit(1);
  ASSERT_TRUE(cluster.run_until_height(1, 2 * kSecond));
  cluster.crash(2);
  cluster.crash(3);
  cluster.run_for(kSecond);
  cluster.submit(2);
  const Height before = cluster.replica(0).final_height();
  cluster.run_for(60 * kSecond);
  EXPECT_EQ(cluster.replica(0).final_height(), before);
  cluster.restart(2);
  EXPECT_TRUE(cluster.run_until([&] { return cluster.node(0).applied.contains(2); }, 2 * kSecond));
  EXPECT_FALSE(cluster.forked());
}

// P12: everybody stops in mid-view with different votes logged.
TEST(Cluster, P12WholeClusterPowerLossResumes) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Cluster cluster(4, seed);
    cluster.start_all();
    Dice dice(seed);
    for (std::uint64_t i = 0; i < 20; ++i) cluster.submit(i);
    for (int round = 0; round < 3; ++round) {
      cluster.submit(100 + static_cast<std::uint64_t>(round));
      cluster.run_for(Duration(static_cast<std::int64_t>(dice.below(60'000'000))));
      for (std::size_t i = 0; i < 4; ++i) cluster.crash(i);
      cluster.run_for(kSecond);
      for (std::size_t i = 0; i < 4; ++i) cluster.restart(i);
    }
    const auto done = [&] {
      for (std::size_t i = 0; i < 4; ++i) {
        if (cluster.node(i).applied.size() != 23) return false;
      }
      return true;
    };
    ASSERT_TRUE(cluster.run_until(done, 10 * kSecond)) << "seed " << seed << "\n"
                                                       << cluster.replica(0).describe() << "\n"
                                                       << cluster.replica(1).describe() << "\n"
                                                       << cluster.replica(2).describe() << "\n"
                                                       << cluster.replica(3).describe();
    ASSERT_FALSE(cluster.forked()) << "seed " << seed;
    for (std::size_t i = 0; i < 4; ++i) ASSERT_TRUE(cluster.node(i).faults.empty());
  }
}

TEST(Cluster, DamagedTailAbstainsUntilNewerFinalization) {
  Cluster cluster(4, 9);
  cluster.start_all();
  for (std::uint64_t i = 0; i < 10; ++i) {
    cluster.submit(i);
    cluster.run_for(30 * kMillisecond);
  }
  cluster.crash(1);
  cluster.restart(1, Cluster::Log::Damaged);
  EXPECT_TRUE(cluster.replica(1).is_abstaining());
  std::uint64_t operation = 100;
  const auto resumed = [&] {
    cluster.submit(operation++);
    return !cluster.replica(1).is_abstaining();
  };
  EXPECT_TRUE(cluster.run_until(resumed, 5 * kSecond));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(cluster.node(i).faults.empty());
  EXPECT_FALSE(cluster.forked());
}

TEST(Cluster, WipedValidatorCatchesUpAndVotesAgain) {
  Cluster cluster(4, 11);
  cluster.start_all();
  for (std::uint64_t i = 0; i < 300; ++i) {
    cluster.submit(i);
    cluster.run_for(20 * kMillisecond);
  }
  cluster.crash(3);
  cluster.restart(3, Cluster::Log::Wiped);
  const Height height = cluster.replica(0).final_height();
  EXPECT_TRUE(cluster.run_until_height(height, 5 * kSecond));
  std::uint64_t operation = 1000;
  const auto resumed = [&] {
    cluster.submit(operation++);
    return !cluster.replica(3).is_abstaining();
  };
  EXPECT_TRUE(cluster.run_until(resumed, 5 * kSecond));
  // Now its vote is needed.
  cluster.crash(0);
  const Height then = cluster.replica(3).final_height();
  cluster.submit(5000);
  EXPECT_TRUE(
      cluster.run_until([&] { return cluster.replica(3).final_height() > then; }, 5 * kSecond));
  for (std::size_t i = 1; i < 4; ++i) EXPECT_TRUE(cluster.node(i).faults.empty());
  EXPECT_FALSE(cluster.forked());
}

TEST(Cluster, FollowerFollowsAndCatchesUpFromScratch) {
  Cluster cluster(4, 13, 1);
  cluster.start_all();
  for (std::uint64_t i = 0; i < 50; ++i) {
    cluster.submit(i);
    cluster.run_for(20 * kMillisecond);
  }
  EXPECT_TRUE(cluster.run_until_height(cluster.replica(0).final_height(), kSecond));
  cluster.crash(4);
  cluster.restart(4, Cluster::Log::Wiped);
  EXPECT_TRUE(cluster.run_until_height(cluster.replica(0).final_height(), 3 * kSecond));
  EXPECT_FALSE(cluster.replica(4).own_index().has_value());
}

TEST(Cluster, FollowerThatHearsOnlyCertificatesStillFollows) {
  Cluster cluster(4, 14, 1);
  cluster.deliver = [](std::size_t, std::size_t to, const Message& message) {
    return to != 4 || (!std::holds_alternative<VoteMessage>(message.body) &&
                       !std::holds_alternative<Proposal>(message.body));
  };
  cluster.start_all();
  for (std::uint64_t i = 0; i < 50; ++i) {
    cluster.submit(i);
    cluster.run_for(50 * kMillisecond);
  }
  EXPECT_TRUE(cluster.run_until_height(cluster.replica(0).final_height(), 12 * kSecond));
}

// P13: the same events give the same outcome, byte for byte.
TEST(Cluster, P13SameSeedSameHistory) {
  const auto history = [] {
    Cluster cluster(4, 77);
    cluster.loss_percent = 10;
    cluster.start_all();
    for (std::uint64_t i = 0; i < 50; ++i) {
      cluster.submit(i);
      cluster.run_for(10 * kMillisecond);
    }
    cluster.run_for(3 * kSecond);
    return std::pair{cluster.finals(), cluster.messages_sent()};
  };
  EXPECT_EQ(history(), history());
}

// Loss, partitions, crashes and restarts at random; then peace: all operations become final
// everywhere, nobody is accused.
TEST(Cluster, RandomFaultsNeverForkAndEndInProgress) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Dice dice(seed * 1000);
    const std::size_t n = seed % 3 == 0 ? 7 : 4;
    Cluster cluster(n, seed);
    cluster.loss_percent = dice.below(30);
    cluster.max_delay = Duration(static_cast<std::int64_t>(2'000'000 + dice.below(60'000'000)));
    cluster.execution_delay = Duration(static_cast<std::int64_t>(dice.below(20'000'000)));
    cluster.start_all();
    for (std::uint64_t step = 0; step < 60; ++step) {
      cluster.submit_to(dice.below(n), step);
      cluster.submit(1000 + step);
      const std::size_t i = dice.below(n);
      const std::size_t j = (i + 1 + dice.below(n - 1)) % n;
      switch (dice.below(6)) {
        case 0:
          if (cluster.node(i).up) cluster.crash(i);
          break;
        case 1:
          if (!cluster.node(i).up) cluster.restart(i);
          break;
        case 2: cluster.disconnect(i, j); break;
        case 3: cluster.connect(i, j); break;
        default: break;
      }
      cluster.run_for(Duration(static_cast<std::int64_t>(dice.below(200'000'000))));
      ASSERT_FALSE(cluster.forked()) << "seed " << seed;
    }
    cluster.loss_percent = 0;
    cluster.max_delay = 5 * kMillisecond;
    for (std::size_t i = 0; i < n; ++i) {
      if (!cluster.node(i).up) cluster.restart(i);
      for (std::size_t j = 0; j < n; ++j) cluster.connect(i, j);
    }
    const auto done = [&] {
      for (std::size_t i = 0; i < n; ++i) {
        if (!cluster.node(i).pool.empty()) return false;
      }
      return true;
    };
    std::string states;
    const bool live = cluster.run_until(done, 30 * kSecond);
    for (std::size_t i = 0; i < n; ++i) states += cluster.replica(i).describe() + "\n";
    ASSERT_TRUE(live) << "seed " << seed << "\n" << states;
    ASSERT_FALSE(cluster.forked()) << "seed " << seed;
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_TRUE(cluster.node(i).faults.empty()) << "honest node accused, seed " << seed;
      ASSERT_FALSE(cluster.node(i).forked || cluster.node(i).diverged) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace hm::consensus::testing
