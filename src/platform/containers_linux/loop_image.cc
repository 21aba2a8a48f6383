// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/loop_image.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "platform/containers_linux/file_descriptor.h"
#include "platform/linux/doctor_trial.h"
#include "platform/linux/kernel_tree.h"

namespace hm::containers_linux {
namespace {

using namespace std::chrono_literals;

constexpr const char* kControl = "/dev/loop-control";
// A free device is asked for and then taken; others may be quicker so many times.
constexpr int kAttachAttempts = 64;
// Making and growing touch few blocks, whatever the size; a slow disk gets this long.
constexpr Duration kProgramDeadline = 60s;

Result<void> run(const std::string& program, std::vector<std::string> arguments) {
  const auto path = linux::find_program(program, {});
  if (!path) {
    return fail(ErrorCode::Unsupported, program + " is missing", "apt-get install e2fsprogs");
  }
  arguments.insert(arguments.begin(), *path);
  const linux::ProgramRun ran = linux::run_program(arguments, kProgramDeadline);
  if (ran.outcome == linux::Outcome::Works) return {};
  return fail(ErrorCode::Io, program + " failed for " + arguments.back(), ran.output);
}

FileDescriptor open_device(std::uint64_t number) {
  const std::string path = "/dev/loop" + std::to_string(number);
  return FileDescriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

struct Device {
  FileDescriptor fd;  // as long as it is open, the device stays attached
  std::string path;
};

// The loop device whose file this is. Holding the device open, what it says stays true.
std::optional<Device> find_attached(int file) {
  struct stat wanted{};
  if (::fstat(file, &wanted) != 0) return std::nullopt;
  const linux::KernelTree blocks("/sys/block");
  for (const std::string& name : blocks.names("")) {
    if (!name.starts_with("loop") || !blocks.exists(name + "/loop")) continue;
    const std::string path = "/dev/" + name;
    FileDescriptor device(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    loop_info64 info{};
    if (!device || ::ioctl(device.get(), LOOP_GET_STATUS64, &info) != 0) continue;
    if (info.lo_inode == wanted.st_ino && info.lo_device == wanted.st_dev) {
      return Device{.fd = std::move(device), .path = path};
    }
  }
  return std::nullopt;
}

Result<Device> attach(int locked, const std::string& name) {
  // Opened anew: the device keeps what it is given, and with it would keep the lock.
  const std::string again = "/proc/self/fd/" + std::to_string(locked);
  const FileDescriptor file(::open(again.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return fail(system_error("cannot open " + name));
  const FileDescriptor control(::open(kControl, O_RDWR | O_CLOEXEC));
  if (!control) return fail(system_error(std::string("cannot open ") + kControl));
  for (int attempt = 0; attempt < kAttachAttempts; ++attempt) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return fail(system_error("no loop device is free"));
    FileDescriptor device = open_device(static_cast<std::uint64_t>(number));
    if (!device) return fail(system_error("cannot open loop device " + std::to_string(number)));
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(file.get());
    // Direct: what the container writes is on the disk's account, not in the host's page cache.
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
    std::snprintf(reinterpret_cast<char*>(config.info.lo_file_name),
                  sizeof config.info.lo_file_name, "%s", name.c_str());
    if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) {
      return Device{.fd = std::move(device), .path = "/dev/loop" + std::to_string(number)};
    }
    if (errno != EBUSY) return fail(system_error("cannot attach " + name));
  }
  return fail(ErrorCode::NoCapacity, "no loop device could be taken for " + name);
}

// Held while an image is made, looked at, attached or grown, also against other processes.
Result<FileDescriptor> open_locked(const std::string& file, int flags = O_RDWR) {
  FileDescriptor fd(::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return fail(system_error("cannot open " + file));
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail(system_error("cannot lock " + file));
  }
  return fd;
}

}  // namespace

Result<void> make_image(const std::string& file, std::uint64_t bytes, Journal journal) {
  HM_TRY(const FileDescriptor folder,
         open_locked(file.substr(0, file.rfind('/')), O_RDONLY | O_DIRECTORY));
  if (::access(file.c_str(), F_OK) == 0) return {};
  const std::string part = file + ".part";
  ::unlink(part.c_str());
  {
    const FileDescriptor fd(::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return fail(system_error("cannot make " + part));
    if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
      Error error = system_error("cannot size " + part);
      ::unlink(part.c_str());
      return fail(std::move(error));
    }
  }
  // No share kept back for the host's root; tables are written when they are used.
  std::vector<std::string> arguments{
      "-q", "-F", "-b", "4096",
      "-m", "0",  "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"};
  if (journal == Journal::None) arguments.insert(arguments.end(), {"-O", "^has_journal"});
  arguments.push_back(part);
  if (auto made = run("mkfs.ext4", std::move(arguments)); !made) {
    ::unlink(part.c_str());
    return made;
  }
  if (::rename(part.c_str(), file.c_str()) != 0) return fail(system_error("cannot name " + file));
  return {};
}

Result<std::uint64_t> image_size(const std::string& file) {
  struct stat info{};
  if (::lstat(file.c_str(), &info) != 0) return fail(system_error("cannot look at " + file));
  return static_cast<std::uint64_t>(info.st_size);
}

Result<void> grow_image(const std::string& file, std::uint64_t bytes) {
  HM_TRY(const FileDescriptor fd, open_locked(file));
  if (find_attached(fd.get())) {
    return fail(ErrorCode::Busy, file + " is in use and cannot grow",
                "end what uses it, or ask for the size that it has");
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    return fail(system_error("cannot size " + file));
  }
  // resize2fs wants a file system that was looked through.
  HM_TRY_VOID(run("e2fsck", {"-f", "-p", file}));
  return run("resize2fs", {file});
}

Result<void> mount_image(const std::string& file, const std::string& folder) {
  HM_TRY(const FileDescriptor fd, open_locked(file));
  auto device = find_attached(fd.get());
  if (!device) {
    HM_TRY(device, attach(fd.get(), file));
  }
  // `discard` gives deleted blocks back to the host as holes.
  if (::mount(device->path.c_str(), folder.c_str(), "ext4", MS_NOSUID | MS_NODEV, "discard") != 0) {
    return fail(system_error("cannot mount " + file));
  }
  return {};
}

Result<void> can_mount_images() {
  if (!linux::find_program("mkfs.ext4", {})) {
    return fail(ErrorCode::Unsupported, "no disk limits: mkfs.ext4 is missing",
                "apt-get install e2fsprogs");
  }
  const FileDescriptor control(::open(kControl, O_RDWR | O_CLOEXEC));
  if (!control) {
    return fail(ErrorCode::Unsupported, std::string("no disk limits: cannot open ") + kControl,
                "modprobe loop, or allow the device");
  }
  return {};
}

}  // namespace hm::containers_linux
