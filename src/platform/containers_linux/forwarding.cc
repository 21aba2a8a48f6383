// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/forwarding.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "platform/containers_linux/file_descriptor.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::containers_linux {
namespace {

const linux::KernelTree& settings() {
  static const linux::KernelTree kTree("/proc/sys/net/ipv6/conf");
  return kTree;
}

bool write_text(const std::string& path, std::string_view text, int flags = 0) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0600));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool is_on() { return settings().line("all/forwarding") == "1"; }

}  // namespace

bool is_forwarding_ours(const std::string& marker) {
  return !is_on() || ::access(marker.c_str(), F_OK) == 0;
}

Result<void> start_forwarding(const std::string& marker) {
  if (is_on()) return {};
  std::string changed;
  for (const std::string& name : settings().names("")) {
    if (settings().line(name + "/accept_ra") == "1") changed += name + "\n";
  }
  if (!write_text(marker, changed, O_CREAT | O_TRUNC)) {
    return fail(system_error("cannot write " + marker));
  }
  for (const std::string_view name : linux::split_lines(changed)) {
    if (!name.empty()) write_text(settings().path(std::string(name) + "/accept_ra"), "2");
  }
  if (!write_text(settings().path("all/forwarding"), "1")) {
    return fail(system_error("cannot turn on IPv6 forwarding"));
  }
  return {};
}

void stop_forwarding(const std::string& marker) {
  if (::access(marker.c_str(), F_OK) != 0) return;
  const auto slash = marker.rfind('/');
  const auto changed =
      linux::KernelTree(marker.substr(0, slash)).text(marker.substr(slash + 1)).value_or("");
  write_text(settings().path("all/forwarding"), "0");
  for (const std::string_view name : linux::split_lines(changed)) {
    if (!name.empty()) write_text(settings().path(std::string(name) + "/accept_ra"), "1");
  }
  ::unlink(marker.c_str());
}

}  // namespace hm::containers_linux
