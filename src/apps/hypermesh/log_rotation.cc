// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/log_rotation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace hm::cli {

bool rotate_log_if_full(const std::string& path, std::uint64_t max_bytes) {
  struct stat open_file{};
  struct stat named_file{};
  if (::fstat(STDERR_FILENO, &open_file) != 0 || ::stat(path.c_str(), &named_file) != 0) {
    return false;
  }
  const bool same = open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
  if (!same || static_cast<std::uint64_t>(named_file.st_size) < max_bytes) return false;
  if (std::rename(path.c_str(), (path + ".1").c_str()) != 0) return false;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return false;  // what is written goes on into log.1
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
  ::close(fd);
  return true;
}

}  // namespace hm::cli
