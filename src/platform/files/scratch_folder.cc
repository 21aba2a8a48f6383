// SPDX-License-Identifier: Apache-2.0
#include "platform/files/scratch_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "platform/files/atomic_file.h"

namespace hm::files {
namespace {

std::unexpected<Error> io_failure(const std::string& path, const char* what) {
  const int code = errno;
  return fail(code == ENOSPC ? ErrorCode::NoCapacity : ErrorCode::Io,
              std::string("cannot ") + what + " " + path, std::strerror(code));
}

class File final : public ports::ScratchFile {
 public:
  File(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~File() override {
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const override { return path_; }

  Result<void> append(ByteView bytes) override {
    struct statvfs space{};
    if (::fstatvfs(descriptor_, &space) == 0 &&
        static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize < kDiskFloor + bytes.size()) {
      return fail(ErrorCode::NoCapacity, "the disk is too full to take more",
                  "free some of " + path_ + "'s file system");
    }
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return io_failure(path_, "write");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  // By name: whoever was given the path may have put another file there.
  Result<std::uint64_t> size() override {
    struct stat about{};
    if (::stat(path_.c_str(), &about) != 0) return io_failure(path_, "look at");
    return static_cast<std::uint64_t>(about.st_size);
  }

  Result<Bytes> read(std::uint64_t offset, std::size_t most) override {
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return io_failure(path_, "open");
    Bytes bytes(most);
    ssize_t count = -1;
    do {
      count = ::pread(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    } while (count < 0 && errno == EINTR);
    const int code = errno;
    ::close(descriptor);
    errno = code;
    if (count < 0) return io_failure(path_, "read");
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }

 private:
  std::string path_;
  int descriptor_;
};

class Folder final : public ports::ScratchFiles {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}

  Result<std::unique_ptr<ports::ScratchFile>> create() override {
    std::string path = path_ + "/" + std::to_string(next_++);
    const int descriptor =
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return io_failure(path, "make");
    return std::make_unique<File>(std::move(path), descriptor);
  }

 private:
  std::string path_;
  std::atomic<std::uint64_t> next_{1};  // files are made on several workers
};

}  // namespace

Result<std::unique_ptr<ports::ScratchFiles>> open_scratch_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return fail(ErrorCode::Io, "cannot empty " + path, error.message());
  HM_TRY_VOID(make_folder(path, 0700));
  return std::make_unique<Folder>(path);
}

}  // namespace hm::files
