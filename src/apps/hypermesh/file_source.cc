// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/file_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/result.h"

namespace hm::cli {
namespace {

constexpr std::size_t kRoom = std::size_t{1} << 20;

std::unexpected<Failure> unreadable(const std::string& path, int error) {
  return failed(ExitCode::Failure, fmt::format("cannot read {}", path), std::strerror(error),
                "check the name, and who may read it");
}

std::unexpected<Failure> has_changed(const std::string& path) {
  return failed(ExitCode::Failure, fmt::format("{} changed while it was read", path),
                "what was read of it was never its content at one moment, so it is not stored",
                "try again when nobody writes to it, or store a copy or a snapshot of it");
}

struct Opened {
  int fd = -1;
  std::uint64_t size = 0;
  FileStamp changed;
};

FileStamp stamp_of(const struct stat& status) {
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

Answer<Opened> open_file(const std::string& path) {
  // Without O_NONBLOCK a pipe would wait for a writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return unreadable(path, errno);
  struct stat status{};
  const int error = ::fstat(fd, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status.st_mode)) {
    return Opened{fd, static_cast<std::uint64_t>(status.st_size), stamp_of(status)};
  }
  ::close(fd);
  if (error != 0) return unreadable(path, error);
  return failed(ExitCode::Failure, fmt::format("{} is no file", path),
                "only the content of regular files is stored",
                "name a file or a folder, or pass its output on: … | hypermesh put --as NAME -");
}

Outcome check_same(const std::string& path, int fd, std::uint64_t size, const FileStamp& changed) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return unreadable(path, errno);
  const bool is_same =
      static_cast<std::uint64_t>(status.st_size) == size && stamp_of(status) == changed;
  if (is_same) return {};
  return has_changed(path);
}

}  // namespace

Answer<FileSource> FileSource::open(const std::string& path) {
  HM_CLI_TRY(const Opened file, open_file(path));
  (void)::posix_fadvise(file.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return FileSource(path, file.fd, file.size, file.changed);
}

FileSource::~FileSource() {
  if (fd_ >= 0) ::close(fd_);
}

FileSource::FileSource(FileSource&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      changed_(other.changed_),
      read_(other.read_),
      hasher_(other.hasher_) {}

Answer<std::size_t> FileSource::read(std::span<char> room) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), size_ - read_));
  if (wanted == 0) {
    if (size_ == 0) HM_CLI_TRY_VOID(check_same(path_, fd_, size_, changed_));
    return std::size_t{0};
  }
  ssize_t n = 0;
  do {
    n = ::read(fd_, room.data(), wanted);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return unreadable(path_, errno);
  if (n == 0) return has_changed(path_);
  const auto count = static_cast<std::size_t>(n);
  read_ += count;
  hasher_.update(as_bytes(std::string_view(room.data(), count)));
  if (read_ == size_) HM_CLI_TRY_VOID(check_same(path_, fd_, size_, changed_));
  return count;
}

Answer<FileParts> FileParts::open(const std::string& path) {
  HM_CLI_TRY(const Opened file, open_file(path));
  return FileParts(path, file.fd, file.size, file.changed);
}

FileParts::~FileParts() {
  if (fd_ >= 0) ::close(fd_);
}

FileParts::FileParts(FileParts&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      changed_(other.changed_) {}

std::string FileParts::changed() const {
  return fmt::format("{}.{:09}", changed_.seconds, changed_.nanoseconds);
}

Answer<std::size_t> FileParts::read(std::uint64_t begin, std::span<char> room) const {
  ssize_t n = 0;
  do {
    n = ::pread(fd_, room.data(), room.size(), static_cast<off_t>(begin));
  } while (n < 0 && errno == EINTR);
  if (n < 0) return unreadable(path_, errno);
  if (n == 0) return has_changed(path_);
  return static_cast<std::size_t>(n);
}

Outcome FileParts::check_unchanged() const { return check_same(path_, fd_, size_, changed_); }

Answer<crypto::Digest> content_of_file(const std::string& path) {
  HM_CLI_TRY(FileSource source, FileSource::open(path));
  std::vector<char> room(kRoom);
  for (;;) {
    HM_CLI_TRY(const std::size_t count, source.read(room));
    if (count == 0) return source.content();
  }
}

}  // namespace hm::cli
