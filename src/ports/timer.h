// SPDX-License-Identifier: Apache-2.0
// One-shot wake-ups on the event loop.
#pragma once

#include <functional>
#include <memory>

#include "foundation/base/time.h"

namespace hm::ports {

// Fires at most once per arm(); arming again replaces the earlier deadline; destruction cancels.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void arm(MonoTime deadline) = 0;
  virtual void cancel() = 0;
};

class Timers {
 public:
  virtual ~Timers() = default;
  virtual std::unique_ptr<Timer> create(std::function<void()> on_fire) = 0;
};

}  // namespace hm::ports
