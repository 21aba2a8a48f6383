// SPDX-License-Identifier: Apache-2.0
// One item per processor package: identity and features from CPUID (from /proc/cpuinfo where there
// is none), topology, caches, frequencies and NUMA nodes from /sys.
#pragma once

#include <cstdint>
#include <optional>

#include "platform/linux/cgroup_limits.h"
#include "platform/linux/cpuid.h"
#include "platform/linux/kernel_tree.h"
#include "ports/hardware_probe.h"

namespace hm::linux {

struct CpuProbeInputs {
  KernelTree proc;
  KernelTree sys;
  std::optional<CpuidSource> cpuid;                    // empty: identity comes from /proc/cpuinfo
  std::optional<std::vector<std::uint32_t>> affinity;  // CPUs that this process may run on
  CgroupLimits limits;
};

// Appends to `snapshot`; a note says so when no processor can be read.
void probe_cpu(const CpuProbeInputs& inputs, ports::HardwareSnapshot& snapshot);

// The CPUs that the calling thread may run on; none if the kernel refuses to say.
std::optional<std::vector<std::uint32_t>> current_affinity();

}  // namespace hm::linux
