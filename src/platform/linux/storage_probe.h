// SPDX-License-Identifier: Apache-2.0
// Storage: the filesystem under the data directory, which is what a node can lend, and every other
// disk that the kernel knows. RAM disks are memory and do not count; loop devices count while a
// writable file stands behind them. Serial numbers are not read: descriptors may become public.
#pragma once

#include <string>

#include "platform/linux/kernel_tree.h"
#include "ports/hardware_probe.h"

namespace hm::linux {

struct StorageProbeInputs {
  KernelTree proc;
  KernelTree sys;
  std::string data_directory;  // absolute, or empty for none; its last parts need not exist
  // Whether statvfs and realpath may be asked about the directory; otherwise only the trees are.
  enum class Source : std::uint8_t { Machine, Trees };
  Source source = Source::Machine;
};

inline constexpr char kDataFilesystemKey[] = "filesystem:data";

// Appends to `snapshot`.
void probe_storage(const StorageProbeInputs& inputs, ports::HardwareSnapshot& snapshot);

}  // namespace hm::linux
