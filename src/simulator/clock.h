// SPDX-License-Identifier: Apache-2.0
// The clocks, timers and workers of one simulated machine. Its steady clock runs fast or slow by
// some parts per million and its wall clock is off by some milliseconds; its workers take virtual
// time.
#pragma once

#include <functional>
#include <memory>

#include "foundation/base/time.h"
#include "ports/clock.h"
#include "ports/timer.h"
#include "ports/workers.h"
#include "simulator/random.h"
#include "simulator/schedule.h"

namespace hm::simulator {

// Wall time at virtual time zero: 2027-01-15T08:00:00Z.
inline constexpr std::uint64_t kEpochMillis = 1'800'000'000'000;

struct ClockFault {
  std::int64_t drift_ppm = 0;
  std::int64_t skew_ms = 0;
};

class SimClock final : public ports::Clock {
 public:
  // `fault` outlives this; its skew may change while the clock runs.
  SimClock(const Scheduler& scheduler, const ClockFault& fault)
      : scheduler_(scheduler), fault_(fault), boot_(scheduler.now()) {}

  MonoTime now() const override { return local(scheduler_.now()); }
  UnixMillis wall() const override;
  // Virtual time at or after which this machine's steady clock reads `time`.
  MonoTime global(MonoTime time) const;

 private:
  MonoTime local(MonoTime global) const;

  const Scheduler& scheduler_;
  const ClockFault& fault_;
  MonoTime boot_;
};

class SimTimers final : public ports::Timers {
 public:
  SimTimers(Scheduler& scheduler, const SimClock& clock, const Life& life)
      : scheduler_(scheduler), clock_(clock), life_(life) {}
  std::unique_ptr<ports::Timer> create(std::function<void()> on_fire) override;

 private:
  Scheduler& scheduler_;
  const SimClock& clock_;
  const Life& life_;
};

// Runs jobs at once, since they share nothing with the loop, and reports them after a delay that
// varies, so that answers overtake one another as they do on a real pool.
class SimWorkers final : public ports::Workers {
 public:
  SimWorkers(Scheduler& scheduler, const Life& life, SimRandom random, Duration longest)
      : scheduler_(scheduler), life_(life), random_(random), longest_(longest) {}
  void submit(std::function<void()> job, std::function<void()> done) override;

 private:
  Scheduler& scheduler_;
  const Life& life_;
  SimRandom random_;
  Duration longest_;
};

}  // namespace hm::simulator
