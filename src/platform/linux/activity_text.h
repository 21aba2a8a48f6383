// SPDX-License-Identifier: Apache-2.0
// Parsers for what the kernel and the session manager write about use of the machine. Each is
// strict about what it takes and answers "nothing" for the rest; none reads a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/activity/reading.h"

namespace hm::linux {

// Time of all processors since boot, in clock ticks (proc_stat(5)). `idle` may go back a little,
// so each part is subtracted by itself.
struct CpuTimes {
  std::uint64_t busy = 0;    // user, nice, system, irq, softirq; guests are in user and nice
  std::uint64_t idle = 0;    // idle and waiting for disks
  std::uint64_t stolen = 0;  // taken by the hypervisor for others

  bool operator==(const CpuTimes&) const = default;
};

// The "cpu" line of /proc/stat.
std::optional<CpuTimes> parse_cpu_times(std::string_view text);

// /proc/pressure/{cpu,io,memory}. Requires a "some" line; "full" may be missing.
std::optional<activity::Pressure> parse_pressure(std::string_view text);

// "usage_usec" of a version 2 group's cpu.stat, in microseconds.
std::optional<std::uint64_t> parse_group_usage(std::string_view text);

// One file of /run/systemd/sessions. systemd promises nothing about their form; the fields used
// here (CLASS, STATE, TYPE, REMOTE) have kept theirs since version 200.
struct Session {
  enum class Screen : std::uint8_t { None, Local, Remote };
  bool is_open_for_a_person = false;  // class user, and not closing
  Screen screen = Screen::None;

  bool operator==(const Session&) const = default;
};
std::optional<Session> parse_session(std::string_view text);

}  // namespace hm::linux
