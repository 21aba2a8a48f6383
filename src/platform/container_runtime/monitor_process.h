// SPDX-License-Identifier: Apache-2.0
// Starting a monitor, and finding one again that an earlier daemon started.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "platform/container_runtime/descriptor.h"

namespace hm::container_runtime {

struct MonitorProcess {
  Descriptor socket;   // SOCK_SEQPACKET, non-blocking
  Descriptor process;  // pidfd
};

enum class FirstClient : std::uint8_t { Attached, Elsewhere };
// `arguments[0]` is the monitor's path. It has /dev/null for its standard descriptors. A first
// client that attaches has done so before the monitor starts: a process may have ended by the time
// that the event loop comes to it.
Result<MonitorProcess> start_monitor(const std::vector<std::string>& arguments,
                                     FirstClient first_client);

// The monitor that listens in this state folder; Unavailable if there is none.
Result<MonitorProcess> find_monitor(const std::string& folder);

}  // namespace hm::container_runtime
