// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <utility>

namespace hm::shard_store {
namespace {

constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kIndexSuffix = ".index";
constexpr std::string_view kUnfinishedSuffix = ".tmp";
constexpr std::size_t kNumberDigits = 8;

std::unexpected<Error> io_failure(std::string_view what, const std::string& path, int code) {
  if (code == ENOENT) return fail(ErrorCode::NotFound, fmt::format("there is no {}", path));
  const bool is_full = code == ENOSPC || code == EDQUOT;
  return fail(is_full ? ErrorCode::NoCapacity : ErrorCode::Io,
              fmt::format("cannot {} {}: {}", what, path, std::strerror(code)),
              is_full ? "free some of its file system" : "look at the disk's health");
}

std::string name_of(LogNumber log, std::string_view suffix) {
  return fmt::format("{:08x}{}", log, suffix);
}

// The number in a name of exactly this form.
std::optional<LogNumber> number_in(std::string_view name, std::string_view suffix) {
  std::array<std::uint8_t, sizeof(LogNumber)> bytes;
  if (name.size() != kNumberDigits + suffix.size() || !name.ends_with(suffix) ||
      !from_hex_exact(name.substr(0, kNumberDigits), bytes)) {
    return std::nullopt;
  }
  LogNumber number = 0;
  for (const std::uint8_t byte : bytes) number = (number << 8) | byte;
  if (number == 0) return std::nullopt;
  return number;
}

// A file that was written under a name of its own beside "key" or an index (files::write_file).
bool is_unfinished(std::string_view name) {
  const std::string_view whole = name.substr(0, name.find('.'));
  const std::string_view index =
      name.substr(0, std::min(name.size(), kNumberDigits + kIndexSuffix.size()));
  return name.ends_with(kUnfinishedSuffix) &&
         (whole == "key" || number_in(index, kIndexSuffix).has_value());
}

}  // namespace

Result<LogFile> LogFile::open(const std::string& path, Mode mode) {
  // O_NONBLOCK: a pipe put in place of the file must not hold us.
  const int flags = mode == Mode::Read    ? O_RDONLY
                    : mode == Mode::Write ? O_RDWR
                                          : O_RDWR | O_CREAT | O_EXCL;
  const int descriptor =
      ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
  if (descriptor < 0) return io_failure("open", path, errno);
  LogFile file(descriptor, path);
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) return io_failure("look at", path, errno);
  if (!S_ISREG(about.st_mode)) {
    return fail(ErrorCode::FailedPrecondition, path + " is not a regular file",
                "remove it, or choose another folder for shards");
  }
  return file;
}

LogFile::LogFile(LogFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

LogFile::~LogFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::uint64_t> LogFile::size() const {
  struct stat about{};
  if (::fstat(descriptor_, &about) != 0) return io_failure("look at", path_, errno);
  return static_cast<std::uint64_t>(about.st_size);
}

Result<std::size_t> LogFile::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failure("read", path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<void> LogFile::write(std::uint64_t offset, std::span<iovec> parts) {
  while (!parts.empty()) {
    const auto count = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
    const ssize_t put = ::pwritev(descriptor_, parts.data(), count, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_failure("write", path_, errno);
    auto left = static_cast<std::size_t>(put);
    offset += left;
    while (!parts.empty() && left >= parts.front().iov_len) {
      left -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (parts.empty()) break;
    parts.front().iov_base = static_cast<std::uint8_t*>(parts.front().iov_base) + left;
    parts.front().iov_len -= left;
  }
  return {};
}

Result<void> LogFile::write(std::uint64_t offset, ByteView bytes) {
  // pwritev only reads what an iovec names.
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  return write(offset, std::span(&part, 1));
}

Result<void> LogFile::sync() {
  if (::fdatasync(descriptor_) != 0) return io_failure("flush", path_, errno);
  return {};
}

Result<void> LogFile::cut(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0 || ::fsync(descriptor_) != 0) {
    return io_failure("cut", path_, errno);
  }
  return {};
}

std::string Folder::log_path(LogNumber log) const { return path_ + "/" + name_of(log, kLogSuffix); }

std::string Folder::index_path(LogNumber log) const {
  return path_ + "/" + name_of(log, kIndexSuffix);
}

Result<Folder::Content> Folder::list() const {
  Content content;
  std::error_code error;
  std::filesystem::directory_iterator entry(path_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (const auto log = number_in(name, kLogSuffix)) {
      content.logs.push_back(*log);
    } else if (const auto index = number_in(name, kIndexSuffix)) {
      content.indexes.push_back(*index);
    } else if (is_unfinished(name)) {
      content.unfinished.push_back(entry->path().string());
    } else if (name != "lock" && name != "key") {
      content.foreign.push_back(name);
    }
  }
  if (error) return fail(ErrorCode::Io, "cannot list " + path_, error.message());
  std::ranges::sort(content.logs);
  return content;
}

Result<void> Folder::sync() const {
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return io_failure("open", path_, errno);
  const int failed = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (failed != 0) return io_failure("flush", path_, failed);
  return {};
}

Result<void> Folder::remove(const std::string& path) const {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_failure("remove", path, errno);
  return {};
}

Result<std::uint64_t> Folder::free_bytes() const {
  struct statvfs space{};
  if (::statvfs(path_.c_str(), &space) != 0) return io_failure("ask for the room in", path_, errno);
  return static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
}

}  // namespace hm::shard_store
