// SPDX-License-Identifier: Apache-2.0
// The finest clock of the machine, for benchmarks of single operations.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace hm::bench {

// Ticks of the time stamp counter, which run at the nominal clock whatever the actual one; on
// other processors nanoseconds.
inline std::uint64_t ticks() {
#if defined(__x86_64__)
  _mm_lfence();
  const std::uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                    std::chrono::nanoseconds(1));
#endif
}

}  // namespace hm::bench
