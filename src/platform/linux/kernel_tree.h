// SPDX-License-Identifier: Apache-2.0
// Bounded reads below one root folder (/proc, /sys or a planted copy). Whatever is absent,
// unreadable or too long is "nothing"; no error is reported, because absence is the ordinary case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hm::linux {

class KernelTree {
 public:
  // `root` without a trailing slash: "/sys".
  explicit KernelTree(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  // "root/path", for calls that need a path.
  std::string path(std::string_view relative) const;

  // The whole file, if it is not longer than kMaxKernelTextBytes.
  std::optional<std::string> text(std::string_view relative) const;
  // The file without surrounding white space; none if that leaves nothing.
  std::optional<std::string> line(std::string_view relative) const;
  std::optional<std::uint64_t> number(std::string_view relative) const;
  bool exists(std::string_view relative) const;
  // Names in a folder, sorted, without "." and "..".
  std::vector<std::string> names(std::string_view relative) const;
  // Where a symbolic link points, as it is written.
  std::optional<std::string> link(std::string_view relative) const;
  // The last part of where a symbolic link points: the driver of a device, say.
  std::optional<std::string> link_name(std::string_view relative) const;

 private:
  std::string root_;
};

}  // namespace hm::linux
