// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "foundation/base/check.h"
#include "platform/shard_store/limits.h"

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

class BufferPool {
 public:
  std::uint8_t* take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::uint8_t* const bytes = free_.back().release();
        free_.pop_back();
        return bytes;
      }
    }
    // One page of the processor, if it has them so large, is one piece for the disk.
    void* const bytes = ::operator new(kTransferBytes, std::align_val_t{kTransferBytes});
    (void)::madvise(bytes, kTransferBytes, MADV_HUGEPAGE);
    return static_cast<std::uint8_t*>(bytes);
  }
  void give_back(std::uint8_t* bytes) {
    const std::lock_guard lock(mutex_);
    free_.emplace_back(bytes);
  }

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const {
      ::operator delete(bytes, std::align_val_t{kTransferBytes});
    }
  };
  std::mutex mutex_;
  std::vector<std::unique_ptr<std::uint8_t, Free>> free_;
};

BufferPool& pool() {
  static BufferPool pool;
  return pool;
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

TransferBuffer::TransferBuffer() : bytes_(pool().take()) {}
TransferBuffer::~TransferBuffer() { pool().give_back(bytes_); }
std::span<std::uint8_t> TransferBuffer::bytes() const { return {bytes_, kTransferBytes}; }

Result<LogFile> LogFile::open(const std::string& path, Mode mode, PageCache cache) {
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
  file.bypasses_ = cache == PageCache::Bypass && file.try_bypass();
  return file;
}

bool LogFile::try_bypass() {
  struct statx about{};
  if (::statx(descriptor_, "", AT_EMPTY_PATH, STATX_DIOALIGN, &about) != 0) return false;
  const auto fits = [](std::uint32_t alignment) {
    return alignment != 0 && kBlockBytes % alignment == 0;
  };
  if ((about.stx_mask & STATX_DIOALIGN) == 0 || !fits(about.stx_dio_mem_align) ||
      !fits(about.stx_dio_offset_align)) {
    return false;
  }
  const int flags = ::fcntl(descriptor_, F_GETFL);
  return flags >= 0 && ::fcntl(descriptor_, F_SETFL, flags | O_DIRECT) == 0;
}

LogFile::LogFile(LogFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      bypasses_(other.bypasses_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(bypasses_, other.bypasses_);
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

Result<ByteView> LogFile::read_some(std::uint64_t offset, std::uint64_t count,
                                    std::span<std::uint8_t> buffer) const {
  const std::uint64_t begin = block_down(offset);
  const std::uint64_t wanted =
      std::min<std::uint64_t>(block_up(offset + count) - begin, buffer.size());
  for (;;) {
    const ssize_t got = ::pread(descriptor_, buffer.data(), static_cast<std::size_t>(wanted),
                                static_cast<off_t>(begin));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failure("read", path_, errno);
    const auto skip = static_cast<std::size_t>(offset - begin);
    const ByteView read = buffer.first(static_cast<std::size_t>(got));
    if (read.size() <= skip) return ByteView();
    return read.subspan(skip, std::min(static_cast<std::size_t>(count), read.size() - skip));
  }
}

Result<std::size_t> LogFile::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
  const TransferBuffer buffer;
  std::size_t done = 0;
  while (done < out.size()) {
    HM_TRY(const ByteView got, read_some(offset + done, out.size() - done, buffer.bytes()));
    if (got.empty()) break;
    std::memcpy(out.data() + done, got.data(), got.size());
    done += got.size();
  }
  return done;
}

Result<void> LogFile::read(std::uint64_t offset, std::initializer_list<Part> parts) const {
  const TransferBuffer buffer;
  std::uint64_t left = 0;
  for (const Part& part : parts) left += part.bytes;
  const Part* part = parts.begin();
  for (const Part& each : parts) each.to.reserve(static_cast<std::size_t>(each.bytes));
  while (left != 0) {
    HM_TRY(ByteView got, read_some(offset, left, buffer.bytes()));
    if (got.empty()) break;
    offset += got.size();
    left -= got.size();
    while (!got.empty()) {
      const auto room = static_cast<std::size_t>(part->bytes) - part->to.size();
      const ByteView taken = got.first(std::min(room, got.size()));
      part->to.insert(part->to.end(), taken.begin(), taken.end());
      got = got.subspan(taken.size());
      if (taken.size() == room) ++part;
    }
  }
  return {};
}

Result<void> LogFile::write_blocks(std::uint64_t offset, std::span<const std::uint8_t> blocks) {
  HM_CHECK(offset % kBlockBytes == 0 && blocks.size() % kBlockBytes == 0);
  while (!blocks.empty()) {
    const ssize_t put =
        ::pwrite(descriptor_, blocks.data(), blocks.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_failure("write", path_, errno);
    offset += static_cast<std::uint64_t>(put);
    blocks = blocks.subspan(static_cast<std::size_t>(put));
  }
  return {};
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

BlockWriter::BlockWriter(LogFile& file, std::uint64_t offset) : file_(file), offset_(offset) {}

Result<void> BlockWriter::add(ByteView bytes) {
  const std::span<std::uint8_t> buffer = buffer_.bytes();
  while (!bytes.empty()) {
    const ByteView taken = bytes.first(std::min(bytes.size(), buffer.size() - used_));
    std::memcpy(buffer.data() + used_, taken.data(), taken.size());
    used_ += taken.size();
    bytes = bytes.subspan(taken.size());
    if (used_ < buffer.size()) continue;
    HM_TRY_VOID(file_.write_blocks(offset_, buffer));
    offset_ += used_;
    used_ = 0;
  }
  return {};
}

Result<void> BlockWriter::finish() {
  const auto end = static_cast<std::size_t>(block_up(used_));
  std::memset(buffer_.bytes().data() + used_, 0, end - used_);
  return file_.write_blocks(offset_, buffer_.bytes().first(end));
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
