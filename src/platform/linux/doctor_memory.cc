// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "platform/linux/doctor_checks.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::linux {
namespace {

constexpr int kUserModeOnly = 1;  // UFFD_USER_MODE_ONLY, since Linux 5.11

// Registers a page, so that a refusal by policy shows as well as a missing system call.
Attempt try_userfaultfd(int flags) {
  const int fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | flags));
  if (fd < 0) return fails("userfaultfd");
  uffdio_api api{};
  api.api = UFFD_API;
  if (::ioctl(fd, UFFDIO_API, &api) != 0) return fails("UFFDIO_API");
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* memory = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fails("mmap");
  uffdio_register wanted{};
  wanted.range.start = reinterpret_cast<std::uintptr_t>(memory);
  wanted.range.len = page;
  wanted.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (::ioctl(fd, UFFDIO_REGISTER, &wanted) != 0) return fails("UFFDIO_REGISTER");
  return works("missing pages can be served");
}

DoctorCheck check_userfaultfd(const DoctorOptions& options) {
  constexpr std::string_view kName = "memory.userfaultfd";
  constexpr std::string_view kTitle = "Page faults in user space";
  const Consequence consequence = {
      .costs =
          "remote memory cannot be mapped, or not for system calls; explicit reads and writes "
          "of remote memory still work",
      .remedy = "sysctl vm.unprivileged_userfaultfd=1, or run as root"};
  const Attempt whole = run_in_child([] { return try_userfaultfd(0); }, options.per_check);
  if (whole.outcome != Outcome::Fails) return judge(kName, kTitle, whole, consequence);
  const Attempt user =
      run_in_child([] { return try_userfaultfd(kUserModeOnly); }, options.per_check);
  if (user.outcome != Outcome::Works) return judge(kName, kTitle, whole, consequence);
  return judge(kName, kTitle, DoctorVerdict::Limited, "for faults in user mode only", consequence);
}

DoctorCheck check_huge_pages(const DoctorOptions& options) {
  const Consequence consequence = {
      .costs = "large leases of memory use more page-table memory and run somewhat slower",
      .remedy = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
  const auto mode = KernelTree(options.sys_root).line("kernel/mm/transparent_hugepage/enabled");
  const auto text = KernelTree(options.proc_root).text("meminfo");
  const auto meminfo = parse_meminfo(text.value_or(std::string()));
  const auto reserved = meminfo.find("HugePages_Total");
  std::string found = mode ? "transparent: " + *mode : "no transparent huge pages";
  if (reserved != meminfo.end()) found += "; reserved: " + std::to_string(reserved->second);
  const bool is_on = mode && mode->find("[never]") == std::string::npos;
  return judge("memory.huge_pages", "Huge pages",
               is_on ? DoctorVerdict::Ok : DoctorVerdict::Limited, std::move(found), consequence);
}

}  // namespace

void check_memory(const DoctorOptions& options, Checks& checks) {
  checks.push_back(check_userfaultfd(options));
  checks.push_back(check_huge_pages(options));
}

}  // namespace hm::linux
