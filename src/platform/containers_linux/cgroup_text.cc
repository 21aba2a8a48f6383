// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/cgroup_text.h"

#include <limits>

#include "platform/linux/kernel_text.h"

namespace hm::containers_linux {
namespace {

constexpr std::string_view kLoopMajor = "7:";

bool is_device(std::string_view word) {
  const auto colon = word.find(':');
  return colon != std::string_view::npos && linux::parse_u64(word.substr(0, colon)) &&
         linux::parse_u64(word.substr(colon + 1));
}

// False if the sum does not fit.
bool add(std::uint64_t& sum, std::uint64_t value) {
  return !__builtin_add_overflow(sum, value, &sum);
}

}  // namespace

std::optional<std::uint64_t> flat_value(std::string_view text, std::string_view key) {
  for (const std::string_view line : linux::split_lines(text)) {
    const auto words = linux::split_words(line);
    if (words.size() == 2 && words[0] == key) return linux::parse_u64(words[1]);
  }
  return std::nullopt;
}

std::optional<IoBytes> parse_blkio(std::string_view text) {
  IoBytes bytes;
  for (const std::string_view line : linux::split_lines(text)) {
    const auto words = linux::split_words(line);
    // "Total 0" sums operations that are neither, such as discards.
    if (words.empty() || words[0] == "Total") continue;
    if (words.size() != 3 || !is_device(words[0])) return std::nullopt;
    const auto value = linux::parse_u64(words[2]);
    if (!value) return std::nullopt;
    if (words[0].starts_with(kLoopMajor)) continue;
    if (words[1] == "Read" && !add(bytes.read, *value)) return std::nullopt;
    if (words[1] == "Write" && !add(bytes.written, *value)) return std::nullopt;
  }
  return bytes;
}

std::optional<IoBytes> parse_io_stat(std::string_view text) {
  constexpr std::string_view kRead = "rbytes=";
  constexpr std::string_view kWritten = "wbytes=";
  IoBytes bytes;
  for (const std::string_view line : linux::split_lines(text)) {
    const auto words = linux::split_words(line);
    if (words.empty()) continue;
    if (!is_device(words[0])) return std::nullopt;
    if (words[0].starts_with(kLoopMajor)) continue;
    for (const std::string_view word : words) {
      const bool is_read = word.starts_with(kRead);
      if (!is_read && !word.starts_with(kWritten)) continue;
      const auto value = linux::parse_u64(word.substr(kRead.size()));
      if (!value || !add(is_read ? bytes.read : bytes.written, *value)) return std::nullopt;
    }
  }
  return bytes;
}

std::vector<pid_t> parse_processes(std::string_view text) {
  std::vector<pid_t> all;
  for (const std::string_view line : linux::split_lines(text)) {
    const auto number = linux::parse_u64(line);
    // 0 stands for a process of another pid namespace, and to signal 0 is to signal oneself.
    if (!number || *number == 0 || *number > std::numeric_limits<pid_t>::max()) continue;
    all.push_back(static_cast<pid_t>(*number));
  }
  return all;
}

bool is_member(std::string_view cgroup_text, std::string_view path) {
  for (const linux::CgroupMembership& entry : linux::parse_cgroups(cgroup_text)) {
    const std::string_view own = entry.path;
    if (own == path || (own.starts_with(path) && own[path.size()] == '/')) return true;
  }
  return false;
}

}  // namespace hm::containers_linux
