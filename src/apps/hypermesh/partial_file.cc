// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "foundation/base/result.h"

namespace hm::cli {
namespace {

constexpr std::size_t kRoom = std::size_t{1} << 20;
// Of the content's hash: enough to know it again.
constexpr std::size_t kNameDigits = 32;

std::unexpected<Failure> unwritable(const std::string& path, int error) {
  return failed(error == ENOSPC || error == EDQUOT ? ExitCode::NoCapacity : ExitCode::Failure,
                fmt::format("cannot write {}", path), std::strerror(error),
                "check the folder, who may write there, and what is free");
}

}  // namespace

Answer<PartialFile> PartialFile::open(const std::string& target, const std::string& content,
                                      Begin begin) {
  const std::filesystem::path place(target);
  const std::string path =
      (place.parent_path() / (".hypermesh-" + content.substr(0, kNameDigits) + ".part")).string();
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (fd < 0) return unwritable(path, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);  // the file is another's, to keep and to remove
    return failed(ExitCode::Failure, fmt::format("{} is being written already", path),
                  "another command gets the same content to this folder", "wait for it");
  }
  PartialFile file(target, path, fd);
  if (begin == Begin::Anew && ::ftruncate(fd, 0) != 0) return unwritable(path, errno);
  std::vector<char> room(kRoom);
  for (;;) {
    const ssize_t n = ::read(fd, room.data(), room.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unwritable(path, errno);
    if (n == 0) return file;
    file.size_ += static_cast<std::uint64_t>(n);
    file.hasher_.update(as_bytes(std::string_view(room.data(), static_cast<std::size_t>(n))));
  }
}

PartialFile::~PartialFile() {
  if (fd_ < 0) return;
  // Nothing in it is nothing to go on with.
  if (size_ == 0) ::unlink(path_.c_str());
  ::close(fd_);
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      hasher_(other.hasher_) {}

Outcome PartialFile::append(std::string_view piece) {
  hasher_.update(as_bytes(piece));
  size_ += piece.size();
  while (!piece.empty()) {
    const ssize_t n = ::write(fd_, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unwritable(path_, errno);
    piece.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Outcome PartialFile::finish(Existing existing) {
  // As any new file.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  (void)::fchmod(fd_, 0666 & ~mask);
  const unsigned flags = existing == Existing::Replace ? 0 : RENAME_NOREPLACE;
  int moved = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), flags);
  // A file system that cannot do that in one step does it in two.
  if (moved != 0 && errno == EINVAL && ::access(target_.c_str(), F_OK) != 0) {
    moved = ::rename(path_.c_str(), target_.c_str());
  }
  if (moved != 0) return unwritable(target_, errno == EINVAL ? EEXIST : errno);
  ::close(std::exchange(fd_, -1));
  return {};
}

void PartialFile::discard() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(std::exchange(fd_, -1));
}

}  // namespace hm::cli
