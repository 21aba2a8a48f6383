// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/output_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "platform/container_runtime/monitor_protocol.h"

namespace hm::container_runtime {
namespace {

constexpr const char* kCurrent = "log";
constexpr const char* kOlder = "log.old";
constexpr std::size_t kHeaderBytes = 8 + 8 + 4 + 1;
constexpr std::size_t kBlockBytes = 64 * 1024;

}  // namespace

// One of the two files, read in blocks so that short records cost no system call each.
class RecordFile {
 public:
  struct Record {
    std::uint64_t offset = 0;
    std::uint64_t unix_millis = 0;
    std::uint32_t length = 0;
    std::uint8_t lane = 0;
  };

  static std::unique_ptr<RecordFile> open(int folder, const char* name) {
    const int fd = ::openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return nullptr;
    return std::unique_ptr<RecordFile>(new RecordFile(fd));
  }
  ~RecordFile() { ::close(fd_); }
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  bool is(int folder, const char* name) const {
    struct stat mine{};
    struct stat other{};
    return ::fstat(fd_, &mine) == 0 && ::fstatat(folder, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_ino == other.st_ino && mine.st_dev == other.st_dev;
  }

  // None if it is not there, or not all of it.
  std::optional<Record> record_at(std::uint64_t position) {
    ByteView header = bytes_at(position, kHeaderBytes);
    Record record;
    if (!take(header, record.offset) || !take(header, record.unix_millis) ||
        !take(header, record.length) || !take(header, record.lane) || record.length > kMaxChunk) {
      return std::nullopt;
    }
    if (bytes_at(position + kHeaderBytes, record.length).size() < record.length) {
      block_.clear();  // more of it may come
      return std::nullopt;
    }
    return record;
  }

  static std::uint64_t after(std::uint64_t position, const Record& record) {
    return position + kHeaderBytes + record.length;
  }

  // Empty if not all of them are there.
  ByteView bytes_at(std::uint64_t position, std::size_t count) {
    if (position < block_at_ || position + count > block_at_ + block_.size()) {
      block_.resize(kBlockBytes);
      const ssize_t got = ::pread(fd_, block_.data(), kBlockBytes, static_cast<off_t>(position));
      block_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
      block_at_ = position;
    }
    if (position + count > block_at_ + block_.size()) return {};
    return ByteView(block_).subspan(static_cast<std::size_t>(position - block_at_), count);
  }

 private:
  explicit RecordFile(int fd) : fd_(fd) {}

  int fd_;
  std::uint64_t block_at_ = 0;
  Bytes block_;
};

namespace {

struct Extent {
  std::uint64_t size = 0;            // of the whole records, in the file
  std::optional<std::uint64_t> end;  // of the output
};

Extent extent_of(int folder, const char* name) {
  Extent extent;
  const auto file = RecordFile::open(folder, name);
  if (!file) return extent;
  while (const auto record = file->record_at(extent.size)) {
    extent.size = RecordFile::after(extent.size, *record);
    extent.end = record->offset + record->length;
  }
  return extent;
}

}  // namespace

OutputLog::OutputLog(int folder) : folder_(folder) {
  const Extent current = extent_of(folder, kCurrent);
  size_ = current.size;
  end_ = LogReader::end_of(folder);
  open();
}

OutputLog::~OutputLog() {
  if (file_ >= 0) ::close(file_);
}

void OutputLog::open() {
  file_ = ::openat(folder_, kCurrent, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  // What a killed writer left unfinished.
  if (file_ >= 0 && ::ftruncate(file_, static_cast<off_t>(size_)) != 0) size_ = 0;
}

void OutputLog::rotate() {
  if (file_ >= 0) ::close(file_);
  ::renameat(folder_, kCurrent, folder_, kOlder);
  size_ = 0;
  open();
}

void OutputLog::append(std::uint8_t lane, ByteView bytes, std::uint64_t unix_millis) {
  if (bytes.empty()) return;
  const std::size_t whole = kHeaderBytes + bytes.size();
  if (size_ + whole > kLogBytes) rotate();
  std::array<std::uint8_t, kHeaderBytes> header;
  std::size_t used = 0;
  const auto put = [&header, &used](std::uint64_t value, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      header[used++] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  };
  put(end_, 8);
  put(unix_millis, 8);
  put(bytes.size(), 4);
  put(lane, 1);
  end_ += bytes.size();
  if (file_ < 0) return;
  const std::array<iovec, 2> parts{iovec{header.data(), header.size()},
                                   iovec{const_cast<std::uint8_t*>(bytes.data()), bytes.size()}};
  const ssize_t written = ::pwritev(file_, parts.data(), 2, static_cast<off_t>(size_));
  if (written == static_cast<ssize_t>(whole)) {
    size_ += whole;
  } else if (::ftruncate(file_, static_cast<off_t>(size_)) != 0) {
    // Half a record would make its bytes, which are the tenant's, look like records.
    ::close(file_);
    file_ = -1;
  }
}

LogReader::LogReader(int folder) : folder_(folder) {}
LogReader::~LogReader() = default;

std::uint64_t LogReader::end_of(int folder) {
  if (const auto end = extent_of(folder, kCurrent).end) return *end;
  return extent_of(folder, kOlder).end.value_or(0);
}

void LogReader::seek(std::uint64_t offset) {
  wanted_ = offset;
  position_ = 0;
  file_ = RecordFile::open(folder_, kOlder);
  if (!file_) file_ = RecordFile::open(folder_, kCurrent);
}

std::optional<LogReader::Piece> LogReader::next_here(std::size_t most) {
  while (const auto record = file_->record_at(position_)) {
    const std::uint64_t end = record->offset + record->length;
    const std::uint64_t from = std::max(record->offset, wanted_);
    if (from >= end) {
      position_ = RecordFile::after(position_, *record);
      continue;
    }
    const auto skip = static_cast<std::size_t>(from - record->offset);
    const ByteView all = file_->bytes_at(position_ + kHeaderBytes, record->length);
    const ByteView part = all.subspan(skip, std::min(most, all.size() - skip));
    wanted_ = from + part.size();
    return Piece{
        .lane = record->lane, .offset = from, .unix_millis = record->unix_millis, .bytes = part};
  }
  return std::nullopt;
}

// Goes on to the file that came after the current one; false if there is none yet.
bool LogReader::next_file() {
  if (file_ && file_->is(folder_, kCurrent)) return false;
  // Twice renamed, and so gone: the older of the two that are there comes next.
  const char* name = file_ && file_->is(folder_, kOlder) ? kCurrent : kOlder;
  auto next = RecordFile::open(folder_, name);
  if (!next) return false;
  file_ = std::move(next);
  position_ = 0;
  return true;
}

std::optional<LogReader::Piece> LogReader::next(std::size_t most) {
  if (!file_) seek(wanted_);
  while (file_) {
    if (auto piece = next_here(most)) return piece;
    const bool was_current = file_->is(folder_, kCurrent);
    // Between the two looks the writer may have filled it up and renamed it.
    if (auto piece = next_here(most)) return piece;
    if (was_current || !next_file()) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace hm::container_runtime
