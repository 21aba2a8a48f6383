// SPDX-License-Identifier: Apache-2.0
#include "simulator/clock.h"

#include <utility>

namespace hm::simulator {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

class SimTimer final : public ports::Timer {
 public:
  SimTimer(Scheduler& scheduler, const SimClock& clock, const Life& life,
           std::function<void()> on_fire)
      : scheduler_(scheduler),
        clock_(clock),
        life_(life),
        state_(std::make_shared<State>(State{0, std::move(on_fire)})) {}
  ~SimTimer() override { cancel(); }

  void arm(MonoTime deadline) override {
    const std::uint64_t armed = ++state_->generation;
    scheduler_.at(clock_.global(deadline), life_.guard([state = state_, armed] {
      if (state->generation != armed) return;
      ++state->generation;
      const auto on_fire = state->on_fire;  // it may destroy this timer
      on_fire();
    }));
  }
  void cancel() override { ++state_->generation; }

 private:
  struct State {
    std::uint64_t generation;
    std::function<void()> on_fire;
  };
  Scheduler& scheduler_;
  const SimClock& clock_;
  const Life& life_;
  std::shared_ptr<State> state_;
};

}  // namespace

MonoTime SimClock::local(MonoTime global) const {
  const std::int64_t elapsed = (global - boot_).count();
  return MonoTime(Duration(elapsed + elapsed / kMillion * fault_.drift_ppm));
}

MonoTime SimClock::global(MonoTime time) const {
  const std::int64_t wanted = time.time_since_epoch().count();
  // One step of the fixed point is exact to within drift², the loop closes the rest.
  std::int64_t elapsed = wanted - wanted / kMillion * fault_.drift_ppm;
  while (local(boot_ + Duration(elapsed)) < time) elapsed += kMillion;
  return boot_ + Duration(elapsed);
}

UnixMillis SimClock::wall() const {
  const std::int64_t elapsed = scheduler_.now().time_since_epoch().count() / kMillion;
  return UnixMillis(static_cast<std::uint64_t>(static_cast<std::int64_t>(kEpochMillis) + elapsed +
                                               fault_.skew_ms));
}

std::unique_ptr<ports::Timer> SimTimers::create(std::function<void()> on_fire) {
  return std::make_unique<SimTimer>(scheduler_, clock_, life_, std::move(on_fire));
}

void SimWorkers::submit(std::function<void()> job, std::function<void()> done) {
  job();
  scheduler_.after(random_.between(Duration(0), longest_), life_.guard(std::move(done)));
}

}  // namespace hm::simulator
