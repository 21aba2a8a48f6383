// SPDX-License-Identifier: Apache-2.0
// IPv6 forwarding of the machine (Linux: net.ipv6.conf.all.forwarding), which containers with
// addresses need. A machine that starts to forward stops to listen to its router; so each interface
// that listens is told to go on (accept_ra 2) first, and set back afterwards.
#pragma once

#include <string>

#include "foundation/base/result.h"

namespace hm::containers_linux {

// Nothing to do where it is on already. Otherwise `marker`, a file, remembers what was changed,
// also over a crash.
Result<void> start_forwarding(const std::string& marker);
// Undoes it, if the marker is there.
void stop_forwarding(const std::string& marker);

// Whether forwarding is on, or will be, because of us.
bool is_forwarding_ours(const std::string& marker);

}  // namespace hm::containers_linux
