// SPDX-License-Identifier: Apache-2.0
// Parsers for the text that the kernel writes in /proc and /sys. Each is strict about what it
// accepts and answers "nothing" for what it does not understand; none reads a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hm::linux {

// Without leading and trailing white space.
std::string_view trim(std::string_view text);

// The lines of `text`, without their newlines; empty ones included.
std::vector<std::string_view> split_lines(std::string_view text);

// The non-empty words between blanks and tabs.
std::vector<std::string_view> split_words(std::string_view text);

// Decimal digits only, surrounded by white space at most; none on overflow.
std::optional<std::uint64_t> parse_u64(std::string_view text);

// Hexadecimal with or without 0x.
std::optional<std::uint64_t> parse_hex(std::string_view text);

// "0-3,8,10-11" as sysfs writes it; ascending, without duplicates. An empty list is a list. None
// for anything else, including numbers of kMaxCpus and above.
std::optional<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text);

// "48K", "2M", "1G", "512": bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

// /proc/meminfo: name to bytes for lines in kB, name to count for lines without a unit. Lines that
// do not parse are left out.
std::map<std::string, std::uint64_t, std::less<>> parse_meminfo(std::string_view text);

// One block of /proc/cpuinfo: the fields of one logical CPU.
using CpuinfoBlock = std::map<std::string, std::string, std::less<>>;
std::vector<CpuinfoBlock> parse_cpuinfo(std::string_view text);

struct Mount {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::string root;         // the part of the filesystem that is mounted
  std::string mount_point;  // escapes decoded
  std::string filesystem;   // "ext4"
  std::string source;       // "/dev/vda1"
  bool read_only = false;   // by mount or superblock options
  std::string super_options;
};

// /proc/self/mountinfo, in the order of the file. Lines that do not parse are left out.
std::vector<Mount> parse_mountinfo(std::string_view text);

// The mount that holds `absolute_path`: the longest mount point that is a parent, and of equal ones
// the last, which covers the others. Null if there is none.
const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view absolute_path);

struct CgroupMembership {
  std::uint32_t hierarchy = 0;           // 0 is version 2
  std::vector<std::string> controllers;  // empty for version 2
  std::string path;
};

// /proc/self/cgroup.
std::vector<CgroupMembership> parse_cgroups(std::string_view text);

}  // namespace hm::linux
