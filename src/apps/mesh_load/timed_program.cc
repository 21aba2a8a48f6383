// SPDX-License-Identifier: Apache-2.0
#include "apps/mesh_load/timed_program.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace hm::mesh_load {

Result<int> mount_namespace_without(const std::string& mount) {
  int descriptor = -1;
  // A thread is in whatever mount namespace it makes for itself.
  std::thread([&] {
    if (::unshare(CLONE_FS | CLONE_NEWNS) == 0 &&
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::umount2(mount.c_str(), MNT_DETACH) == 0) {
      descriptor = ::open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
    }
  }).join();
  if (descriptor >= 0) return descriptor;
  return fail(ErrorCode::Unsupported, "no mount namespace without " + mount, {});
}

Result<double> timed_program(const std::vector<std::string>& words, int mount_namespace) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, STDIN_FILENO);
    if (mount_namespace < 0 || ::setns(mount_namespace, CLONE_NEWNS) == 0) {
      ::execvp(pointers[0], pointers.data());
    }
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    return fail(ErrorCode::Unavailable, words[0] + " failed", {});
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace hm::mesh_load
