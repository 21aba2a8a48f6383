// SPDX-License-Identifier: Apache-2.0
#include "core/activity/judge.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::activity {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The share that has reached its limit, if one has.
std::optional<std::uint32_t> at_limit(const Measured<Pressure>& pressure,
                                      const PressureLimits& limits) {
  if (!pressure) return std::nullopt;
  if (limits.some && pressure->some >= *limits.some) return pressure->some;
  if (limits.full && pressure->full && *pressure->full >= *limits.full) return pressure->full;
  return std::nullopt;
}

std::string in_seconds(Duration age) {
  return std::to_string(std::chrono::duration_cast<seconds>(age).count()) + " s";
}

// `amount` out of `whole` as a percentage with one decimal, rounded down.
std::string percent(std::uint32_t amount, std::uint32_t whole) {
  const std::uint64_t tenths = std::uint64_t{amount} * 1000 / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string waited_for(std::string_view what, const ActivityVerdict& verdict) {
  return "active: programs waited for " + std::string(what) + " in " +
         percent(verdict.amount, kWholePressure) + " of the time, " + in_seconds(verdict.age) +
         " ago";
}

}  // namespace

std::string_view name_of(Activity activity) {
  switch (activity) {
    case Activity::Idle: return "idle";
    case Activity::Active: return "active";
    case Activity::Unknown: return "unknown";
  }
  return "unknown";
}

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::Calm: return "calm";
    case Cause::Input: return "input";
    case Cause::Load: return "load";
    case Cause::CpuPressure: return "cpu_pressure";
    case Cause::IoPressure: return "io_pressure";
    case Cause::MemoryPressure: return "memory_pressure";
    case Cause::OnBattery: return "on_battery";
    case Cause::NoReading: return "no_reading";
    case Cause::ReadingsStopped: return "readings_stopped";
    case Cause::LoadNotKnown: return "load_not_known";
    case Cause::InputNotKnown: return "input_not_known";
    case Cause::WatchedTooShort: return "watched_too_short";
  }
  return "unknown";
}

std::string sentence(const ActivityVerdict& verdict) {
  const std::string age = in_seconds(verdict.age);
  switch (verdict.cause) {
    case Cause::Calm: return "idle: no sign of use for " + age;
    case Cause::Input: return "active: somebody used keyboard, pointer or terminal " + age + " ago";
    case Cause::Load:
      return "active: programs used " + percent(verdict.amount, kWholeMachine) +
             " of the processors " + age + " ago";
    case Cause::CpuPressure: return waited_for("a processor", verdict);
    case Cause::IoPressure: return waited_for("disks", verdict);
    case Cause::MemoryPressure: return waited_for("memory", verdict);
    case Cause::OnBattery: return "active: the machine ran on its battery " + age + " ago";
    case Cause::NoReading: return "unknown: nothing has been read yet";
    case Cause::ReadingsStopped: return "unknown: nothing has been read for " + age;
    case Cause::LoadNotKnown:
      return "unknown: use of the processors is not known: " +
             std::string(explain(verdict.absence));
    case Cause::InputNotKnown:
      return "unknown: whether somebody is at the machine is not known: " +
             std::string(explain(verdict.absence));
    case Cause::WatchedTooShort: return "unknown: no sign of use, but watched for " + age + " only";
  }
  return "unknown";
}

ActivityJudge::ActivityJudge(const ActivityPolicy& policy) : policy_(policy) {
  HM_CHECK(check(policy));
}

void ActivityJudge::change_policy(const ActivityPolicy& policy) {
  HM_CHECK(check(policy));
  policy_ = policy;
  watched_since_.reset();
}

std::optional<ActivityJudge::Sign> ActivityJudge::sign_in(const ActivityReading& reading,
                                                          MonoTime now) const {
  if (reading.load && *reading.load >= policy_.busy_load) {
    return Sign{now, Cause::Load, *reading.load};
  }
  const bool lent_made_it = lent_at_work_ && now - *lent_at_work_ < kPressureSettles;
  if (!lent_made_it) {
    if (const auto share = at_limit(reading.cpu, policy_.busy_cpu)) {
      return Sign{now, Cause::CpuPressure, *share};
    }
    if (const auto share = at_limit(reading.io, policy_.busy_io)) {
      return Sign{now, Cause::IoPressure, *share};
    }
    if (const auto share = at_limit(reading.memory, policy_.busy_memory)) {
      return Sign{now, Cause::MemoryPressure, *share};
    }
  }
  if (policy_.battery == BatteryUse::IsBusy && reading.power &&
      *reading.power == PowerSource::Battery) {
    return Sign{now, Cause::OnBattery, 0};
  }
  return std::nullopt;
}

std::optional<ActivityVerdict> ActivityJudge::missing_in(const ActivityReading& reading) const {
  if (!reading.load) {
    return ActivityVerdict{.cause = Cause::LoadNotKnown, .absence = reading.load.absence()};
  }
  if (policy_.input == InputUse::Ignored) return std::nullopt;
  const auto input = since_input(reading);
  if (input) return std::nullopt;
  return ActivityVerdict{.cause = Cause::InputNotKnown, .absence = input.absence()};
}

void ActivityJudge::note(const Sign& sign) {
  // Of two at one time the later noted is shown, and that is input.
  if (!last_sign_ || sign.at >= last_sign_->at) last_sign_ = sign;
}

void ActivityJudge::handle_reading(const ActivityReading& reading, MonoTime now) {
  if (last_reading_) now = std::max(now, *last_reading_);
  const bool gap = !last_reading_ || now - *last_reading_ > kMaxReadingGap;
  if (gap) watched_since_.reset();
  if (reading.lent && *reading.lent >= kLentAtWork) lent_at_work_ = now;
  if (const auto sign = sign_in(reading, now)) note(*sign);
  if (policy_.input == InputUse::Counts) {
    // Each source by itself: one that shows input counts even where another is not seen.
    for (const auto& source : {reading.terminal_input, reading.device_input}) {
      // Clamped, because an absurd age would not fit a Duration.
      if (source) {
        note({now - std::clamp(*source, milliseconds(0), kMaxIdleAfter), Cause::Input, 0});
      }
    }
  }
  if (missing_in(reading)) {
    watched_since_.reset();
  } else if (!watched_since_) {
    watched_since_ = now;
  }
  reading_ = reading;
  last_reading_ = now;
}

ActivityVerdict ActivityJudge::verdict(MonoTime now) const {
  if (!last_reading_) return {};
  now = std::max(now, *last_reading_);
  if (now - *last_reading_ > kMaxReadingGap) {
    return {.cause = Cause::ReadingsStopped, .age = now - *last_reading_};
  }
  if (last_sign_ && now - last_sign_->at < policy_.idle_after) {
    return {.activity = Activity::Active,
            .cause = last_sign_->cause,
            .age = now - last_sign_->at,
            .amount = last_sign_->amount};
  }
  if (const auto missing = missing_in(reading_)) return *missing;
  // The watch is over where the policy has changed since the last reading.
  const Duration watched = watched_since_ ? now - *watched_since_ : Duration{};
  if (watched < policy_.idle_after) return {.cause = Cause::WatchedTooShort, .age = watched};
  const Duration calm = last_sign_ ? std::min(watched, now - last_sign_->at) : watched;
  return {.activity = Activity::Idle, .cause = Cause::Calm, .age = calm};
}

}  // namespace hm::activity
