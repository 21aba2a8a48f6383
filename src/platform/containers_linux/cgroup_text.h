// SPDX-License-Identifier: Apache-2.0
// Parsers for the files of control groups, version 1 and 2. Each is strict and answers "nothing"
// for what it does not understand; none reads a file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace hm::containers_linux {

// The number after `key` in a file of "key number" lines: cpu.stat, memory.events, cgroup.events.
std::optional<std::uint64_t> flat_value(std::string_view text, std::string_view key);

struct IoBytes {
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  bool operator==(const IoBytes&) const = default;
};

// blkio.throttle.io_service_bytes_recursive: "254:0 Read 4096" lines and totals. Loop devices are
// left out: what goes through them counts again at the disk under their file.
std::optional<IoBytes> parse_blkio(std::string_view text);
// io.stat: "254:0 rbytes=4096 wbytes=0 …" lines, loop devices left out likewise.
std::optional<IoBytes> parse_io_stat(std::string_view text);

// cgroup.procs. Ids that do not fit are left out.
std::vector<pid_t> parse_processes(std::string_view text);

// Whether /proc/<pid>/cgroup says that the process is in `path` or below, in any hierarchy.
bool is_member(std::string_view cgroup_text, std::string_view path);

}  // namespace hm::containers_linux
