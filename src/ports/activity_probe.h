// SPDX-License-Identifier: Apache-2.0
// Whether somebody uses this machine, as measured.
//
// Promises: it measures that there was use and when, never what was typed, run or shown. A signal
// that this machine does not give is absent and says why. It draws no conclusion: that is
// core/activity's.
#pragma once

#include "core/activity/reading.h"
#include "foundation/base/time.h"

namespace hm::ports {

class ActivityProbe {
 public:
  virtual ~ActivityProbe() = default;
  // Looks at the machine at `now`, by the clock on the wall `wall`. Load is that since the last
  // call, so the first has none, and input devices are seen from the first call on. Blocks for some
  // milliseconds, so it belongs on a worker; calls must not overlap. Call it every few seconds:
  // more often than activity::kMaxReadingGap, and not so often that a tick of the processor's
  // accounting (10 ms) weighs.
  virtual activity::ActivityReading read(MonoTime now, UnixMillis wall) = 0;
};

}  // namespace hm::ports
