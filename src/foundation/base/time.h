// SPDX-License-Identifier: Apache-2.0
// Time as a value. Core code never reads a clock: `MonoTime now` comes in as an argument, and wall
// time as `UnixMillis`. Real and simulated clocks stand behind ports/clock.h.
#pragma once

#include <chrono>
#include <cstdint>

#include "foundation/base/strong.h"

namespace hm {

using Duration = std::chrono::nanoseconds;

// Steady time since an arbitrary start of this process; never goes back.
struct MonoClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;

// Wall time in milliseconds since 1970-01-01T00:00:00Z, as read from a possibly wrong clock.
struct UnixMillisTag;
using UnixMillis = Strong<UnixMillisTag, std::uint64_t>;

}  // namespace hm
