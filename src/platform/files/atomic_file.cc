// SPDX-License-Identifier: Apache-2.0
#include "platform/files/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "foundation/base/hex.h"

namespace hm::files {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::unexpected<Error> system_error(std::string_view what, const std::string& path, int error) {
  const ErrorCode code = error == ENOENT   ? ErrorCode::NotFound
                         : error == EEXIST ? ErrorCode::AlreadyExists
                         : error == EACCES ? ErrorCode::PermissionDenied
                         : error == EPERM  ? ErrorCode::PermissionDenied
                         : error == ENOSPC ? ErrorCode::NoCapacity
                                           : ErrorCode::Io;
  return fail(code, fmt::format("cannot {} {}", what, path), std::strerror(error));
}

std::string folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string random_suffix() {
  std::uint8_t bytes[8] = {};
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return std::to_string(::getpid());
  return to_hex(bytes);
}

Result<void> write_all(int fd, ByteView content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", path, errno);
    content = content.subspan(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return system_error("flush", path, errno);
  return {};
}

Result<void> flush_folder(const std::string& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return system_error("open", folder, errno);
  if (::fsync(fd.get()) != 0) return system_error("flush", folder, errno);
  return {};
}

// link() refuses an existing name in one step with the move; rename() replaces it.
Result<void> move_into_place(const std::string& temporary, const std::string& path,
                             Existing existing) {
  if (existing == Existing::Replace) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("write", path, errno);
    return {};
  }
  if (::link(temporary.c_str(), path.c_str()) != 0) return system_error("create", path, errno);
  ::unlink(temporary.c_str());
  return {};
}

Result<void> check_secret(const struct stat& info, const std::string& path) {
  if ((info.st_mode & 077) != 0) {
    return fail(ErrorCode::PermissionDenied,
                fmt::format("{} is open to others (mode {:04o})", path, info.st_mode & 07777),
                fmt::format("a secret must be readable by its owner only: chmod 600 {}", path));
  }
  if (info.st_uid != ::geteuid()) {
    return fail(
        ErrorCode::PermissionDenied,
        fmt::format("{} belongs to user {}, not to user {}", path, info.st_uid, ::geteuid()),
        "run as its owner, or change its owner");
  }
  return {};
}

}  // namespace

Result<void> write_file(const std::string& path, ByteView content, Access access,
                        Existing existing) {
  const mode_t mode = access == Access::Secret ? 0600 : 0644;
  const std::string temporary = path + "." + random_suffix() + ".tmp";
  Result<void> written;
  {
    const Descriptor fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd.is_open()) return system_error("create", path, errno);
    written = write_all(fd.get(), content, path);
  }
  if (written) written = move_into_place(temporary, path, existing);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return flush_folder(folder_of(path));
}

Result<Bytes> read_file(const std::string& path, std::size_t max_size, Access access) {
  // O_NONBLOCK: a pipe put in place of the file must not hold us.
  const int no_follow = access == Access::Secret ? O_NOFOLLOW : 0;
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | no_follow));
  if (!fd.is_open()) return system_error("read", path, errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return system_error("read", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is not a regular file", path));
  }
  if (access == Access::Secret) HM_TRY_VOID(check_secret(info, path));

  Bytes content;
  std::uint8_t buffer[4096];
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) return content;
    if (content.size() + static_cast<std::size_t>(n) > max_size) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("{} is larger than {} bytes", path, max_size));
    }
    content.insert(content.end(), buffer, buffer + n);
  }
}

Result<void> make_folder(const std::string& path, unsigned mode) {
  std::filesystem::path partial;
  for (const auto& part : std::filesystem::path(path)) {
    partial /= part;
    if (partial.empty() || partial == "/") continue;
    if (::mkdir(partial.c_str(), static_cast<mode_t>(mode)) == 0) continue;
    const int error = errno;
    struct stat info{};
    if (::stat(partial.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    return system_error("create folder", partial.string(), error);
  }
  return {};
}

}  // namespace hm::files
