// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/network_namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <system_error>
#include <thread>

#include "platform/containers_linux/file_descriptor.h"

namespace hm::containers_linux {
namespace {

constexpr const char* kOwn = "/proc/thread-self/ns/net";

Result<void> on_a_thread(const std::function<Result<void>()>& work) {
  Result<void> result;
  try {
    std::thread([&] { result = work(); }).join();
  } catch (const std::system_error& problem) {
    return fail(ErrorCode::NoCapacity, "cannot start a thread", problem.what());
  }
  return result;
}

Result<void> bind_own(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return fail(system_error("cannot make " + path));
  if (::mount(kOwn, path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    Error error = system_error("cannot bind a network namespace to " + path);
    ::unlink(path.c_str());
    return fail(std::move(error));
  }
  return {};
}

}  // namespace

Result<void> make_network_namespace(const std::string& path,
                                    const std::function<Result<void>()>& inside) {
  return on_a_thread([&]() -> Result<void> {
    if (::unshare(CLONE_NEWNET) != 0) return fail(system_error("cannot make a network namespace"));
    HM_TRY_VOID(inside());
    return bind_own(path);
  });
}

Result<void> remove_network_namespace(const std::string& path) {
  // A name may have been bound more than once by a process that was interrupted.
  while (::umount2(path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
  }
  if (errno != EINVAL && errno != ENOENT) return fail(system_error("cannot unbind " + path));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(system_error("cannot remove " + path));
  }
  return {};
}

Result<void> run_in_network_namespace(const std::string& path,
                                      const std::function<Result<void>()>& inside) {
  return on_a_thread([&]() -> Result<void> {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct statfs info{};
    if (!fd || ::fstatfs(fd.get(), &info) != 0 || info.f_type != NSFS_MAGIC) {
      return fail(ErrorCode::NotFound, "no network namespace at " + path);
    }
    if (::setns(fd.get(), CLONE_NEWNET) != 0) {
      return fail(system_error("cannot enter the network namespace " + path));
    }
    return inside();
  });
}

}  // namespace hm::containers_linux
