// SPDX-License-Identifier: Apache-2.0
// Kernel uevents: "add@/devices/…/sdb\0ACTION=add\0SUBSYSTEM=block\0…" (lib/kobject_uevent.c).
#pragma once

#include <optional>
#include <string_view>

namespace hm::linux {

struct Uevent {
  std::string_view action;     // "add", "remove", "change"
  std::string_view subsystem;  // "block"
  std::string_view device;     // "/devices/…"
};

// The fields point into `message`. None if it is not a kernel uevent; messages of udevd, which
// start with "libudev", are not.
std::optional<Uevent> parse_uevent(std::string_view message);

// Whether the event can change a hardware snapshot: a CPU, memory block, NUMA node, disk, link or
// PCI device.
bool is_hardware_event(std::string_view message);

}  // namespace hm::linux
