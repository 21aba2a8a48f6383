// SPDX-License-Identifier: Apache-2.0
// A fixed pool for pure CPU work and blocking calls, so that the event loop never waits.
#pragma once

#include <functional>

namespace hm::ports {

class Workers {
 public:
  virtual ~Workers() = default;
  // Runs `job` off the loop, then `done` on it. Jobs may run in any order and at the same time;
  // they share nothing with the loop. The queue is unbounded here: callers bound their own use.
  virtual void submit(std::function<void()> job, std::function<void()> done) = 0;
};

}  // namespace hm::ports
