// SPDX-License-Identifier: Apache-2.0
// The time of day on this machine: for new ids and for saying how long something still lasts. What
// counts on the ledger is the time of its blocks.
#pragma once

#include <chrono>

#include "foundation/base/time.h"

namespace hm::cli {

inline UnixMillis wall_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return UnixMillis(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
}

}  // namespace hm::cli
