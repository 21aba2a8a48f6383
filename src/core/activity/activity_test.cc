// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "core/activity/judge.h"

namespace hm::activity {
namespace {

using namespace std::chrono_literals;

MonoTime at(Duration since_start) { return MonoTime{} + since_start; }

// All signals there, none a sign of use.
ActivityReading calm_reading() {
  return {.load = Permille{20},
          .lent = Permille{0},
          .cpu = Pressure{.some = 100, .full = 0},
          .io = Pressure{.some = 100, .full = 50},
          .memory = Pressure{.some = 0, .full = 0},
          .terminal_input = std::chrono::milliseconds(2h),
          .device_input = std::chrono::milliseconds(3h),
          .sessions = Sessions{.interactive = 1, .local_graphical = 1},
          .power = PowerSource::Mains};
}

// Feeds `reading` every 5 s over [from, to].
void feed(ActivityJudge& judge, const ActivityReading& reading, Duration from, Duration to) {
  for (Duration now = from; now <= to; now += 5s) judge.handle_reading(reading, at(now));
}

// A judge that has become Idle at 300 s.
ActivityJudge idle_judge(const ActivityPolicy& policy = {}) {
  ActivityJudge judge(policy);
  feed(judge, calm_reading(), 0s, 300s);
  EXPECT_EQ(judge.verdict(at(300s)).activity, Activity::Idle);
  return judge;
}

TEST(ActivityJudge, IsIdleOnlyAfterIdleAfterOfWatchedCalm) {
  ActivityJudge judge(ActivityPolicy{});
  EXPECT_EQ(judge.verdict(at(1h)).cause, Cause::NoReading);
  feed(judge, calm_reading(), 0s, 295s);
  EXPECT_EQ(judge.verdict(at(295s)),
            (ActivityVerdict{.cause = Cause::WatchedTooShort, .age = 295s}));
  judge.handle_reading(calm_reading(), at(300s));
  EXPECT_EQ(judge.verdict(at(300s)),
            (ActivityVerdict{.activity = Activity::Idle, .cause = Cause::Calm, .age = 300s}));
}

TEST(ActivityJudge, EverySignOfUseMakesItActiveAtOnceAndForIdleAfter) {
  struct Case {
    Cause cause;
    std::uint32_t amount;
    void (*use)(ActivityReading&);
  };
  const Case cases[] = {
      {Cause::Load, 250, [](auto& r) { r.load = Permille{250}; }},
      {Cause::CpuPressure, 4'000, [](auto& r) { r.cpu = Pressure{.some = 4'000, .full = {}}; }},
      {Cause::IoPressure, 5'000, [](auto& r) { r.io = Pressure{.some = 5'000, .full = {}}; }},
      {Cause::MemoryPressure, 1'000,
       [](auto& r) { r.memory = Pressure{.some = 1'000, .full = {}}; }},
      {Cause::OnBattery, 0, [](auto& r) { r.power = PowerSource::Battery; }},
      {Cause::Input, 0, [](auto& r) { r.terminal_input = 0ms; }},
      {Cause::Input, 0, [](auto& r) { r.device_input = 0ms; }},
  };
  for (const Case& sign : cases) {
    SCOPED_TRACE(name_of(sign.cause));
    ActivityJudge judge = idle_judge();
    ActivityReading reading = calm_reading();
    sign.use(reading);
    judge.handle_reading(reading, at(305s));
    const ActivityVerdict expected{
        .activity = Activity::Active, .cause = sign.cause, .amount = sign.amount};
    EXPECT_EQ(judge.verdict(at(305s)), expected);
    feed(judge, calm_reading(), 310s, 600s);
    EXPECT_EQ(judge.verdict(at(604s)).activity, Activity::Active);
    judge.handle_reading(calm_reading(), at(605s));
    EXPECT_EQ(judge.verdict(at(605s)).activity, Activity::Idle);
  }
}

TEST(ActivityJudge, JustBelowEveryLimitIsCalm) {
  ActivityReading reading = calm_reading();
  reading.load = Permille{249};
  reading.cpu = Pressure{.some = 3'999, .full = kWholePressure};
  reading.io = Pressure{.some = 4'999, .full = kWholePressure};
  reading.memory = Pressure{.some = 999, .full = kWholePressure};
  reading.device_input = 5min;
  ActivityJudge judge = idle_judge();
  judge.handle_reading(reading, at(305s));
  EXPECT_EQ(judge.verdict(at(305s)).activity, Activity::Idle);
}

TEST(ActivityJudge, AFullLimitIsJudgedAndShownByTheFullShare) {
  ActivityPolicy policy;
  policy.busy_io = {.some = {}, .full = 300};
  ActivityJudge judge(policy);
  ActivityReading reading = calm_reading();
  reading.io = Pressure{.some = 9'000, .full = 299};
  judge.handle_reading(reading, at(0s));
  EXPECT_EQ(judge.verdict(at(0s)).activity, Activity::Unknown);
  reading.io = Pressure{.some = 9'000, .full = 300};
  judge.handle_reading(reading, at(5s));
  EXPECT_EQ(judge.verdict(at(5s)).amount, 300U);
}

TEST(ActivityJudge, InputBeforeTheFirstReadingCountsFromWhenItWas) {
  ActivityJudge judge(ActivityPolicy{});
  ActivityReading reading = calm_reading();
  reading.terminal_input = 2min;
  judge.handle_reading(reading, at(10s));
  EXPECT_EQ(judge.verdict(at(10s)),
            (ActivityVerdict{.activity = Activity::Active, .cause = Cause::Input, .age = 2min}));
}

TEST(ActivityJudge, WhatLeasesDoIsNoSignOfUse) {
  ActivityJudge judge = idle_judge();
  ActivityReading leased = calm_reading();
  leased.lent = Permille{970};
  leased.cpu = Pressure{.some = 9'000, .full = {}};
  leased.io = Pressure{.some = 9'000, .full = {}};
  leased.memory = Pressure{.some = 9'000, .full = {}};
  feed(judge, leased, 305s, 900s);
  EXPECT_EQ(judge.verdict(at(900s)).activity, Activity::Idle);

  leased.lent = Permille{0};  // ended; the kernel's average still falls
  judge.handle_reading(leased, at(905s));
  judge.handle_reading(leased, at(930s));
  EXPECT_EQ(judge.verdict(at(949s)).activity, Activity::Idle);
  judge.handle_reading(leased, at(950s));
  EXPECT_EQ(judge.verdict(at(950s)).cause, Cause::CpuPressure) << "by now it is the owner's";

  ActivityReading both = calm_reading();
  both.lent = Permille{700};
  both.load = Permille{300};
  judge.handle_reading(both, at(955s));
  EXPECT_EQ(judge.verdict(at(955s)).cause, Cause::Load) << "the owner's own load still counts";
}

TEST(ActivityJudge, IsUnknownWithoutLoadOrInputAndWatchesAnew) {
  ActivityJudge judge = idle_judge();
  ActivityReading reading = calm_reading();
  reading.load = Absence::Malformed;
  judge.handle_reading(reading, at(305s));
  EXPECT_EQ(judge.verdict(at(305s)),
            (ActivityVerdict{.cause = Cause::LoadNotKnown, .absence = Absence::Malformed}));
  feed(judge, calm_reading(), 310s, 605s);
  EXPECT_EQ(judge.verdict(at(605s)).cause, Cause::WatchedTooShort);
  judge.handle_reading(calm_reading(), at(610s));
  EXPECT_EQ(judge.verdict(at(610s)).activity, Activity::Idle);

  reading = calm_reading();
  reading.device_input = Absence::NotReadable;
  judge.handle_reading(reading, at(615s));
  EXPECT_EQ(judge.verdict(at(615s)),
            (ActivityVerdict{.cause = Cause::InputNotKnown, .absence = Absence::NotReadable}));
}

TEST(ActivityJudge, IsActiveByTheSourceItSeesWhereAnotherIsAbsent) {
  ActivityJudge judge(ActivityPolicy{});
  judge.handle_reading({.load = Absence::NeedsInterval, .terminal_input = 3s}, at(0s));
  EXPECT_EQ(judge.verdict(at(0s)).cause, Cause::Input);
}

TEST(ActivityJudge, SignalsThatAreNotNeededMayBeAbsent) {
  ActivityJudge judge(ActivityPolicy{});
  const ActivityReading headless{
      .load = Permille{0}, .terminal_input = 1h, .device_input = Absence::NoDevice};
  feed(judge, headless, 0s, 300s);
  EXPECT_EQ(judge.verdict(at(300s)).activity, Activity::Idle);
}

TEST(ActivityJudge, AGapBetweenReadingsIsUnknownAndWatchesAnew) {
  ActivityJudge judge = idle_judge();
  EXPECT_EQ(judge.verdict(at(330s)).activity, Activity::Idle);
  EXPECT_EQ(judge.verdict(at(331s)),
            (ActivityVerdict{.cause = Cause::ReadingsStopped, .age = 31s}));
  judge.handle_reading(calm_reading(), at(331s));
  EXPECT_EQ(judge.verdict(at(331s)).cause, Cause::WatchedTooShort);
}

TEST(ActivityJudge, WhatThePolicyLeavesOutDoesNotCount) {
  const ActivityPolicy policy{.busy_cpu = {.some = {}, .full = {}},
                              .busy_io = {.some = {}, .full = {}},
                              .busy_memory = {.some = {}, .full = {}},
                              .input = InputUse::Ignored,
                              .battery = BatteryUse::Ignored};
  ActivityReading reading = calm_reading();
  reading.cpu = reading.io = reading.memory = Pressure{.some = 10'000, .full = 10'000};
  reading.terminal_input = 0ms;
  reading.device_input = Absence::NotReadable;
  reading.power = PowerSource::Battery;
  ActivityJudge judge(policy);
  feed(judge, reading, 0s, 300s);
  EXPECT_EQ(judge.verdict(at(300s)).activity, Activity::Idle);
}

TEST(ActivityJudge, AChangeOfPolicyWatchesAnew) {
  ActivityJudge judge = idle_judge();
  judge.change_policy({.idle_after = 1min});
  EXPECT_EQ(judge.verdict(at(300s)).cause, Cause::WatchedTooShort);
  feed(judge, calm_reading(), 305s, 365s);
  EXPECT_EQ(judge.verdict(at(365s)).activity, Activity::Idle);
}

TEST(ActivityJudge, TimeThatGoesBackAndAbsurdAgesChangeNothing) {
  ActivityJudge judge = idle_judge();
  judge.handle_reading(calm_reading(), at(-1h));
  EXPECT_EQ(judge.verdict(at(-1h)).activity, Activity::Idle);
  ActivityReading reading = calm_reading();
  reading.terminal_input = kNoInputSeen;
  reading.device_input = kNoInputSeen;
  judge.handle_reading(reading, at(305s));
  EXPECT_EQ(judge.verdict(at(305s)).activity, Activity::Idle);
  reading.device_input = std::chrono::milliseconds::min();
  judge.handle_reading(reading, at(310s));
  EXPECT_EQ(judge.verdict(at(310s)).cause, Cause::Input);
}

TEST(ActivityJudge, EveryVerdictHasASentenceThatBeginsWithIt) {
  for (int cause = 0; cause <= static_cast<int>(Cause::WatchedTooShort); ++cause) {
    ActivityVerdict verdict{.cause = static_cast<Cause>(cause), .age = 42s, .amount = 412};
    verdict.activity = verdict.cause == Cause::Calm        ? Activity::Idle
                       : verdict.cause <= Cause::OnBattery ? Activity::Active
                                                           : Activity::Unknown;
    EXPECT_TRUE(sentence(verdict).starts_with(std::string(name_of(verdict.activity)) + ": "))
        << sentence(verdict);
    EXPECT_NE(name_of(verdict.cause), "unknown");
  }
  EXPECT_EQ(
      sentence({.activity = Activity::Active, .cause = Cause::Load, .age = 3s, .amount = 412}),
      "active: programs used 41.2 % of the processors 3 s ago");
}

TEST(SinceInput, IsTheLatestOfAllSourcesAndAbsentWhereOneIsHidden) {
  ActivityReading reading = calm_reading();
  EXPECT_EQ(since_input(reading), Measured<std::chrono::milliseconds>(2h));
  reading.device_input = 1min;
  EXPECT_EQ(since_input(reading), Measured<std::chrono::milliseconds>(1min));

  reading.sessions = Sessions{.interactive = 2, .local_graphical = 1, .remote_graphical = 1};
  EXPECT_EQ(since_input(reading).absence(), Absence::NotOffered) << "a remote screen";

  reading.sessions = Sessions{.interactive = 1};
  reading.device_input = Absence::NotReadable;
  EXPECT_EQ(since_input(reading), Measured<std::chrono::milliseconds>(2h)) << "no screen in use";
  reading.sessions = Absence::NotOffered;
  EXPECT_EQ(since_input(reading).absence(), Absence::NotReadable) << "perhaps a screen in use";
  reading.device_input = Absence::NoDevice;
  EXPECT_EQ(since_input(reading), Measured<std::chrono::milliseconds>(2h)) << "no keyboard at all";
  reading.device_input = 7s;
  reading.terminal_input = Absence::NotReadable;
  EXPECT_EQ(since_input(reading).absence(), Absence::NotReadable);
}

TEST(ActivityPolicy, RefusesEveryBrokenRuleByName) {
  const auto refusal = [](auto change) {
    ActivityPolicy policy;
    change(policy);
    const auto result = check(policy);
    return result ? std::string("accepted") : std::string(name_of(result.error()));
  };
  EXPECT_EQ(refusal([](auto&) {}), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.idle_after = kMinIdleAfter; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.idle_after = kMinIdleAfter - 1ms; }), "idle_after_too_short");
  EXPECT_EQ(refusal([](auto& p) { p.idle_after = kMaxIdleAfter; }), "accepted");
  EXPECT_EQ(refusal([](auto& p) { p.idle_after = kMaxIdleAfter + 1ms; }), "idle_after_too_long");
  EXPECT_EQ(refusal([](auto& p) { p.busy_load = 0; }), "busy_load_out_of_range");
  EXPECT_EQ(refusal([](auto& p) { p.busy_load = 1001; }), "busy_load_out_of_range");
  EXPECT_EQ(refusal([](auto& p) { p.busy_cpu.some = 0; }), "pressure_out_of_range");
  EXPECT_EQ(refusal([](auto& p) { p.busy_io.full = 10'001; }), "pressure_out_of_range");
  EXPECT_EQ(refusal([](auto& p) { p.busy_memory = {.some = {}, .full = {}}; }), "accepted");
}

struct Step {
  Duration after;
  ActivityReading reading;
};

// Mostly calm, so that runs of calm are long enough for Idle.
Step arbitrary_step() {
  Step step{.after = std::chrono::seconds(*rc::gen::inRange(0, 40)), .reading = calm_reading()};
  ActivityReading& reading = step.reading;
  switch (*rc::gen::inRange(0, 40)) {
    case 0: reading.load = Permille{*rc::gen::inRange(200U, 1001U)}; break;
    case 1:
      reading.terminal_input = std::chrono::milliseconds(*rc::gen::inRange(0, 900'000));
      break;
    case 2: reading.device_input = std::chrono::milliseconds(*rc::gen::inRange(0, 900'000)); break;
    case 3: reading.io = Pressure{.some = *rc::gen::inRange(0U, 10'001U), .full = {}}; break;
    case 4: reading.lent = Permille{*rc::gen::inRange(0U, 1001U)}; break;
    case 5: reading.load = Absence::NotReadable; break;
    case 6: reading.device_input = Absence::NotReadable; break;
    case 7: reading.power = PowerSource::Battery; break;
    default: step.after = std::chrono::seconds(*rc::gen::inRange(1, 8)); break;
  }
  return step;
}

std::vector<Step> arbitrary_history() {
  const int length = *rc::gen::inRange(1, 200);
  std::vector<Step> steps;
  for (int i = 0; i < length; ++i) steps.push_back(arbitrary_step());
  return steps;
}

ActivityPolicy short_policy() { return {.idle_after = 60s}; }

TEST(ActivityProperty, IdleMeansIdleAfterOfCompleteReadingsWithoutASignOrGap) {
  int idle = 0;
  const bool ok = rc::check([&idle] {
    const ActivityPolicy policy = short_policy();
    ActivityJudge judge(policy);
    MonoTime now{};
    std::vector<std::pair<MonoTime, ActivityReading>> seen;
    for (const Step& step : arbitrary_history()) {
      now += step.after;
      judge.handle_reading(step.reading, now);
      seen.emplace_back(now, step.reading);
      const MonoTime asked = now + std::chrono::seconds(*rc::gen::inRange(0, 35));
      if (judge.verdict(asked).activity != Activity::Idle) continue;
      ++idle;
      RC_ASSERT(asked - now <= kMaxReadingGap);
      // Backwards through the window and to the reading at its edge.
      MonoTime later = asked;
      for (auto it = seen.rbegin(); it != seen.rend(); ++it) {
        const auto& [when, reading] = *it;
        RC_ASSERT(later - when <= kMaxReadingGap);
        RC_ASSERT(reading.load && since_input(reading));
        if (asked - when < policy.idle_after) {
          RC_ASSERT(*reading.load < policy.busy_load);
          RC_ASSERT(*reading.power == PowerSource::Mains);
          RC_ASSERT(when - *since_input(reading) <= asked - policy.idle_after);
        }
        later = when;
        if (asked - when >= policy.idle_after) break;
      }
      RC_ASSERT(asked - later >= policy.idle_after);
    }
  });
  EXPECT_TRUE(ok);
  EXPECT_GT(idle, 0) << "no history became idle, so nothing was tested";
}

TEST(ActivityProperty, ASignOfUseIsActiveAtOnceAfterAnyHistory) {
  EXPECT_TRUE(rc::check([] {
    ActivityJudge judge(short_policy());
    MonoTime now{};
    for (const Step& step : arbitrary_history()) {
      now += step.after;
      judge.handle_reading(step.reading, now);
      const auto input = since_input(step.reading);
      const bool loaded = step.reading.load && *step.reading.load >= judge.policy().busy_load;
      const bool typed = input && *input < judge.policy().idle_after;
      if (loaded || typed) RC_ASSERT(judge.verdict(now).activity == Activity::Active);
    }
  }));
}

TEST(ActivityProperty, CalmReadingsLeadToIdleAfterAnyHistory) {
  EXPECT_TRUE(rc::check([] {
    ActivityJudge judge(short_policy());
    MonoTime now{};
    for (const Step& step : arbitrary_history()) {
      now += step.after;
      judge.handle_reading(step.reading, now);
    }
    const MonoTime end = now + 5s + judge.policy().idle_after;
    while (now < end) {
      now += 5s;
      judge.handle_reading(calm_reading(), now);
    }
    RC_ASSERT(judge.verdict(now).activity == Activity::Idle);
  }));
}

TEST(ActivityProperty, HowMuchIsLentNeverMakesIdleLessSo) {
  EXPECT_TRUE(rc::check([] {
    ActivityJudge plain(short_policy());
    ActivityJudge lending(short_policy());
    MonoTime now{};
    for (Step step : arbitrary_history()) {
      now += step.after;
      step.reading.lent = Permille{0};
      plain.handle_reading(step.reading, now);
      step.reading.lent = Permille{*rc::gen::inRange(0U, 1001U)};
      lending.handle_reading(step.reading, now);
      if (plain.verdict(now).activity == Activity::Idle) {
        RC_ASSERT(lending.verdict(now).activity == Activity::Idle);
      }
    }
  }));
}

}  // namespace
}  // namespace hm::activity
