// SPDX-License-Identifier: Apache-2.0
#include "platform/files/process_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

namespace hm::files {
namespace {

struct flock whole_file() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

constexpr std::chrono::milliseconds kLook{10};

// The process that keeps others from locking; none: nobody any more, or it is not known.
std::optional<int> holder_of(int fd) {
  struct flock request = whole_file();
  if (::fcntl(fd, F_GETLK, &request) != 0 || request.l_type == F_UNLCK) return std::nullopt;
  return request.l_pid;
}

// Its first thread has ended. The state follows the name, which may have anything in it
// (proc_pid_stat(5)).
bool is_ending(int pid) {
  if (pid <= 0) return false;  // in another namespace or on another machine
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) {
    return ::kill(pid, 0) != 0 && errno == ESRCH;
  }
  return text[name_end + 2] == 'Z' || text[name_end + 2] == 'X';
}

}  // namespace

// A POSIX record lock: unlike flock() it can be asked for its holder, and it is not inherited by
// children. It is lost when any descriptor of the file closes, so nobody else here opens the file.
Result<ProcessLock> ProcessLock::take(const std::string& path) {
  ProcessLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) {
    return fail(ErrorCode::Io, fmt::format("cannot open {}", path), std::strerror(errno));
  }
  const auto until = std::chrono::steady_clock::now() + kEndingWait;
  while (true) {
    struct flock request = whole_file();
    if (::fcntl(lock.fd_, F_SETLK, &request) == 0) return lock;
    const int error = errno;
    if (error != EACCES && error != EAGAIN) {
      return fail(ErrorCode::Io, fmt::format("cannot lock {}", path), std::strerror(error));
    }
    const std::optional<int> holder = holder_of(lock.fd_);
    const bool may_wait = std::chrono::steady_clock::now() < until;
    if (may_wait && (!holder || is_ending(*holder))) {
      std::this_thread::sleep_for(kLook);
      continue;
    }
    return fail(ErrorCode::FailedPrecondition,
                holder ? fmt::format("{} is held by process {}", path, *holder)
                       : fmt::format("{} is held by another process", path),
                "one process may use a data folder at a time; stop it first");
  }
}

ProcessLock::ProcessLock(ProcessLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ProcessLock& ProcessLock::operator=(ProcessLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

ProcessLock::~ProcessLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::optional<int>> lock_holder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<int>();
    return fail(ErrorCode::Io, fmt::format("cannot open {}", path), std::strerror(errno));
  }
  struct flock request = whole_file();
  const int result = ::fcntl(fd, F_GETLK, &request);
  const int error = errno;
  ::close(fd);
  if (result != 0) {
    return fail(ErrorCode::Io, fmt::format("cannot ask for the lock on {}", path),
                std::strerror(error));
  }
  if (request.l_type == F_UNLCK || is_ending(request.l_pid)) return std::optional<int>();
  return std::optional<int>(request.l_pid);
}

}  // namespace hm::files
