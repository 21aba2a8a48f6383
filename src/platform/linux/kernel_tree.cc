// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/kernel_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "platform/linux/kernel_text.h"
#include "platform/linux/limits.h"

namespace hm::linux {

std::string KernelTree::path(std::string_view relative) const {
  std::string out = root_;
  out += '/';
  out += relative;
  return out;
}

std::optional<std::string> KernelTree::text(std::string_view relative) const {
  const int fd = ::open(path(relative).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return std::nullopt;
  std::string out;
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    const bool too_long =
        count > 0 && out.size() + static_cast<std::size_t>(count) > kMaxKernelTextBytes;
    if (count <= 0 || too_long) {
      ::close(fd);
      if (count < 0 || too_long) return std::nullopt;
      return out;
    }
    out.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::optional<std::string> KernelTree::line(std::string_view relative) const {
  const auto whole = text(relative);
  if (!whole) return std::nullopt;
  std::string trimmed(trim(*whole));
  if (trimmed.empty()) return std::nullopt;
  return trimmed;
}

std::optional<std::uint64_t> KernelTree::number(std::string_view relative) const {
  const auto whole = text(relative);
  return whole ? parse_u64(*whole) : std::nullopt;
}

bool KernelTree::exists(std::string_view relative) const {
  return ::access(path(relative).c_str(), F_OK) == 0;
}

std::vector<std::string> KernelTree::names(std::string_view relative) const {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path(relative).c_str()), ::closedir);
  if (!folder) return out;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (out.size() == kMaxFolderEntries) break;
    out.emplace_back(name);
  }
  std::ranges::sort(out);
  return out;
}

std::optional<std::string> KernelTree::link(std::string_view relative) const {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlink(path(relative).c_str(), buffer.data(), buffer.size());
  if (size <= 0 || static_cast<std::size_t>(size) == buffer.size()) return std::nullopt;
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::optional<std::string> KernelTree::link_name(std::string_view relative) const {
  const auto target = link(relative);
  if (!target) return std::nullopt;
  return target->substr(target->find_last_of('/') + 1);
}

}  // namespace hm::linux
