// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <string>

#include "platform/linux/cgroup_limits.h"
#include "platform/linux/doctor_checks.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"
#include "platform/linux/runtime_trial.h"

namespace hm::linux {
namespace {

constexpr uid_t kNobody = 65534;

std::string join(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

struct NamespaceKind {
  std::string_view name;
  std::string_view title;
  int flag;
  std::string_view costs;
};

constexpr NamespaceKind kNamespaces[] = {
    {"containers.namespace.mount", "Mount namespace", CLONE_NEWNS, "no containers"},
    {"containers.namespace.pid", "PID namespace", CLONE_NEWPID,
     "containers would see and could signal each other's processes, so none are started"},
    {"containers.namespace.network", "Network namespace", CLONE_NEWNET,
     "containers would share the host's network, so only jobs without network are accepted"},
    {"containers.namespace.ipc", "IPC namespace", CLONE_NEWIPC,
     "containers would share System V memory with the host, so none are started"},
    {"containers.namespace.uts", "UTS namespace", CLONE_NEWUTS, "containers carry the host's name"},
    {"containers.namespace.cgroup", "Cgroup namespace", CLONE_NEWCGROUP,
     "containers see where they lie in the host's control groups"},
    {"containers.namespace.time", "Time namespace", 0x80,  // CLONE_NEWTIME, since Linux 5.6
     "a container's uptime is the host's"},
};

constexpr std::string_view kNamespaceRemedy =
    "run as root or with CAP_SYS_ADMIN; in a container, allow unshare; otherwise use a kernel with "
    "this namespace";

Attempt try_namespace(int flag) {
  if (::unshare(flag) != 0) return fails("unshare");
  if (flag == CLONE_NEWPID) {
    // Only a child lives in the new namespace, as its process 1.
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::getpid() == 1 ? 0 : 1);
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return fails("fork inside");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      return {.outcome = Outcome::Fails, .text = "the child is not process 1"};
    }
  }
  return works("a child entered one");
}

void check_namespaces(const DoctorOptions& options, Checks& checks) {
  for (const NamespaceKind& kind : kNamespaces) {
    const Attempt direct =
        run_in_child([&kind] { return try_namespace(kind.flag); }, options.per_check);
    const Consequence consequence = {.costs = kind.costs, .remedy = kNamespaceRemedy};
    if (direct.outcome != Outcome::Fails) {
      checks.push_back(judge(kind.name, kind.title, direct, consequence));
      continue;
    }
    const Attempt nested = run_in_child(
        [&kind]() -> Attempt {
          if (::unshare(CLONE_NEWUSER) != 0) return fails("user namespace");
          return try_namespace(kind.flag);
        },
        options.per_check);
    const bool rootless = nested.outcome == Outcome::Works;
    checks.push_back(judge(kind.name, kind.title,
                           rootless ? DoctorVerdict::Limited : DoctorVerdict::No,
                           rootless ? "only inside a user namespace" : direct.text, consequence));
  }
}

DoctorCheck check_user_namespace(const DoctorOptions& options) {
  const Attempt own = run_in_child(
      []() -> Attempt {
        if (::unshare(CLONE_NEWUSER) != 0) return fails("unshare");
        std::ofstream map("/proc/self/uid_map");
        map << "0 " << 0 << " 1" << std::flush;
        return works();
      },
      options.per_check);
  const Attempt unprivileged = run_in_child(
      []() -> Attempt {
        if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
          return fails("becoming nobody");
        }
        return ::unshare(CLONE_NEWUSER) == 0 ? works() : fails("unshare as an ordinary user");
      },
      options.per_check);
  const Consequence consequence = {
      .costs =
          "root in a container is root outside as far as the kernel's other fences let it; "
          "rootless containers do not start",
      .remedy =
          "sysctl user.max_user_namespaces=15000; on Debian kernel.unprivileged_userns_clone=1; "
          "with AppArmor kernel.apparmor_restrict_unprivileged_userns=0"};
  DoctorVerdict verdict = DoctorVerdict::Ok;
  std::string found = "for root and for ordinary users";
  if (own.outcome != Outcome::Works) {
    verdict = own.outcome == Outcome::Fails ? DoctorVerdict::No : DoctorVerdict::Unknown;
    found = own.text;
  } else if (unprivileged.outcome != Outcome::Works) {
    verdict = DoctorVerdict::Limited;
    found = "for root only (" + unprivileged.text + ")";
  }
  return judge("containers.namespace.user", "User namespace", verdict, std::move(found),
               consequence);
}

DoctorCheck check_overlay(const DoctorOptions& options) {
  const Attempt attempt = run_in_child(
      []() -> Attempt {
        const bool is_root = ::geteuid() == 0;
        if (auto why = enter_namespaces(CLONE_NEWNS)) return {Outcome::Fails, *why};
        const auto folder = private_scratch_folder();
        if (!folder) return fails("tmpfs");
        for (const char* name : {"/lower", "/upper", "/work", "/merged"}) {
          if (::mkdir((*folder + name).c_str(), 0700) != 0) return fails("mkdir");
        }
        std::ofstream(*folder + "/lower/file") << "below";
        std::string layers = "lowerdir=" + *folder + "/lower,upperdir=" + *folder +
                             "/upper,workdir=" + *folder + "/work";
        if (!is_root) layers += ",userxattr";
        const std::string merged = *folder + "/merged";
        if (::mount("overlay", merged.c_str(), "overlay", 0, layers.c_str()) != 0) {
          return fails("mount");
        }
        // The copy into the upper layer is what a container does first.
        std::ofstream(merged + "/file") << "above";
        std::string upper;
        std::ifstream(*folder + "/upper/file") >> upper;
        if (upper != "above") return {Outcome::Fails, "a write does not reach the upper layer"};
        return works("mounted, and a write was copied up");
      },
      options.per_check);
  return judge("containers.overlayfs", "Layered filesystem (overlayfs)", attempt,
               {.costs = "every container gets a full copy of its image: slow starts, more disk",
                .remedy = "modprobe overlay; in a container, run privileged or allow mounts"});
}

DoctorCheck check_seccomp(const DoctorOptions& options) {
  const Attempt attempt = run_in_child(
      []() -> Attempt {
        for (const std::uint32_t action : {SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS}) {
          std::uint32_t value = action;
          if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &value) != 0) {
            return fails("a filter action is missing");
          }
        }
        return works("filters can refuse calls and end processes");
      },
      options.per_check);
  return judge("containers.seccomp", "System call filter (seccomp)", attempt,
               {.costs = "containers of strangers could use every system call, so only own and "
                         "friends' jobs are accepted",
                .remedy = "use a kernel with CONFIG_SECCOMP_FILTER; every Debian kernel has it"});
}

DoctorCheck check_runtime(const DoctorOptions& options) {
  const RuntimeTrial runc = try_runtime("runc", options.program_folders, options.per_check);
  const RuntimeTrial crun = try_runtime("crun", options.program_folders, options.per_check);
  const bool any = runc.works() || crun.works();
  return judge("containers.runtime", "Container runtime",
               any ? DoctorVerdict::Ok : DoctorVerdict::No, runc.text + "; " + crun.text,
               {.costs = "no containers can be run or lent",
                .remedy = "apt install crun, or runc, which is slower"});
}

// ---- control groups ----

constexpr std::string_view kCgroupCosts =
    "limits of the missing kind are not enforced: such assets are shown as not enforced and only "
    "your own jobs use them";

struct CgroupLayout {
  bool has_v1 = false;
  bool has_v2 = false;
  std::set<std::string> v1_controllers;
  std::set<std::string> v2_controllers;
  std::vector<std::string> trial_folders;  // below /sys, where a group may be allowed
};

// Where this process is in the hierarchy of `controller`; of version 2 if that is empty.
std::string own_path(const KernelTree& proc, std::string_view controller) {
  const auto text = proc.text("self/cgroup");
  for (const CgroupMembership& group : parse_cgroups(text.value_or(std::string()))) {
    const bool matches = controller.empty() ? group.hierarchy == 0
                                            : std::ranges::find(group.controllers, controller) !=
                                                  group.controllers.end();
    if (matches && group.path != "/") return group.path;
  }
  return {};
}

// A service with a delegated group may make one below its own, root anywhere.
std::optional<std::string> make_group(const DoctorOptions& options, const CgroupLayout& layout) {
  std::string refusal = "no hierarchy to make a group in";
  for (const std::string& folder : layout.trial_folders) {
    const std::string path = KernelTree(options.sys_root).path(folder) + "/hypermesh-doctor-" +
                             std::to_string(::getpid());
    if (::mkdir(path.c_str(), 0755) == 0) {
      ::rmdir(path.c_str());
      return std::nullopt;
    }
    refusal = fails("a group cannot be made").text;
  }
  return refusal;
}

CgroupLayout read_layout(const DoctorOptions& options) {
  CgroupLayout layout;
  const KernelTree proc(options.proc_root);
  const KernelTree sys(options.sys_root);
  static const std::set<std::string, std::less<>> kKnown = {
      "cpu",     "cpuacct", "cpuset",   "memory",     "pids",    "blkio", "devices",
      "freezer", "net_cls", "net_prio", "perf_event", "hugetlb", "rdma",  "misc"};
  const auto text = proc.text("self/mountinfo");
  for (const Mount& mount : parse_mountinfo(text.value_or(std::string()))) {
    if (!mount.mount_point.starts_with("/sys/")) continue;
    const std::string folder = mount.mount_point.substr(5);
    if (mount.filesystem == "cgroup2") {
      layout.has_v2 = true;
      const auto controllers = sys.line(folder + "/cgroup.controllers");
      for (std::string_view word : split_words(controllers ? *controllers : std::string_view())) {
        layout.v2_controllers.emplace(word);
      }
      layout.trial_folders.push_back(folder + own_path(proc, ""));
      layout.trial_folders.push_back(folder);
    } else if (mount.filesystem == "cgroup") {
      layout.has_v1 = true;
      std::string_view rest = mount.super_options;
      while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (kKnown.contains(rest.substr(0, comma))) {
          layout.v1_controllers.emplace(rest.substr(0, comma));
        }
        if (rest.substr(0, comma) == "memory") {
          layout.trial_folders.push_back(folder + own_path(proc, "memory"));
          layout.trial_folders.push_back(folder);
        }
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    }
  }
  return layout;
}

std::string layout_text(const CgroupLayout& layout) {
  if (layout.has_v1 && layout.has_v2) {
    return "hybrid: version 1 with " + join(layout.v1_controllers) + "; version 2 with " +
           (layout.v2_controllers.empty() ? "no controllers" : join(layout.v2_controllers));
  }
  if (layout.has_v1) return "version 1 with " + join(layout.v1_controllers);
  return "version 2 with " + join(layout.v2_controllers);
}

}  // namespace

DoctorCheck check_cgroups(const DoctorOptions& options, CgroupTrial trial) {
  constexpr std::string_view kName = "containers.cgroups";
  constexpr std::string_view kTitle = "Control groups";
  const CgroupLayout layout = read_layout(options);
  if (!layout.has_v1 && !layout.has_v2) {
    return judge(kName, kTitle, DoctorVerdict::No, "no control groups are mounted",
                 {.costs = kCgroupCosts,
                  .remedy = "mount -t cgroup2 none /sys/fs/cgroup, or let systemd do so at boot"});
  }
  std::string found = layout_text(layout);
  std::set<std::string> missing;
  for (const std::string name : {"cpu", "cpuset", "memory", "pids"}) {
    if (!layout.v1_controllers.contains(name) && !layout.v2_controllers.contains(name)) {
      missing.insert(name);
    }
  }
  if (!layout.v1_controllers.contains("blkio") && !layout.v2_controllers.contains("io")) {
    missing.insert("io");
  }
  if (trial == CgroupTrial::MakeFolder) {
    if (const auto refusal = make_group(options, layout)) {
      return judge(
          kName, kTitle, DoctorVerdict::No, found + "; " + *refusal,
          {.costs = kCgroupCosts, .remedy = "run as root, or under systemd with Delegate=yes"});
    }
  }
  if (!missing.empty()) found += "; missing " + join(missing);
  return judge(
      kName, kTitle, missing.empty() ? DoctorVerdict::Ok : DoctorVerdict::Limited, std::move(found),
      {.costs = kCgroupCosts,
       .remedy = "boot with the controllers enabled (cgroup_enable=memory on some boards), "
                 "or delegate them: Delegate=yes"});
}

void check_containers(const DoctorOptions& options, Checks& checks) {
  checks.push_back(check_cgroups(options, CgroupTrial::MakeFolder));
  checks.push_back(check_user_namespace(options));
  check_namespaces(options, checks);
  checks.push_back(check_overlay(options));
  checks.push_back(check_seccomp(options));
  checks.push_back(check_runtime(options));
}

}  // namespace hm::linux
