// SPDX-License-Identifier: Apache-2.0
// Decides from readings whether the owner uses the machine.
//
// Promises:
// - Active at the first reading that shows input, load, pressure or battery power, and for
//   idle_after from then on. Idle only when the machine was watched for idle_after without a gap
//   and without a sign of use. Unknown otherwise: it is never Idle for want of evidence.
// - What leases do is no sign of use. Their processor time is not in `load`; pressure, which cannot
//   be told apart, counts only while they are at rest.
// - Same readings at the same times, same verdicts.
// It reads nothing itself and starts no timer: a verdict is asked for at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/activity/policy.h"
#include "core/activity/reading.h"
#include "foundation/base/time.h"

namespace hm::activity {

// Longest time between two readings. After a longer one the machine counts as unwatched, and the
// wait for Idle begins anew. A reading every few seconds leaves room for a slow worker.
inline constexpr Duration kMaxReadingGap = std::chrono::seconds(30);
// Leases at or above this much of the machine make pressure theirs.
inline constexpr Permille kLentAtWork = 10;
// For how long after that pressure stays theirs: the kernel's 10-second average of a full stop is
// then below 1 %.
inline constexpr Duration kPressureSettles = std::chrono::seconds(50);

enum class Activity : std::uint8_t { Idle, Active, Unknown };
// "idle", "active", "unknown".
std::string_view name_of(Activity activity);

// Which rule gave the verdict.
enum class Cause : std::uint8_t {
  Calm,   // Idle
  Input,  // Active, as are the next five
  Load,
  CpuPressure,
  IoPressure,
  MemoryPressure,
  OnBattery,
  NoReading,        // Unknown, as are the rest
  ReadingsStopped,  // none for longer than kMaxReadingGap
  LoadNotKnown,
  InputNotKnown,
  WatchedTooShort,  // nothing seen yet, for less than idle_after
};
// "calm", "input", "load", "cpu_pressure" and so on.
std::string_view name_of(Cause cause);

struct ActivityVerdict {
  Activity activity = Activity::Unknown;
  Cause cause = Cause::NoReading;
  // Calm: how long. Active: how long ago the sign of use was. ReadingsStopped: since the last one.
  // WatchedTooShort: how long watched so far. Otherwise 0.
  Duration age{};
  // Active by load, in permille, or pressure, in hundredths of a percent: what was read. Else 0.
  std::uint32_t amount = 0;
  // LoadNotKnown and InputNotKnown: why.
  Absence absence = Absence::NotMeasured;

  bool operator==(const ActivityVerdict&) const = default;
};

// One sentence for people: "active: programs used 41.2 % of the processors 3 s ago".
std::string sentence(const ActivityVerdict& verdict);

class ActivityJudge {
 public:
  // Requires: check(policy).
  explicit ActivityJudge(const ActivityPolicy& policy);

  // What was read at `now`, which does not go back; an earlier one counts as the last.
  void handle_reading(const ActivityReading& reading, MonoTime now);

  // From here on these rules hold, and the wait for Idle begins anew; what made the machine Active
  // before still does. Requires: check(policy).
  void change_policy(const ActivityPolicy& policy);

  ActivityVerdict verdict(MonoTime now) const;
  const ActivityPolicy& policy() const { return policy_; }
  // The last one; absent values before the first.
  const ActivityReading& reading() const { return reading_; }

 private:
  struct Sign {
    MonoTime at;
    Cause cause;
    std::uint32_t amount;
  };

  // What this reading shows of use other than input; the strongest first.
  std::optional<Sign> sign_in(const ActivityReading& reading, MonoTime now) const;
  // What keeps this reading from counting as calm.
  std::optional<ActivityVerdict> missing_in(const ActivityReading& reading) const;
  void note(const Sign& sign);

  ActivityPolicy policy_;
  ActivityReading reading_;
  std::optional<MonoTime> last_reading_;
  std::optional<MonoTime> watched_since_;  // start of the run of complete readings without a gap
  std::optional<MonoTime> lent_at_work_;   // last reading at which leases were
  std::optional<Sign> last_sign_;
};

}  // namespace hm::activity
