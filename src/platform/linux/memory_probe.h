// SPDX-License-Identifier: Apache-2.0
// The machine's memory as one item, from /proc/meminfo and /sys.
#pragma once

#include "platform/linux/cgroup_limits.h"
#include "platform/linux/kernel_tree.h"
#include "ports/hardware_probe.h"

namespace hm::linux {

// Appends to `snapshot`; a note says so when /proc/meminfo cannot be read.
void probe_memory(const KernelTree& proc, const KernelTree& sys, const CgroupLimits& limits,
                  ports::HardwareSnapshot& snapshot);

}  // namespace hm::linux
