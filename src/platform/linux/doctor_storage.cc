// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "platform/linux/doctor_checks.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::linux {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Microseconds = std::chrono::microseconds;

constexpr std::size_t kFlushBytes = 4096;  // about one group of votes
constexpr int kMaxFlushes = 200;
constexpr auto kFlushTime = std::chrono::milliseconds(1200);
// A vote waits for one flush. Above this the disk, not the network, decides how fast blocks are.
constexpr Microseconds kSlowMedian{5'000};
constexpr Microseconds kSlowTail{50'000};
// Room for the ledger of a young mesh with its log; below it a node runs into a full disk soon.
constexpr std::uint64_t kWantedFreeBytes = std::uint64_t{1} << 30U;

// The directory or its deepest parent that exists.
std::string existing_part(std::string path) {
  while (!path.empty() && ::access(path.c_str(), F_OK) != 0) {
    path.resize(std::min(path.find_last_of('/'), path.size() - 1));
  }
  return path.empty() ? "/" : path;
}

// An unnamed file; where the filesystem has none, a named one that is removed at once.
int open_unnamed(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string name = folder + "/.hypermesh-doctor-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

std::string milliseconds(Microseconds time) {
  const auto hundredths = time.count() / 10;
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (fraction.size() < 2 ? "0" : "") + fraction +
         " ms";
}

Microseconds percentile(const std::vector<Microseconds>& sorted, std::size_t percent) {
  return sorted[std::min(sorted.size() - 1, sorted.size() * percent / 100)];
}

// In a child, because one flush of a broken disk can take minutes. The text is the finding; a slow
// disk starts with "slow: ".
Attempt measure_flush(const std::string& folder) {
  const int fd = open_unnamed(folder);
  if (fd < 0) return fails("cannot write in " + folder);
  std::array<char, kFlushBytes> block;
  block.fill('h');
  std::vector<Microseconds> times;
  const auto until = SteadyClock::now() + kFlushTime;
  while (times.size() < kMaxFlushes && SteadyClock::now() < until) {
    const auto before = SteadyClock::now();
    if (::write(fd, block.data(), block.size()) != static_cast<ssize_t>(block.size()) ||
        ::fdatasync(fd) != 0) {
      return fails("writing in " + folder);
    }
    times.push_back(std::chrono::duration_cast<Microseconds>(SteadyClock::now() - before));
  }
  std::ranges::sort(times);
  const Microseconds median = percentile(times, 50);
  const Microseconds tail = percentile(times, 99);
  const bool slow = median > kSlowMedian || tail > kSlowTail;
  return works(std::string(slow ? "slow: " : "") + "4 KiB write and fdatasync: half within " +
               milliseconds(median) + ", 99 % within " + milliseconds(tail) + " (" +
               std::to_string(times.size()) + " tries in " + folder + ")");
}

DoctorCheck check_flush(const DoctorOptions& options) {
  constexpr std::string_view kName = "storage.flush";
  constexpr std::string_view kTitle = "Disk flush";
  const Consequence consequence = {
      .costs =
          "every vote waits for a flush, so a validator here slows the blocks of the mesh down",
      .remedy =
          "put the data directory on an SSD with power-loss protection, or do not make this "
          "node a validator"};
  if (options.data_directory.empty()) {
    return judge(kName, kTitle, DoctorVerdict::Unknown, "no data directory is given", consequence);
  }
  const std::string folder = existing_part(options.data_directory);
  Attempt attempt = run_in_child([&folder] { return measure_flush(folder); }, options.per_check);
  constexpr std::string_view kSlow = "slow: ";
  if (attempt.outcome == Outcome::Works && attempt.text.starts_with(kSlow)) {
    return judge(kName, kTitle, DoctorVerdict::Limited, attempt.text.substr(kSlow.size()),
                 consequence);
  }
  return judge(kName, kTitle, attempt, consequence);
}

DoctorCheck check_data_directory(const DoctorOptions& options) {
  constexpr std::string_view kName = "storage.data_directory";
  constexpr std::string_view kTitle = "Data directory";
  if (options.data_directory.empty()) {
    return judge(kName, kTitle, DoctorVerdict::Unknown, "no data directory is given",
                 {.costs = "not known", .remedy = "name one with --dir"});
  }
  const std::string folder = existing_part(options.data_directory);
  struct statvfs space{};
  if (::statvfs(folder.c_str(), &space) != 0 || ::access(folder.c_str(), W_OK) != 0) {
    return judge(kName, kTitle, DoctorVerdict::No, fails("cannot be written: " + folder).text,
                 {.costs = "the node does not start",
                  .remedy = "make the directory and give it to the user that runs hypermesh"});
  }
  const auto text = KernelTree(options.proc_root).text("self/mountinfo");
  const auto mounts = parse_mountinfo(text.value_or(std::string()));
  const Mount* mount = mount_of(mounts, folder);
  const std::string kind = mount != nullptr ? mount->filesystem : "unknown filesystem";
  const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  const bool volatile_memory = kind == "tmpfs" || kind == "ramfs";
  const bool is_remote = kind.starts_with("nfs") || kind == "cifs" || kind == "9p";
  const bool fine = free_bytes >= kWantedFreeBytes && !volatile_memory && !is_remote;
  return judge(kName, kTitle, fine ? DoctorVerdict::Ok : DoctorVerdict::Limited,
               kind + " with " + std::to_string(free_bytes >> 20U) + " MiB free",
               {.costs = "a full disk stops the node; memory loses the ledger at the next restart; "
                         "a network filesystem may lie about flushes",
                .remedy = "choose a local disk with at least 1 GiB free"});
}

DoctorCheck check_fuse(const DoctorOptions& options) {
  const std::string device = options.dev_root + "/fuse";
  const Attempt attempt = run_in_child(
      [&device]() -> Attempt {
        // Opened first: the private mounts may hide nothing, but a user namespace may refuse it.
        const int fd = ::open(device.c_str(), O_RDWR | O_CLOEXEC);
        if (fd < 0) return fails(device);
        if (auto why = enter_namespaces(CLONE_NEWNS)) return {Outcome::Fails, *why};
        const auto folder = private_scratch_folder();
        if (!folder) return fails("tmpfs");
        const std::string point = *folder + "/mount";
        if (::mkdir(point.c_str(), 0700) != 0) return fails("mkdir");
        const std::string mount_options =
            "fd=" + std::to_string(fd) + ",rootmode=40000,user_id=0,group_id=0";
        if (::mount("hypermesh", point.c_str(), "fuse", MS_NOSUID | MS_NODEV,
                    mount_options.c_str()) != 0) {
          return fails("mount");
        }
        return works("mounted one");
      },
      options.per_check);
  return judge("storage.fuse", "Filesystem in user space (FUSE)", attempt,
               {.costs = "stored files cannot be mounted as a folder; put and get still work",
                .remedy = "modprobe fuse, and let this user open /dev/fuse"});
}

DoctorCheck check_loop(const DoctorOptions& options) {
  const std::string device = options.dev_root + "/loop-control";
  const int fd = ::open(device.c_str(), O_RDWR | O_CLOEXEC);
  Attempt attempt = fd >= 0 ? works("loop devices can be made") : fails(device);
  if (fd >= 0) ::close(fd);
  if (attempt.outcome == Outcome::Works && !find_program("mkfs.ext4", options.program_folders)) {
    attempt = {.outcome = Outcome::Fails, .text = "mkfs.ext4 is missing"};
  }
  return judge("storage.loop", "Sized file systems (loop devices)", attempt,
               {.costs = "containers have no writable layer on disk and no volumes",
                .remedy = "modprobe loop, run with CAP_SYS_ADMIN, apt install e2fsprogs"});
}

}  // namespace

void check_storage(const DoctorOptions& options, Checks& checks) {
  checks.push_back(check_data_directory(options));
  checks.push_back(check_flush(options));
  checks.push_back(check_fuse(options));
  checks.push_back(check_loop(options));
}

}  // namespace hm::linux
