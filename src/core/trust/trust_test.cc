// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

#include "core/trust/behaviour.h"
#include "core/trust/score.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::trust {
namespace {

constexpr std::uint64_t kDay = 86'400'000;
constexpr UnixMillis at_day(std::uint64_t day) { return UnixMillis{day * kDay}; }

const std::vector<Event> kGood = {Event::Witnessed, Event::LeaseKept, Event::AuditPassed};
const std::vector<Event> kBad = {Event::Missed, Event::LeaseFailed, Event::AuditFailed,
                                 Event::Disagreement};
const std::vector<Event> kAll = {Event::Witnessed,   Event::Missed,      Event::LeaseKept,
                                 Event::LeaseFailed, Event::AuditPassed, Event::AuditFailed,
                                 Event::Disputed,    Event::Disagreement};

Behaviour any_behaviour() {
  const auto count = [] {
    return *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 100'000),
                           rc::gen::inRange<std::uint64_t>(0, 100'000'000),
                           rc::gen::inRange<std::uint64_t>(0, kMaxCount + 1));
  };
  Behaviour out;
  out.witnessed = count(), out.missed = count(), out.leases_kept = count();
  out.leases_failed = count(), out.audits_passed = count(), out.audits_failed = count();
  out.disputed = count(), out.disagreements = count();
  out.day = 100;
  return out;
}

TEST(Behaviour, CountsTheEventThatIsNoted) {
  for (const Event event : kAll) {
    Behaviour behaviour;
    note(behaviour, event, at_day(7));
    note(behaviour, event, at_day(7), 2);
    for (const Event other : kAll) {
      EXPECT_EQ(behaviour.count(other), other == event ? 3 * kCountScale : 0) << name_of(other);
    }
    EXPECT_EQ(behaviour.day, 7U);
  }
}

TEST(Behaviour, HalvesInThirtyDays) {
  Behaviour behaviour;
  note(behaviour, Event::LeaseKept, at_day(0), 1'000);
  fade(behaviour, at_day(kHalfLifeDays));
  EXPECT_NEAR(static_cast<double>(behaviour.leases_kept), 500'000.0, 50.0);
  fade(behaviour, at_day(2 * kHalfLifeDays));
  EXPECT_NEAR(static_cast<double>(behaviour.leases_kept), 250'000.0, 50.0);
}

TEST(Behaviour, IsForgottenInTheEnd) {
  Behaviour behaviour;
  for (const Event event : kAll) note(behaviour, event, at_day(0), UINT64_MAX);
  EXPECT_EQ(behaviour.witnessed, kMaxCount);
  Behaviour late = behaviour;
  fade(behaviour, at_day(kForgottenAfterDays));
  for (const Event event : kAll) EXPECT_EQ(behaviour.count(event), 0U) << name_of(event);
  fade(late, UnixMillis{UINT64_MAX});
  for (const Event event : kAll) EXPECT_EQ(late.count(event), 0U) << name_of(event);
}

TEST(Behaviour, TimeThatGoesBackChangesNothing) {
  Behaviour behaviour;
  note(behaviour, Event::Witnessed, at_day(50));
  const Behaviour before = behaviour;
  fade(behaviour, at_day(49));
  EXPECT_EQ(behaviour, before);
  note(behaviour, Event::Witnessed, at_day(10));
  EXPECT_EQ(behaviour.witnessed, 2 * kCountScale);
  EXPECT_EQ(behaviour.day, 50U);
}

TEST(Behaviour, FadesTheSameHoweverOftenOneLooks) {
  EXPECT_TRUE(rc::check("path independence at day granularity", [] {
    Behaviour one = any_behaviour();
    Behaviour many = one;
    std::uint64_t now = one.day * kDay;
    for (const std::uint32_t step : *rc::gen::arbitrary<std::vector<std::uint32_t>>()) {
      now += step % (3 * kDay);
      fade(many, UnixMillis{now});
    }
    fade(one, UnixMillis{now});
    RC_ASSERT(one == many);
  }));
}

TEST(Behaviour, HasOneEncoding) {
  Behaviour behaviour;
  note(behaviour, Event::Disputed, at_day(3));
  const Bytes bytes = codec::encode(behaviour);
  EXPECT_EQ(bytes.size(), 72U);
  EXPECT_EQ(codec::decode<Behaviour>(bytes), behaviour);
}

TEST(Score, AnUnknownNodeIsNeutral) {
  EXPECT_EQ(score({}, at_day(20'000)), kNeutralScore);
  Behaviour forgotten;
  note(forgotten, Event::AuditFailed, at_day(0), 5);
  EXPECT_EQ(score(forgotten, at_day(kForgottenAfterDays)), kNeutralScore);
}

TEST(Score, AFewGoodIntervalsSayLittleAndManyNeverSayEverything) {
  Behaviour behaviour;
  note(behaviour, Event::Witnessed, at_day(0), 10);
  EXPECT_EQ(score(behaviour, at_day(0)), 502);
  note(behaviour, Event::Witnessed, at_day(0), 1990);
  EXPECT_EQ(score(behaviour, at_day(0)), 750);
  for (const Event event : kGood) note(behaviour, event, at_day(0), UINT64_MAX);
  EXPECT_EQ(score(behaviour, at_day(0)), 999);
}

TEST(Score, AFailureWeighsMoreThanTheSuccessThatItUndoes) {
  // A disagreement undoes no one success; it weighs as a lease let down.
  for (std::size_t i = 0; i < kGood.size(); ++i) {
    Behaviour behaviour;
    note(behaviour, kGood[i], at_day(0), 9);
    note(behaviour, kBad[i], at_day(0));
    EXPECT_LT(score(behaviour, at_day(0)), kNeutralScore) << name_of(kBad[i]);
  }
  Behaviour worst;
  for (const Event event : kBad) note(worst, event, at_day(0), UINT64_MAX);
  EXPECT_EQ(score(worst, at_day(0)), 0);
}

TEST(Score, OneMoreGoodEventNeverLowersAndOneMoreBadNeverRaises) {
  EXPECT_TRUE(rc::check("monotonic", [] {
    const Behaviour behaviour = any_behaviour();
    const UnixMillis now = at_day(100 + *rc::gen::inRange<std::uint64_t>(0, 40));
    const auto before = score(behaviour, now);
    RC_ASSERT(before <= 1000);
    for (const Event event : kAll) {
      Behaviour more = behaviour;
      note(more, event, now, *rc::gen::element<std::uint64_t>(1, 1, 100, UINT64_MAX));
      const auto after = score(more, now);
      if (std::ranges::count(kGood, event) > 0) RC_ASSERT(after >= before);
      if (std::ranges::count(kBad, event) > 0) RC_ASSERT(after <= before);
      if (event == Event::Disputed) RC_ASSERT(after == before);
    }
  }));
}

int distance(const Behaviour& behaviour, std::uint64_t day) {
  return std::abs(int{score(behaviour, at_day(day))} - int{kNeutralScore});
}

TEST(Score, TimeMovesItTowardsNeutral) {
  EXPECT_TRUE(rc::check("one-sided histories: every day", [] {
    Behaviour behaviour = any_behaviour();
    if (*rc::gen::arbitrary<bool>()) {
      behaviour.missed = behaviour.leases_failed = behaviour.audits_failed = 0;
      behaviour.disagreements = 0;
    } else {
      behaviour.witnessed = behaviour.leases_kept = behaviour.audits_passed = 0;
    }
    for (std::uint64_t day = 100; day < 200; ++day) {
      RC_ASSERT(distance(behaviour, day + 1) <= distance(behaviour, day));
    }
  }));
  // Counts are rounded apart from each other: of the bad ones a day may lose 6 010 weighted
  // thousandths more than it should, which is 1.5 points against the prior alone.
  EXPECT_TRUE(rc::check("any history: every day, but for two points of rounding", [] {
    const Behaviour behaviour = any_behaviour();
    for (std::uint64_t day = 100; day < 200; ++day) {
      RC_ASSERT(distance(behaviour, day + 1) <= distance(behaviour, day) + 2);
    }
    RC_ASSERT(distance(behaviour, 100 + kForgottenAfterDays) == 0);
  }));
}

TEST(Explain, TheTermsAddUpToTheScore) {
  EXPECT_TRUE(rc::check("exactly, each with its sign", [] {
    const Behaviour behaviour = any_behaviour();
    const UnixMillis now = at_day(100 + *rc::gen::inRange<std::uint64_t>(0, 1300));
    const auto terms = explain(behaviour, now);
    RC_ASSERT(terms.size() == kEvents + 1);
    RC_ASSERT((terms[0] == Term{"neutral", 0, kNeutralScore}));
    int total = 0;
    for (const Term& term : terms) total += term.contribution;
    RC_ASSERT(total == int{score(behaviour, now)});
    for (std::size_t i = 0; i < kEvents; ++i) {
      const auto event = static_cast<Event>(i);
      const Term& term = terms[i + 1];
      RC_ASSERT(term.name == name_of(event));
      if (std::ranges::count(kGood, event) > 0) RC_ASSERT(term.contribution >= 0);
      if (std::ranges::count(kBad, event) > 0) RC_ASSERT(term.contribution <= 0);
      if (event == Event::Disputed || term.count == 0) RC_ASSERT(term.contribution == 0);
    }
  }));
}

TEST(Explain, EveryEventHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Term& term : explain({}, at_day(0))) names.insert(term.name);
  EXPECT_EQ(names.size(), kEvents + 1);
}

TEST(Explain, CountsBeyondTheLargestAreTakenAsTheLargest) {
  Behaviour hostile;
  hostile.witnessed = hostile.audits_failed = UINT64_MAX;
  Behaviour largest;
  largest.witnessed = largest.audits_failed = kMaxCount;
  EXPECT_EQ(score(hostile, at_day(0)), score(largest, at_day(0)));
  fade(hostile, at_day(1));
  fade(largest, at_day(1));
  EXPECT_EQ(hostile, largest);
}

}  // namespace
}  // namespace hm::trust
