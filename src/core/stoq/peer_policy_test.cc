// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/peer_policy.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>

#include "core/stoq/handshake_gate.h"
#include "core/stoq/incident.h"

namespace hm::stoq {
namespace {

constexpr MonoTime kStart{std::chrono::seconds(100)};

identity::NodeId node(std::uint8_t number) {
  identity::NodeId id;
  id.bytes[0] = number;
  return id;
}

TEST(Backoff, BeginsAtOnceThenDoublesWithinItsBounds) {
  Backoff backoff;
  EXPECT_EQ(backoff.next(12'345), Duration::zero());
  Duration whole = kBackoffFirst;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const auto wait = backoff.next(i * 7'919'993);
    EXPECT_GE(wait, whole / 2);
    EXPECT_LE(wait, whole);
    whole = std::min<Duration>(2 * whole, kBackoffMax);
  }
}

TEST(DialSchedule, AFailedDialIsNotRepeatedAtOnce) {
  DialSchedule schedule;
  schedule.start(DialSchedule::Manner::First, kStart);
  EXPECT_EQ(schedule.deadline(), kStart);
  schedule.handle_dialled();
  EXPECT_FALSE(schedule.deadline());
  schedule.handle_failed(kStart, 0);
  EXPECT_GE(*schedule.deadline(), kStart + kBackoffFirst / 2);
}

TEST(DialSchedule, ALostConnectionIsDialledAtOnceIfItHadSettled) {
  DialSchedule schedule;
  schedule.start(DialSchedule::Manner::First, kStart);
  auto now = kStart;
  schedule.handle_up(now);
  now += kStableAfter;
  schedule.handle_down(now, 0);
  EXPECT_EQ(schedule.deadline(), now);
}

TEST(DialSchedule, APeerThatDropsEveryConnectionIsDialledLessAndLessOften) {
  DialSchedule schedule;
  schedule.start(DialSchedule::Manner::First, kStart);
  auto now = kStart;
  for (int i = 0; i < 20; ++i) {
    schedule.handle_up(now);
    now += 1ms;
    schedule.handle_down(now, 0);
  }
  EXPECT_GE(*schedule.deadline() - now, kBackoffMax / 2);
}

// What each end keeps when the same two connections become ready in any order.
RC_GTEST_PROP(TieBreak, BothEndsKeepTheSameConnectionInWhateverOrder,
              (std::uint8_t one, std::uint8_t two, bool first_at_one, bool first_at_two)) {
  RC_PRE(one != two);
  const auto a = node(one);
  const auto b = node(two);
  // true: the connection that a dialled.
  const auto kept = [](const identity::NodeId& self, const identity::NodeId& peer, bool own_first) {
    const ConnectionFacts own{1, true};
    const ConnectionFacts theirs{1, false};
    const auto& existing = own_first ? own : theirs;
    const auto& candidate = own_first ? theirs : own;
    return (choose(self, peer, existing, candidate) == Keep::Existing ? existing : candidate)
        .dialled_by_us;
  };
  RC_ASSERT(kept(a, b, first_at_one) != kept(b, a, first_at_two));
}

TEST(TieBreak, ANewProcessOfThePeerAlwaysWins) {
  for (const auto dialled : {false, true}) {
    EXPECT_EQ(choose(node(1), node(2), {1, true}, {2, dialled}), Keep::Candidate);
    EXPECT_EQ(choose(node(2), node(1), {1, true}, {2, dialled}), Keep::Candidate);
  }
}

TEST(Liveness, SilenceWhileAnAnswerIsOwedMeansDeath) {
  Liveness liveness;
  EXPECT_EQ(liveness.judge(kStart + 1h, 1ms, 10ms), Liveness::Verdict::Alive) << "idle is not dead";
  liveness.handle_owed(kStart);
  EXPECT_EQ(liveness.judge(kStart + kSilenceLimit - 1ns, 1ms, 10ms), Liveness::Verdict::Alive);
  EXPECT_EQ(liveness.judge(kStart + kSilenceLimit, 1ms, 10ms), Liveness::Verdict::Silent);
  EXPECT_EQ(liveness.judge(kStart + kSilenceLimit, 300ms, 1s), Liveness::Verdict::Alive)
      << "a far peer has more time";
  liveness.handle_received(kStart + 500ms, true);
  EXPECT_EQ(liveness.judge(kStart + kSilenceLimit, 1ms, 10ms), Liveness::Verdict::Alive);
}

TEST(Liveness, UnreachableIsBelievedOnlyWithoutASignOfLife) {
  Liveness liveness;
  for (int i = 0; i < 5; ++i) liveness.handle_unreachable(kStart);
  EXPECT_EQ(liveness.judge(kStart, 1ms, 10ms), Liveness::Verdict::Suspect);
  EXPECT_EQ(liveness.judge(kStart + kUnreachableFor, 1ms, 10ms), Liveness::Verdict::Unreachable);
  EXPECT_EQ(liveness.judge(kStart + kUnreachableFor, 100ms, 10ms), Liveness::Verdict::Suspect)
      << "three round trips";
  liveness.handle_received(kStart + 1ms, false);
  EXPECT_EQ(liveness.judge(kStart + 1h, 1ms, 10ms), Liveness::Verdict::Alive)
      << "forged reports do not end a live connection";
}

TEST(Liveness, AProcessThatWasPausedGivesItsPeersTimeToAnswer) {
  Liveness liveness;
  liveness.handle_owed(kStart);
  liveness.handle_pause(kStart + 10s);
  EXPECT_EQ(liveness.judge(kStart + 10s, 1ms, 10ms), Liveness::Verdict::Alive);
  EXPECT_EQ(liveness.judge(kStart + 10s + kSilenceLimit, 1ms, 10ms), Liveness::Verdict::Silent);
}

TEST(HandshakeGate, MemoryIsBoundedAndKnownPeersKeepTheirShare) {
  HandshakeGate gate;
  auto now = kStart;
  std::size_t accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    now += 10ms;
    if (gate.admit(HandshakeGate::Source::Stranger, HandshakeGate::Token::Valid, now) ==
        HandshakeGate::Decision::Accept) {
      ++accepted;
    }
  }
  EXPECT_EQ(accepted, kMaxHalfOpen - kReservedHalfOpen);
  std::size_t known = 0;
  while (gate.admit(HandshakeGate::Source::KnownPeer, HandshakeGate::Token::Valid, now) ==
         HandshakeGate::Decision::Accept) {
    ++known;
  }
  EXPECT_EQ(known, kReservedHalfOpen);
  gate.handle_ended(HandshakeGate::Source::Stranger);
  EXPECT_EQ(gate.half_open(), kMaxHalfOpen - 1);
}

TEST(HandshakeGate, UnderLoadAnAddressIsProvenFirst) {
  HandshakeGate gate;
  for (std::size_t i = 0; i < kRetryAboveHalfOpen; ++i) {
    EXPECT_EQ(gate.admit(HandshakeGate::Source::Stranger, HandshakeGate::Token::None, kStart),
              HandshakeGate::Decision::Accept);
  }
  for (const auto source : {HandshakeGate::Source::Stranger, HandshakeGate::Source::KnownPeer}) {
    EXPECT_EQ(gate.admit(source, HandshakeGate::Token::None, kStart),
              HandshakeGate::Decision::AskForToken);
    EXPECT_EQ(gate.admit(source, HandshakeGate::Token::Valid, kStart),
              HandshakeGate::Decision::Accept);
  }
}

TEST(HandshakeGate, StrangersAreLimitedPerSecond) {
  HandshakeGate gate;
  std::size_t accepted = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (gate.admit(HandshakeGate::Source::Stranger, HandshakeGate::Token::Valid,
                   kStart + i * 100us) == HandshakeGate::Decision::Accept) {
      ++accepted;
      gate.handle_ended(HandshakeGate::Source::Stranger);
    }
  }
  EXPECT_LE(accepted, kStrangerBurst + kStrangerHandshakesPerSecond + 1);
  EXPECT_GE(accepted, kStrangerHandshakesPerSecond);
}

TEST(Incident, EachHasItsOwnName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kIncidentCount; ++i) {
    names.insert(name_of(static_cast<Incident>(i)));
  }
  EXPECT_EQ(names.size(), kIncidentCount);
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace hm::stoq
