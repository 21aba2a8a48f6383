// SPDX-License-Identifier: Apache-2.0
// A file descriptor that is closed when it goes.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "foundation/base/error.h"

namespace hm::containers_linux {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

// "what: reason of errno"
inline Error system_error(std::string what) {
  const int number = errno;
  const auto code = number == ENOSPC || number == EMFILE || number == ENOMEM ? ErrorCode::NoCapacity
                                                                             : ErrorCode::Io;
  return Error{code, std::move(what), std::generic_category().message(number)};
}

}  // namespace hm::containers_linux
