// SPDX-License-Identifier: Apache-2.0
// Network links other than loopback, from an rtnetlink dump and /sys/class/net.
#pragma once

#include "foundation/base/result.h"
#include "platform/linux/kernel_tree.h"
#include "platform/linux/netlink.h"
#include "ports/hardware_probe.h"

namespace hm::linux {

// The links of the /sys tree and the addresses of /proc/net/if_inet6: what remains where netlink
// cannot be used. Tells less than dump_links(): no kinds, no loopback flag beyond the type.
LinkTable read_links(const KernelTree& proc, const KernelTree& sys);

// Appends one item per link to `snapshot`.
void probe_network(const KernelTree& sys, const LinkTable& links,
                   ports::HardwareSnapshot& snapshot);

}  // namespace hm::linux
