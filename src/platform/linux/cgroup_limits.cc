// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/cgroup_limits.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "platform/linux/kernel_text.h"
#include "platform/linux/limits.h"

namespace hm::linux {
namespace {

// Version 1 writes "no limit" as the largest multiple of the page size below 2^63.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62U;

void tighten(std::optional<std::uint64_t>& limit, std::optional<std::uint64_t> other) {
  if (!other) return;
  limit = limit ? std::min(*limit, *other) : *other;
}

std::optional<std::uint64_t> millicores(std::uint64_t quota, std::uint64_t period) {
  if (period == 0 || quota > UINT64_MAX / 1000) return std::nullopt;
  return quota * 1000 / period;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const std::size_t comma = std::min(options.find(','), options.size());
    if (options.substr(0, comma) == wanted) return true;
    options.remove_prefix(std::min(comma + 1, options.size()));
  }
  return false;
}

// The folder of a membership below the /sys tree, without "/sys/"; none if it is not mounted there.
std::optional<std::string> folder_of(const std::vector<Mount>& mounts,
                                     const CgroupMembership& membership,
                                     std::string_view controller) {
  for (const Mount& mount : mounts) {
    const bool matches =
        membership.hierarchy == 0
            ? mount.filesystem == "cgroup2"
            : mount.filesystem == "cgroup" && has_option(mount.super_options, controller);
    if (!matches || !mount.mount_point.starts_with("/sys/")) continue;
    // In a container the mount shows only the part of the hierarchy below its root.
    std::string_view path = membership.path;
    if (mount.root != "/" && path.starts_with(mount.root)) path.remove_prefix(mount.root.size());
    std::string folder = mount.mount_point.substr(5);
    if (path != "/") folder += path;
    return folder;
  }
  return std::nullopt;
}

// Calls `visit` for the folder and its parents, up to the hierarchy's own folder.
void walk_up(std::string folder, std::size_t depth,
             const std::function<void(const std::string&)>& visit) {
  for (int level = 0; level < kMaxCgroupDepth; ++level) {
    visit(folder);
    const std::size_t slash = folder.find_last_of('/');
    if (slash == std::string::npos ||
        static_cast<std::size_t>(std::ranges::count(folder, '/')) <= depth) {
      return;
    }
    folder.resize(slash);
  }
}

void read_version_2(const KernelTree& sys, const std::string& folder, CgroupLimits& limits) {
  if (const auto max = sys.line(folder + "/cpu.max")) {
    const auto words = split_words(*max);  // "50000 100000" or "max 100000"
    if (words.size() == 2) {
      const auto quota = parse_u64(words[0]);
      const auto period = parse_u64(words[1]);
      if (quota && period) tighten(limits.cpu_millicores, millicores(*quota, *period));
    }
  }
  tighten(limits.memory_bytes, sys.number(folder + "/memory.max"));
}

void read_version_1(const KernelTree& sys, const std::string& folder, std::string_view controller,
                    CgroupLimits& limits) {
  if (controller == "cpu") {
    // −1 means no quota and does not parse as a number.
    const auto quota = sys.number(folder + "/cpu.cfs_quota_us");
    const auto period = sys.number(folder + "/cpu.cfs_period_us");
    if (quota && period) tighten(limits.cpu_millicores, millicores(*quota, *period));
  } else {
    const auto limit = sys.number(folder + "/memory.limit_in_bytes");
    if (limit && *limit < kNoLimit) tighten(limits.memory_bytes, limit);
  }
}

}  // namespace

CgroupLimits read_cgroup_limits(const KernelTree& proc, const KernelTree& sys) {
  CgroupLimits limits;
  const auto memberships = proc.text("self/cgroup");
  const auto mountinfo = proc.text("self/mountinfo");
  if (!memberships || !mountinfo) return limits;
  const std::vector<Mount> mounts = parse_mountinfo(*mountinfo);
  for (const CgroupMembership& membership : parse_cgroups(*memberships)) {
    for (const std::string_view controller : {"cpu", "memory"}) {
      const bool version_2 = membership.hierarchy == 0;
      if (!version_2 &&
          std::ranges::find(membership.controllers, controller) == membership.controllers.end()) {
        continue;
      }
      const auto folder = folder_of(mounts, membership, controller);
      if (!folder) continue;
      const CgroupMembership top{membership.hierarchy, membership.controllers, "/"};
      const auto root = folder_of(mounts, top, controller);
      const auto depth = static_cast<std::size_t>(std::ranges::count(*root, '/'));
      walk_up(*folder, depth, [&](const std::string& level) {
        if (version_2) {
          read_version_2(sys, level, limits);
        } else {
          read_version_1(sys, level, controller, limits);
        }
      });
      if (version_2) break;  // one folder holds both controllers
    }
  }
  return limits;
}

}  // namespace hm::linux
