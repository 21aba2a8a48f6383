// SPDX-License-Identifier: Apache-2.0
// Virtual time: actions in the order of their time, ties in the order in which they were asked for.
// One thread; time moves only from one action to the next, so that a run depends on nothing but
// what was scheduled.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "foundation/base/time.h"

namespace hm::simulator {

// A process between its start and its crash. Whatever it scheduled is dropped once it has ended.
class Life {
 public:
  Life() : alive_(std::make_shared<bool>(true)) {}
  ~Life() { end(); }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  void end() { *alive_ = false; }
  // `action`, doing nothing once this life has ended.
  std::function<void()> guard(std::function<void()> action) const {
    return [alive = alive_, action = std::move(action)] {
      if (*alive) action();
    };
  }

 private:
  std::shared_ptr<bool> alive_;
};

class Scheduler {
 public:
  MonoTime now() const { return now_; }
  // Runs `action` at `when`, or next if that has passed.
  void at(MonoTime when, std::function<void()> action);
  void after(Duration delay, std::function<void()> action) { at(now_ + delay, std::move(action)); }

  std::optional<MonoTime> next() const;
  // Runs the earliest action; false if there is none.
  bool step();
  std::uint64_t steps() const { return steps_; }

 private:
  struct Entry {
    MonoTime when;
    std::uint64_t order;
    std::function<void()> action;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  MonoTime now_{};
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace hm::simulator
