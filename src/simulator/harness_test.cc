// SPDX-License-Identifier: Apache-2.0
// The simulator's own parts: what the fake world promises, and that the checks can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "simulator/checker.h"
#include "simulator/clock.h"
#include "simulator/disk.h"
#include "simulator/network.h"

namespace hm::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

crypto::Digest digest(std::string_view text) { return crypto::sha256(as_bytes(text)); }

identity::NodeId node(std::uint8_t number) {
  identity::NodeId id;
  id.bytes[0] = number;
  return id;
}

ports::SharedBytes bytes(std::uint8_t value) { return std::make_shared<const Bytes>(Bytes{value}); }

void drain(Scheduler& scheduler, Duration time) {
  const MonoTime end = scheduler.now() + time;
  scheduler.at(end, [] {});
  while (scheduler.next() && *scheduler.next() <= end) scheduler.step();
}

struct Ear final : ports::TransportListener {
  void on_peer_up(const identity::NodeId& peer) override { up.push_back(peer.bytes[0]); }
  void on_peer_down(const identity::NodeId& peer, const std::string&) override {
    down.push_back(peer.bytes[0]);
  }
  void on_message(const identity::NodeId&, ports::Channel, ByteView payload) override {
    heard.push_back(payload[0]);
  }
  std::vector<int> up, down, heard;
};

struct TwoPlaces : ::testing::Test {
  TwoPlaces() {
    a = network.add_place(node(1));
    b = network.add_place(node(2));
    network.attach(a, ear_a);
    network.attach(b, ear_b);
    drain(scheduler, seconds(1));
  }
  void say(std::uint8_t from, std::uint8_t to) {
    for (std::uint8_t i = from; i < to; ++i) {
      (void)network.send(a, node(2), ports::Channel::Consensus, bytes(i));
    }
  }
  Scheduler scheduler;
  Network network{scheduler, SimRandom(7), NetworkLimits{}};
  Ear ear_a, ear_b;
  Place a = 0, b = 0;
};

TEST_F(TwoPlaces, MessagesOfOneChannelArriveInOrder) {
  EXPECT_EQ(ear_a.up, std::vector<int>{2});
  say(0, 200);
  drain(scheduler, seconds(1));
  ASSERT_EQ(ear_b.heard.size(), 200u);
  EXPECT_TRUE(std::ranges::is_sorted(ear_b.heard));
}

TEST_F(TwoPlaces, AShortOneWayCutDelaysAndALongOneLosesTheConnection) {
  network.set_blocked(a, b, true);
  say(0, 5);
  drain(scheduler, seconds(1));
  EXPECT_TRUE(ear_b.heard.empty());
  network.set_blocked(a, b, false);
  EXPECT_EQ(ear_b.heard.size(), 5u);
  EXPECT_TRUE(ear_b.down.empty());

  network.set_blocked(a, b, true);
  say(5, 10);
  drain(scheduler, seconds(4));
  EXPECT_EQ(ear_b.down, std::vector<int>{1});
  network.set_blocked(a, b, false);
  drain(scheduler, seconds(1));
  EXPECT_EQ(ear_b.heard.size(), 5u) << "what was on its way is lost with the connection";
  EXPECT_EQ(ear_a.up, (std::vector<int>{2, 2}));
}

TEST_F(TwoPlaces, RawModeLosesRepeatsAndReorders) {
  LinkQuality raw;
  raw.raw = true;
  raw.loss_permille = 200;
  raw.duplicate_permille = 200;
  raw.reorder_permille = 200;
  network.set_quality(a, b, raw);
  say(0, 200);
  drain(scheduler, seconds(1));
  EXPECT_FALSE(std::ranges::is_sorted(ear_b.heard));
  std::ranges::sort(ear_b.heard);
  const auto repeats = std::ranges::adjacent_find(ear_b.heard);
  EXPECT_NE(repeats, ear_b.heard.end());
  ear_b.heard.erase(std::ranges::unique(ear_b.heard).begin(), ear_b.heard.end());
  EXPECT_LT(ear_b.heard.size(), 200u);
}

TEST_F(TwoPlaces, ASilentEndIsNoticedAfterTheIdleTimeoutAndAClosedOneAtOnce) {
  network.detach(b, Network::End::Silent);
  drain(scheduler, seconds(1));
  EXPECT_TRUE(ear_a.down.empty());
  drain(scheduler, seconds(3));
  EXPECT_EQ(ear_a.down, std::vector<int>{2});
  network.attach(b, ear_b);
  drain(scheduler, seconds(1));
  network.detach(b, Network::End::Closed);
  EXPECT_EQ(ear_a.down, (std::vector<int>{2, 2}));
}

TEST_F(TwoPlaces, AProcessThatDiesWhileSendingGetsOnlySomeMessagesOut) {
  bool dead = false;
  network.limit_sends(a, 3, [&] { dead = true; });
  say(0, 10);
  EXPECT_FALSE(dead) << "it dies by an event of its own";
  drain(scheduler, seconds(1));
  EXPECT_TRUE(dead);
  EXPECT_EQ(ear_b.heard, (std::vector<int>{0, 1, 2}));
}

struct Flushes final : ports::JournalListener {
  void on_durable(ports::LogSequence sequence) override { last = sequence; }
  void on_journal_failed(const Error&) override { failed = true; }
  ports::LogSequence last = 0;
  bool failed = false;
};

TEST(SimDisk, KeepsWhatWasDurableThroughACrashAndAPrefixOfTheRest) {
  bool lost_some = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Scheduler scheduler;
    SimDisk disk{SimRandom(seed)};
    Flushes flushes;
    {
      Life life;
      SimJournal journal(scheduler, life, disk, flushes);
      (void)journal.append(Bytes{1});
      drain(scheduler, seconds(1));
      EXPECT_EQ(flushes.last, 1u);
      for (std::uint8_t i = 2; i < 10; ++i) (void)journal.append(Bytes{i});
    }
    disk.crash(PowerLoss::TornTail);
    drain(scheduler, seconds(1));
    EXPECT_EQ(flushes.last, 1u) << "a dead process hears nothing";
    Life life;
    SimJournal journal(scheduler, life, disk, flushes);
    std::vector<int> read;
    const auto report =
        journal.replay([&](ports::LogSequence, ByteView record) { read.push_back(record[0]); });
    ASSERT_GE(read.size(), 1u);
    for (std::size_t i = 0; i < read.size(); ++i) EXPECT_EQ(read[i], static_cast<int>(i) + 1);
    lost_some = lost_some || read.size() < 9;
    EXPECT_EQ(report->tail, ports::ReplayReport::Tail::Clean);
    EXPECT_EQ(journal.append(Bytes{0}), read.size() + 1);
  }
  EXPECT_TRUE(lost_some);
}

TEST(SimDisk, ReportsDamageUntilItIsAcknowledged) {
  Scheduler scheduler;
  SimDisk disk{SimRandom(1)};
  Flushes flushes;
  Life life;
  SimJournal journal(scheduler, life, disk, flushes);
  for (std::uint8_t i = 1; i < 10; ++i) (void)journal.append(Bytes{i});
  drain(scheduler, seconds(1));
  disk.crash(PowerLoss::DamagedTail);
  disk.crash(PowerLoss::TornTail);
  const auto damaged = journal.replay([](ports::LogSequence, ByteView) {});
  EXPECT_EQ(damaged->tail, ports::ReplayReport::Tail::Damaged);
  EXPECT_LT(damaged->last, 9u);
  journal.acknowledge_damage();
  EXPECT_EQ(journal.replay([](ports::LogSequence, ByteView) {})->tail,
            ports::ReplayReport::Tail::Clean);
}

TEST(SimDisk, LosesUnsyncedBatchesInOrder) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimDisk disk{SimRandom(seed)};
    SimStore store(disk);
    for (std::uint8_t i = 0; i < 10; ++i) {
      ASSERT_TRUE(store.write({{ports::Space::Meta, Bytes{i}, Bytes{i}}}));
      if (i != 3) continue;
      ASSERT_TRUE(store.sync());
    }
    disk.crash(PowerLoss::TornTail);
    std::vector<int> keys;
    ASSERT_TRUE(store.scan(ports::Space::Meta, {}, {}, [&](ByteView key, ByteView) {
      keys.push_back(key[0]);
      return true;
    }));
    ASSERT_GE(keys.size(), 4u);
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(keys[i], static_cast<int>(i));
  }
}

TEST(SimDisk, AFullDiskFailsTheJournalOnceAndTheStore) {
  Scheduler scheduler;
  SimDisk disk{SimRandom(1)};
  Flushes flushes;
  Life life;
  SimJournal journal(scheduler, life, disk, flushes);
  disk.set_failed(true);
  (void)journal.append(Bytes{1});
  drain(scheduler, seconds(1));
  EXPECT_TRUE(flushes.failed);
  SimStore store(disk);
  EXPECT_FALSE(store.write({{ports::Space::Meta, Bytes{1}, Bytes{1}}}));
}

TEST(SimClock, DriftsAndItsTimersFireWhenItReadsTheDeadline) {
  Scheduler scheduler;
  Life life;
  for (const std::int64_t drift : {-300, 0, 300}) {
    const ClockFault fault{.drift_ppm = drift, .skew_ms = -5000};
    const SimClock clock(scheduler, fault);
    SimTimers timers(scheduler, clock, life);
    bool fired = false;
    auto timer = timers.create([&] {
      fired = true;
      EXPECT_GE(clock.now(), MonoTime(seconds(100)));
      EXPECT_LT(clock.now(), MonoTime(seconds(100) + milliseconds(2)));
    });
    timer->arm(MonoTime(seconds(50)));
    timer->arm(MonoTime(seconds(100)));
    drain(scheduler, seconds(101));
    EXPECT_TRUE(fired);
  }
}

// The canary of the harness: a scripted fork must be seen, and so must every other breach.
TEST(Checker, SeesAScriptedFork) {
  Checker checker;
  checker.on_final(0, {1, digest("a"), digest("genesis"), {}});
  checker.on_final(1, {1, digest("a"), digest("genesis"), {}});
  EXPECT_FALSE(checker.violation());
  checker.on_final(0, {2, digest("b"), digest("a"), {}});
  checker.on_final(1, {2, digest("c"), digest("a"), {}});
  ASSERT_TRUE(checker.violation());
  EXPECT_EQ(checker.violation()->check, "fork");
}

TEST(Checker, SeesAForkAcrossARestart) {
  Checker checker;
  checker.on_final(0, {1, digest("a"), digest("genesis"), {}});
  checker.on_started(0, 0, {});
  checker.on_final(0, {1, digest("b"), digest("genesis"), {}});
  ASSERT_TRUE(checker.violation());
  EXPECT_EQ(checker.violation()->check, "fork");
}

TEST(Checker, SeesABlockThatDoesNotFollowItsParent) {
  Checker checker;
  checker.on_final(0, {1, digest("a"), digest("genesis"), {}});
  checker.on_final(0, {2, digest("b"), digest("x"), {}});
  EXPECT_EQ(checker.violation()->check, "fork");
}

TEST(Checker, SeesGapsRootsLossesAndLostConservation) {
  const auto check_of = [](auto&& script) {
    Checker checker;
    checker.on_final(0, {1, digest("a"), digest("genesis"), {digest("op")}});
    checker.on_root(0, 1, digest("root"));
    checker.on_acknowledged(digest("op"), 1);
    EXPECT_FALSE(checker.violation());
    script(checker);
    return checker.violation() ? checker.violation()->check : std::string("none");
  };
  EXPECT_EQ(check_of([](Checker& c) { c.on_final(0, {3, digest("c"), digest("b"), {}}); }), "gap");
  EXPECT_EQ(check_of([](Checker& c) { c.on_root(1, 1, digest("other")); }), "root");
  EXPECT_EQ(check_of([](Checker& c) { c.on_acknowledged(digest("never"), 1); }), "lost");
  EXPECT_EQ(check_of([](Checker& c) { c.check_kept(1, {}); }), "lost");
  EXPECT_EQ(check_of([](Checker& c) { c.check_kept(1, {{digest("op"), 1}}); }), "none");
  EXPECT_EQ(check_of([](Checker& c) { c.on_supply(1, 1, false); }), "conservation");
  EXPECT_EQ(check_of([](Checker& c) { c.on_started(1, 5, digest("e")); }), "recovery");
}

}  // namespace
}  // namespace hm::simulator
