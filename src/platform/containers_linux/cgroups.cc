// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/cgroups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <set>
#include <system_error>
#include <thread>

#include "platform/containers_linux/cgroup_text.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::containers_linux {
namespace {

using containers::CgroupLayout;
using SteadyClock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// A killed process that waits for a disk ends when the disk answers; after this long it is
// reported.
constexpr auto kKillDeadline = 30s;
constexpr auto kRemoveDeadline = 5s;
constexpr auto kPoll = 1ms;
// How long one round waits for the freezer before it kills what is not frozen yet.
constexpr auto kFreezeWait = 50ms;

constexpr std::string_view kRequiredV1[] = {"cpu", "cpuacct", "memory", "pids", "devices"};
constexpr std::string_view kRequiredV2[] = {"cpu", "memory", "pids"};
constexpr std::string_view kOptionalV2[] = {"cpuset", "io"};

const linux::KernelTree kRoot{""};  // paths below are absolute: "sys/…" after the slash

std::optional<std::string> read_text(const std::string& path) { return kRoot.text(path.substr(1)); }

std::optional<std::uint64_t> read_number(const std::string& path) {
  return kRoot.number(path.substr(1));
}

bool write_text(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t count = ::write(fd, text.data(), text.size());
  ::close(fd);
  return count == static_cast<ssize_t>(text.size());
}

bool is_folder(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::vector<std::string> folders_in(const std::string& path) {
  std::vector<std::string> all;
  for (const std::string& name : kRoot.names(path.substr(1))) {
    if (is_folder(path + "/" + name)) all.push_back(name);
  }
  return all;
}

// Calls visit(folder) for the folder and everything below, children first.
template <class Visit>
void for_each_group(const std::string& folder, const Visit& visit) {
  for (const std::string& name : folders_in(folder)) for_each_group(folder + "/" + name, visit);
  visit(folder);
}

std::vector<pid_t> processes_below(const std::string& folder) {
  std::vector<pid_t> all;
  for_each_group(folder, [&all](const std::string& group) {
    const auto text = read_text(group + "/cgroup.procs");
    for (const pid_t pid : parse_processes(text.value_or(std::string()))) all.push_back(pid);
  });
  return all;
}

// A process id may have ended and be someone else's by now. A pidfd holds on to one process, and
// what that is a member of is asked after it is held.
void kill_member(pid_t pid, std::string_view path) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;
  const auto groups = read_text("/proc/" + std::to_string(pid) + "/cgroup");
  if (groups && is_member(*groups, path)) {
    ::syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
  }
  ::close(fd);
}

template <class Condition>
bool wait_until(std::chrono::milliseconds at_most, const Condition& condition) {
  const auto deadline = SteadyClock::now() + at_most;
  while (!condition()) {
    if (SteadyClock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

Result<void> remove_groups(const std::string& folder) {
  int problem = 0;
  const bool removed = wait_until(kRemoveDeadline, [&] {
    problem = 0;
    for_each_group(folder, [&problem](const std::string& group) {
      if (::rmdir(group.c_str()) != 0 && errno != ENOENT) problem = errno;
    });
    return problem == 0;
  });
  if (removed) return {};
  return fail(ErrorCode::Io, "cannot remove the control group " + folder,
              std::generic_category().message(problem));
}

std::set<std::string, std::less<>> words_of(const std::string& path) {
  std::set<std::string, std::less<>> words;
  const std::string text = read_text(path).value_or(std::string());
  for (const std::string_view word : linux::split_words(linux::trim(text))) words.emplace(word);
  return words;
}

// "cpu,cpuacct" or "rw,name=systemd": the words of a mount that name a hierarchy.
std::vector<std::string> controllers_of(std::string_view options) {
  std::vector<std::string> all;
  while (!options.empty()) {
    const std::size_t comma = std::min(options.find(','), options.size());
    all.emplace_back(options.substr(0, comma));
    options.remove_prefix(std::min(comma + 1, options.size()));
  }
  return all;
}

}  // namespace

void Cgroups::find_mounts() {
  const auto mounts = read_text("/proc/self/mountinfo");
  for (const linux::Mount& mount : linux::parse_mountinfo(mounts.value_or(""))) {
    if (mount.filesystem == "cgroup2" && v2_.empty()) v2_ = mount.mount_point;
    if (mount.filesystem != "cgroup") continue;
    for (std::string& word : controllers_of(mount.super_options)) {
      v1_.emplace(std::move(word), mount.mount_point);
    }
  }
  // Options that are no controllers ("rw", "xattr") would be taken for hierarchies otherwise.
  std::erase_if(v1_, [](const auto& entry) {
    return !is_folder(entry.second) || entry.first == "rw" || entry.first == "ro" ||
           entry.first == "xattr" || entry.first == "clone_children" ||
           entry.first.starts_with("release_agent");
  });
  if (v1_.contains("memory")) {
    layout_ = v2_.empty() ? CgroupLayout::V1 : CgroupLayout::Hybrid;
  } else {
    layout_ = CgroupLayout::V2;
    v1_.clear();  // a named hierarchy of an init system limits nothing
  }
}

Result<Cgroups> Cgroups::probe(std::string parent) {
  Cgroups groups(std::move(parent));
  groups.find_mounts();
  if (groups.layout_ != CgroupLayout::V2) {
    HM_TRY_VOID(groups.settle_v1());
  } else if (!groups.v2_.empty()) {
    HM_TRY_VOID(groups.settle_v2());
  } else {
    return fail(ErrorCode::Unsupported, "no control groups are mounted",
                "mount -t cgroup2 none /sys/fs/cgroup, or let systemd do so at boot");
  }
  return groups;
}

std::string Cgroups::time_folder(std::string parent) {
  Cgroups groups(std::move(parent));
  groups.find_mounts();
  if (groups.layout_ != CgroupLayout::V2) {
    const auto mount = groups.v1_.find("cpuacct");
    return mount == groups.v1_.end() ? std::string() : mount->second + "/" + groups.parent_;
  }
  return groups.v2_.empty() ? std::string() : groups.v2_ + "/" + groups.parent_;
}

Result<void> Cgroups::settle_v1() {
  for (const std::string_view controller : kRequiredV1) {
    if (v1_.contains(controller)) continue;
    return fail(ErrorCode::Unsupported,
                "the control group controller " + std::string(controller) + " is missing",
                "boot with it enabled (cgroup_enable=memory on some boards)");
  }
  const auto has = [](const std::string& path) { return kRoot.exists(path.substr(1)); };
  has_swap_limit_ = has(v1_["memory"] + "/memory.memsw.limit_in_bytes");
  has_cpuset_ = v1_.contains("cpuset");
  has_io_limit_ = v1_.contains("blkio") && has(v1_["blkio"] + "/blkio.throttle.read_bps_device");
  return {};
}

Result<void> Cgroups::settle_v2() {
  const std::string top = v2_ + "/" + parent_;
  if (::mkdir(top.c_str(), 0755) != 0 && errno != EEXIST) {
    return fail(ErrorCode::Unsupported, "cannot make the control group " + top,
                std::generic_category().message(errno) +
                    ": run as root, or under systemd with Delegate=yes");
  }
  for (const auto& names : {std::span<const std::string_view>(kRequiredV2),
                            std::span<const std::string_view>(kOptionalV2)}) {
    for (const std::string_view name : names) {
      write_text(v2_ + "/cgroup.subtree_control", "+" + std::string(name));
    }
  }
  const auto controllers = words_of(top + "/cgroup.controllers");
  for (const std::string_view controller : kRequiredV2) {
    if (controllers.contains(controller)) continue;
    return fail(ErrorCode::Unsupported,
                "the control group controller " + std::string(controller) + " is missing",
                "boot with it enabled, or delegate it: Delegate=yes");
  }
  has_swap_limit_ = kRoot.exists((top + "/memory.swap.max").substr(1));
  has_cpuset_ = controllers.contains("cpuset");
  has_io_limit_ = controllers.contains("io");
  return {};
}

std::vector<std::string> Cgroups::missing() const {
  std::vector<std::string> all;
  if (!has_swap_limit_) all.emplace_back("swap is not limited: the kernel does not count it");
  if (!has_cpuset_) all.emplace_back("no processors of one's own: no cpuset controller");
  if (!has_io_limit_) {
    all.emplace_back("no read and write rates: no blkio or io controller");
  } else if (layout_ != CgroupLayout::V2) {
    all.emplace_back("write rates hold for direct I/O only (cgroup v1)");
  }
  return all;
}

std::string Cgroups::path_of(std::string_view id) const {
  return "/" + parent_ + "/" + std::string(id);
}

std::string Cgroups::folder(std::string_view controller, std::string_view id) const {
  if (layout_ == CgroupLayout::V2) return v2_ + path_of(id);
  const auto mount = v1_.find(controller);
  return mount == v1_.end() ? std::string() : mount->second + path_of(id);
}

std::vector<std::string> Cgroups::folders(std::string_view id) const {
  std::set<std::string> all;
  if (!v2_.empty()) all.insert(v2_ + path_of(id));
  for (const auto& [controller, mount_point] : v1_) all.insert(mount_point + path_of(id));
  std::erase_if(all, [](const std::string& path) { return !is_folder(path); });
  return {all.begin(), all.end()};
}

bool Cgroups::exists(std::string_view id) const { return !folders(id).empty(); }

std::vector<std::string> Cgroups::list() const {
  std::set<std::string> all;
  std::set<std::string> mount_points;
  if (!v2_.empty()) mount_points.insert(v2_);
  for (const auto& [controller, mount_point] : v1_) mount_points.insert(mount_point);
  for (const std::string& mount_point : mount_points) {
    for (std::string& name : folders_in(mount_point + "/" + parent_)) all.insert(std::move(name));
  }
  return {all.begin(), all.end()};
}

Result<void> Cgroups::kill(std::string_view id) const {
  if (!v2_.empty()) {
    const std::string group = v2_ + path_of(id);
    // Atomic, also against forks, since Linux 5.14; where it is missing the rounds below do it.
    write_text(group + "/cgroup.kill", "1");
  }
  return end_members(id);
}

// Also right for version 2: it goes by the member lists, which both have.
Result<void> Cgroups::end_members(std::string_view id) const {
  const auto groups = folders(id);
  const std::string pids = folder("pids", id);
  const std::string freezer = layout_ == CgroupLayout::V2 ? std::string() : folder("freezer", id);
  const bool emptied = wait_until(kKillDeadline, [&] {
    std::set<pid_t> members;
    for (const std::string& group : groups) {
      for (const pid_t pid : processes_below(group)) members.insert(pid);
    }
    if (members.empty()) return true;
    write_text(pids + "/pids.max", "0");  // no forks meanwhile
    if (!freezer.empty() && write_text(freezer + "/freezer.state", "FROZEN")) {
      wait_until(kFreezeWait, [&freezer] {
        const auto state = read_text(freezer + "/freezer.state");
        return !state || linux::trim(*state) == "FROZEN";
      });
    }
    for (const pid_t pid : members) kill_member(pid, path_of(id));
    // Frozen processes do not die: thawed they find the signal before anything else.
    if (!freezer.empty()) write_text(freezer + "/freezer.state", "THAWED");
    return false;
  });
  if (emptied) return {};
  return fail(ErrorCode::Busy, "processes of " + std::string(id) + " do not end",
              "they wait for a device; what they use stays taken until it answers");
}

Result<void> Cgroups::remove(std::string_view id) const {
  for (const std::string& group : folders(id)) HM_TRY_VOID(remove_groups(group));
  return {};
}

void Cgroups::remove_parent() const {
  std::set<std::string> mount_points;
  if (!v2_.empty()) mount_points.insert(v2_);
  for (const auto& [controller, mount_point] : v1_) mount_points.insert(mount_point);
  for (const std::string& mount_point : mount_points) {
    ::rmdir((mount_point + "/" + parent_).c_str());
  }
}

std::uint64_t Cgroups::oom_kills(std::string_view id) const {
  const bool is_v2 = layout_ == CgroupLayout::V2;
  const auto text =
      read_text(folder("memory", id) + (is_v2 ? "/memory.events" : "/memory.oom_control"));
  return text ? flat_value(*text, "oom_kill").value_or(0) : 0;
}

Result<ports::ContainerUsage> Cgroups::usage(std::string_view id) const {
  if (!exists(id)) return fail(ErrorCode::NotFound, "no control group for " + std::string(id));
  ports::ContainerUsage usage;
  const std::string cpu = folder("cpu", id);
  const std::string memory = folder("memory", id);
  const auto cpu_stat = read_text(cpu + "/cpu.stat");
  std::optional<IoBytes> io;
  if (layout_ == CgroupLayout::V2) {
    if (cpu_stat) {
      usage.cpu_us = flat_value(*cpu_stat, "usage_usec");
      usage.throttled_us = flat_value(*cpu_stat, "throttled_usec");
    }
    usage.memory_bytes = read_number(memory + "/memory.current");
    usage.memory_peak_bytes = read_number(memory + "/memory.peak");
    if (const auto text = read_text(folder("io", id) + "/io.stat")) io = parse_io_stat(*text);
  } else {
    constexpr std::uint64_t kNanosInMicro = 1000;
    if (const auto used = read_number(folder("cpuacct", id) + "/cpuacct.usage")) {
      usage.cpu_us = *used / kNanosInMicro;
    }
    const auto throttled = cpu_stat ? flat_value(*cpu_stat, "throttled_time") : std::nullopt;
    if (throttled) usage.throttled_us = *throttled / kNanosInMicro;
    usage.memory_bytes = read_number(memory + "/memory.usage_in_bytes");
    usage.memory_peak_bytes = read_number(memory + "/memory.max_usage_in_bytes");
    const std::string blkio = folder("blkio", id);
    if (const auto text = read_text(blkio + "/blkio.throttle.io_service_bytes_recursive")) {
      io = parse_blkio(*text);
    }
  }
  if (io) {
    usage.read_bytes = io->read;
    usage.written_bytes = io->written;
  }
  if (const auto pids = read_number(folder("pids", id) + "/pids.current")) {
    usage.pids = static_cast<std::uint32_t>(*pids);
  }
  return usage;
}

}  // namespace hm::containers_linux
