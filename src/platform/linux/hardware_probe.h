// SPDX-License-Identifier: Apache-2.0
// Reads CPU, memory, storage and network links of a Linux machine from CPUID, /proc, /sys and
// rtnetlink. GPUs come from another probe, given at construction, and are merged in.
#pragma once

#include <memory>
#include <string>

#include "ports/hardware_probe.h"

namespace hm::linux {

struct HardwareProbeOptions {
  std::string data_directory;  // its filesystem is the storage on offer; may not exist yet
  std::string proc_root = "/proc";
  std::string sys_root = "/sys";
  // Whether this process's own CPU and sockets are read (CPUID, rtnetlink, statvfs, affinity), or
  // only the trees above. Tests with planted trees use Trees.
  enum class Source : std::uint8_t { Machine, Trees };
  Source source = Source::Machine;
};

// `gpus` may be null; otherwise it outlives the probe.
std::unique_ptr<ports::HardwareProbe> make_hardware_probe(HardwareProbeOptions options,
                                                          ports::HardwareProbe* gpus);

}  // namespace hm::linux
