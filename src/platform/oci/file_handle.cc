// SPDX-License-Identifier: Apache-2.0
#include "platform/oci/file_handle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace hm::oci {

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

FileHandle::FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

std::unexpected<Error> system_error(std::string_view what, std::string_view path, int error) {
  const ErrorCode code = error == ENOENT                       ? ErrorCode::NotFound
                         : error == EEXIST                     ? ErrorCode::AlreadyExists
                         : error == EACCES || error == EPERM   ? ErrorCode::PermissionDenied
                         : error == ENOSPC || error == EDQUOT  ? ErrorCode::NoCapacity
                         : error == ENOTSUP || error == ENOSYS ? ErrorCode::Unsupported
                                                               : ErrorCode::Io;
  return fail(code, fmt::format("cannot {} {}", what, path), std::strerror(error));
}

Result<void> write_all(int fd, ByteView bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> write_all_at(int fd, ByteView bytes, std::uint64_t offset, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::size_t> read_some_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset,
                                 std::string_view path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::uint64_t> size_of(int fd, std::string_view path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return system_error("ask for", path, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> flush(int fd, std::string_view path) {
  if (::fsync(fd) != 0) return system_error("flush", path, errno);
  return {};
}

Result<FileHandle> open_folder(const std::string& path) {
  FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.is_open()) return system_error("open", path, errno);
  return folder;
}

Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return system_error("remove", path, error.value());
  return {};
}

}  // namespace hm::oci
