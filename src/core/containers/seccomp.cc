// SPDX-License-Identifier: Apache-2.0
#include "core/containers/seccomp.h"

#include <vector>

namespace hm::containers {
namespace {

using enum Refusal;
using enum ArgumentTest;

// Refused whatever the arguments. By what they would open.
constexpr std::string_view kMounts[] = {"mount",      "umount",    "umount2",    "mount_setattr",
                                        "move_mount", "open_tree", "fsopen",     "fspick",
                                        "fsconfig",   "fsmount",   "pivot_root", "swapon",
                                        "swapoff",    "quotactl",  "quotactl_fd"};
constexpr std::string_view kNamespacesAndProcesses[] = {
    "unshare",           "setns",       "ptrace", "process_vm_readv",
    "process_vm_writev", "pidfd_getfd", "kcmp",   "process_madvise"};
constexpr std::string_view kKernel[] = {"kexec_load",
                                        "kexec_file_load",
                                        "init_module",
                                        "finit_module",
                                        "delete_module",
                                        "create_module",
                                        "query_module",
                                        "get_kernel_syms",
                                        "bpf",
                                        "perf_event_open",
                                        "syslog",
                                        "reboot",
                                        "acct",
                                        "iopl",
                                        "ioperm",
                                        "vhangup",
                                        "sethostname",
                                        "setdomainname",
                                        "lookup_dcookie",
                                        "userfaultfd"};
constexpr std::string_view kClocks[] = {"settimeofday", "stime", "clock_settime", "clock_adjtime",
                                        "adjtimex"};
constexpr std::string_view kKeysAndHandles[] = {
    "keyctl",        "add_key",      "request_key", "open_by_handle_at", "name_to_handle_at",
    "fanotify_init", "fanotify_mark"};
// Where memory lies on the machine is the machine's business.
constexpr std::string_view kPlacement[] = {"mbind",         "set_mempolicy",
                                           "get_mempolicy", "migrate_pages",
                                           "move_pages",    "set_mempolicy_home_node"};
constexpr std::string_view kObsolete[] = {
    "nfsservctl", "uselib",      "ustat",      "sysfs",         "_sysctl",       "vm86",
    "vm86old",    "afs_syscall", "getpmsg",    "putpmsg",       "security",      "tuxcall",
    "vserver",    "idle",        "socketcall", "epoll_ctl_old", "epoll_wait_old"};
// Answered as if the kernel had them not. clone3 hides its flags behind a pointer, where a filter
// cannot look; libraries fall back to clone.
constexpr std::string_view kAsIfAbsent[] = {"clone3", "io_uring_setup", "io_uring_enter",
                                            "io_uring_register"};
// On top of it for container+.
constexpr std::string_view kStrict[] = {"chroot",       "mknod",      "mknodat",
                                        "vmsplice",     "modify_ldt", "remap_file_pages",
                                        "memfd_secret", "io_setup",   "io_submit"};

// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of linux/sched.h.
constexpr std::uint64_t kNamespaceFlags[] = {0x0002'0000, 0x0200'0000, 0x0400'0000, 0x0800'0000,
                                             0x1000'0000, 0x2000'0000, 0x4000'0000};

// PER_LINUX32 and UNAME26. The flags above them (executable stacks, page 0, fixed addresses) are
// larger numbers; below there are only names of systems that Linux no longer imitates.
constexpr std::uint64_t kPlainPersonality = 0x8 | 0x2'0000;

constexpr std::uint64_t kUnix = 1;
constexpr std::uint64_t kInet = 2;
constexpr std::uint64_t kInet6 = 10;
constexpr std::uint64_t kNetlink = 16;
constexpr std::uint64_t kSocketTypeMask = 0xf;
constexpr std::uint64_t kRaw = 3;
constexpr std::uint64_t kPacket = 10;
constexpr std::uint64_t kTiocsti = 0x5412;  // puts bytes into a terminal's input
constexpr std::uint64_t kTioclinux = 0x541C;
constexpr std::uint64_t kLow32 = 0xffff'ffff;

class Rules {
 public:
  void refuse(std::span<const std::string_view> names, Refusal refusal = NotPermitted) {
    for (const std::string_view name : names) rules_.push_back({.name = name, .refusal = refusal});
  }
  void refuse(std::string_view name, std::vector<ArgumentRule> arguments,
              Refusal refusal = NotPermitted) {
    arguments_.push_back(std::move(arguments));
    rules_.push_back({.name = name, .refusal = refusal, .arguments = arguments_.back()});
  }
  std::span<const CallRule> all() const { return rules_; }

 private:
  std::vector<CallRule> rules_;
  std::vector<std::vector<ArgumentRule>> arguments_;  // moved as a whole: their elements stay
};

ArgumentRule equal(std::uint32_t index, std::uint64_t value) {
  return {.index = index, .test = Equal, .value = value};
}
ArgumentRule at_least(std::uint32_t index, std::uint64_t value) {
  return {.index = index, .test = AtLeast, .value = value};
}
ArgumentRule masked(std::uint32_t index, std::uint64_t mask, std::uint64_t value) {
  return {.index = index, .test = Masked, .value = value, .mask = mask};
}

// Families are counted up from 0, and what is above the last allowed one is refused as a range, so
// that neither a family of a later kernel nor a number with high bits set slips through.
void refuse_sockets(Rules& rules, Isolation isolation) {
  for (std::uint64_t family = 0; family < kNetlink; ++family) {
    if (family == kUnix || family == kInet || family == kInet6) continue;
    rules.refuse("socket", {equal(0, family)}, NoFamily);
  }
  if (isolation == Isolation::ContainerPlus) {
    rules.refuse("socket", {at_least(0, kNetlink)}, NoFamily);
  } else {
    rules.refuse("socket", {at_least(0, kNetlink + 1)}, NoFamily);
    rules.refuse("socket", {equal(0, kNetlink), at_least(2, 1)}, NoFamily);
  }
  for (const std::uint64_t family : {kInet, kInet6}) {
    rules.refuse("socket", {equal(0, family), masked(1, kSocketTypeMask, kRaw)});
    rules.refuse("socket", {equal(0, family), masked(1, kSocketTypeMask, kPacket)});
  }
}

Rules make_rules(Isolation isolation) {
  Rules rules;
  rules.refuse(kMounts);
  rules.refuse(kNamespacesAndProcesses);
  rules.refuse(kKernel);
  rules.refuse(kClocks);
  rules.refuse(kKeysAndHandles);
  rules.refuse(kPlacement);
  rules.refuse(kObsolete);
  rules.refuse(kAsIfAbsent, NotImplemented);
  if (isolation == Isolation::ContainerPlus) rules.refuse(kStrict);
  for (const std::uint64_t flag : kNamespaceFlags) {
    rules.refuse("clone", {masked(0, flag, flag)});
  }
  rules.refuse("personality", {at_least(0, kPlainPersonality + 1)});
  refuse_sockets(rules, isolation);
  for (const std::uint64_t request : {kTiocsti, kTioclinux}) {
    rules.refuse("ioctl", {masked(1, kLow32, request)});
  }
  return rules;
}

}  // namespace

std::span<const CallRule> call_rules(Isolation isolation) {
  static const Rules container = make_rules(Isolation::Container);
  static const Rules plus = make_rules(Isolation::ContainerPlus);
  return isolation == Isolation::Container ? container.all() : plus.all();
}

}  // namespace hm::containers
