// SPDX-License-Identifier: Apache-2.0
// What the control groups of this process allow it, under version 1, version 2 or a mix of both.
#pragma once

#include <cstdint>
#include <optional>

#include "platform/linux/kernel_tree.h"

namespace hm::linux {

struct CgroupLimits {
  std::optional<std::uint64_t> cpu_millicores;  // the tightest quota on the way to the root
  std::optional<std::uint64_t> memory_bytes;    // the tightest limit on the way to the root
};

// Limits that cannot be read count as none.
CgroupLimits read_cgroup_limits(const KernelTree& proc, const KernelTree& sys);

}  // namespace hm::linux
