// SPDX-License-Identifier: Apache-2.0
#include "platform/journal/file_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "platform/journal/segment.h"

namespace hm::journal {
namespace {

namespace fs = std::filesystem;
using ports::LogSequence;

std::unexpected<Error> io_failure(const std::string& what, const std::string& path) {
  return fail(ErrorCode::Io, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

std::string segment_name(LogSequence first) { return fmt::format("{:020}.journal", first); }

// The first record's number from a segment's file name; none for other files.
std::optional<LogSequence> parse_segment_name(const std::string& name) {
  LogSequence first = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), first);
  if (error != std::errc{} || name != segment_name(first)) return std::nullopt;
  return first;
}

Result<Bytes> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_failure("cannot open", path);
  Bytes content;
  std::array<std::uint8_t, 1 << 16> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      auto failure = io_failure("cannot read", path);
      ::close(fd);
      return failure;
    }
    if (got == 0) break;
    content.insert(content.end(), buffer.begin(), buffer.begin() + got);
  }
  ::close(fd);
  return content;
}

Result<void> write_all(int fd, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_failure("cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

// Cuts the file and makes the cut durable.
Result<void> truncate_file(const std::string& path, std::uint64_t bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return io_failure("cannot open", path);
  const bool done = ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 && ::fdatasync(fd) == 0;
  ::close(fd);
  if (!done) return io_failure("cannot cut the torn end of", path);
  return {};
}

}  // namespace

struct FileJournal::Impl {
  Options options;
  std::function<void(std::function<void()>)> post;
  ports::JournalListener* listener = nullptr;
  // Tasks posted to the loop hold this; it outlives the journal and is cleared by the destructor,
  // both on the loop thread.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  int lock_fd = -1;
  std::map<LogSequence, std::string> segments;  // first record → path; loop thread and flusher
  LogSequence next = 1;                         // number of the next appended record

  std::mutex mutex;
  std::condition_variable wake;
  Bytes pending;                 // framed records not yet written
  LogSequence pending_last = 0;  // number of the last one in `pending`
  LogSequence trim_first = 0;    // segments wholly before this may go
  bool stopping = false;
  bool failed = false;

  // Flusher thread only.
  int fd = -1;
  std::string path;
  std::uint64_t written = 0;
  LogSequence segment_next = 1;  // number that the next segment starts with
  std::thread flusher;

  ~Impl() {
    if (fd >= 0) ::close(fd);
    if (lock_fd >= 0) ::close(lock_fd);
  }

  Result<void> sync_directory() const {
    const int dir = ::open(options.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return io_failure("cannot open folder", options.directory);
    const int rc = ::fsync(dir);
    ::close(dir);
    if (rc != 0) return io_failure("cannot flush folder", options.directory);
    return {};
  }

  Result<void> open_segment(LogSequence first) {
    if (fd >= 0) ::close(fd);
    path = (fs::path(options.directory) / segment_name(first)).string();
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return io_failure("cannot create", path);
    HM_TRY_VOID(write_all(fd, segment_header(first), path));
    HM_TRY_VOID(sync_directory());
    written = kSegmentHeaderBytes;
    const std::lock_guard lock(mutex);
    segments[first] = path;
    return {};
  }

  Result<void> flush(ByteView records, LogSequence last) {
    if (fd < 0 || written >= options.segment_bytes) HM_TRY_VOID(open_segment(segment_next));
    HM_TRY_VOID(write_all(fd, records, path));
    written += records.size();
    segment_next = last + 1;
    if (::fdatasync(fd) != 0) return io_failure("cannot flush", path);
    return {};
  }

  std::string damage_marker() const { return (fs::path(options.directory) / "damaged").string(); }

  // Made durable before the damaged part is cut off, so that no crash can hide the damage.
  Result<void> mark_damaged() const {
    const std::string marker = damage_marker();
    const int marker_fd = ::open(marker.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (marker_fd < 0) return io_failure("cannot create", marker);
    ::close(marker_fd);
    return sync_directory();
  }

  // Keeps a damaged segment and all that follow it under other names, for inspection; the damaged
  // one also stays, for its intact records.
  Result<void> set_aside_after(std::map<LogSequence, std::string>::iterator damaged) {
    std::error_code error;
    fs::copy_file(damaged->second, damaged->second + ".damaged",
                  fs::copy_options::overwrite_existing, error);
    for (auto rest = std::next(damaged); rest != segments.end() && !error; ++rest) {
      fs::rename(rest->second, rest->second + ".damaged", error);
    }
    if (error) return fail(ErrorCode::Io, "cannot set aside a damaged segment", error.message());
    segments.erase(std::next(damaged), segments.end());
    return {};
  }

  void delete_trimmed(LogSequence first) {
    std::vector<std::string> doomed;
    {
      const std::lock_guard lock(mutex);
      // A segment may go when the next one starts at or before `first`.
      while (segments.size() >= 2 && std::next(segments.begin())->first <= first) {
        doomed.push_back(segments.begin()->second);
        segments.erase(segments.begin());
      }
    }
    for (const std::string& file : doomed) ::unlink(file.c_str());
  }

  void report(std::function<void(ports::JournalListener&)> call) {
    post([alive_flag = alive, target = listener, call = std::move(call)] {
      if (*alive_flag) call(*target);
    });
  }

  void run() {
    for (;;) {
      Bytes records;
      LogSequence last = 0;
      LogSequence trim = 0;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || !pending.empty() || trim_first > 0; });
        records.swap(pending);
        last = pending_last;
        trim = std::exchange(trim_first, 0);
        if (records.empty() && stopping) return;
      }
      if (!records.empty()) {
        if (Result<void> done = flush(records, last); !done) {
          {
            const std::lock_guard lock(mutex);
            failed = true;
          }
          report([error = done.error()](auto& l) { l.on_journal_failed(error); });
          return;
        }
        report([last](auto& l) { l.on_durable(last); });
      }
      if (trim > 0) delete_trimmed(trim);
    }
  }
};

FileJournal::FileJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<FileJournal>> FileJournal::open(
    Options options, std::function<void(std::function<void()>)> post,
    ports::JournalListener& listener) {
  auto impl = std::make_unique<Impl>();
  std::error_code error;
  fs::create_directories(options.directory, error);
  if (error) {
    return fail(ErrorCode::Io,
                fmt::format("cannot create folder {}: {}", options.directory, error.message()));
  }
  const std::string lock_path = (fs::path(options.directory) / "lock").string();
  impl->lock_fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (impl->lock_fd < 0) return io_failure("cannot open", lock_path);
  if (::flock(impl->lock_fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::FailedPrecondition,
                fmt::format("{} is in use by another process", options.directory),
                "stop the other hypermesh that uses this data folder, or choose another folder");
  }
  impl->options = std::move(options);
  impl->post = std::move(post);
  impl->listener = &listener;
  for (const auto& entry : fs::directory_iterator(impl->options.directory, error)) {
    if (const auto first = parse_segment_name(entry.path().filename().string())) {
      impl->segments[*first] = entry.path().string();
    }
  }
  if (error) return fail(ErrorCode::Io, "cannot list " + impl->options.directory, error.message());
  return std::unique_ptr<FileJournal>(new FileJournal(std::move(impl)));
}

FileJournal::~FileJournal() {
  *impl_->alive = false;
  if (impl_->flusher.joinable()) {
    {
      const std::lock_guard lock(impl_->mutex);
      impl_->stopping = true;
    }
    impl_->wake.notify_one();
    impl_->flusher.join();
  }
}

Result<ports::ReplayReport> FileJournal::replay(
    const std::function<void(LogSequence, ByteView)>& visit) {
  HM_CHECK(!impl_->flusher.joinable());
  ports::ReplayReport report;
  auto& segments = impl_->segments;
  if (!segments.empty()) {
    report.first = segments.begin()->first;
    impl_->next = report.first;
  }
  for (auto it = segments.begin(); it != segments.end(); ++it) {
    const bool is_last = std::next(it) == segments.end();
    HM_TRY(const Bytes content, read_file(it->second));
    SegmentScan scan{.end = SegmentEnd::Damaged, .next = impl_->next};
    if (it->first == impl_->next) scan = scan_segment(content, it->first, visit);
    impl_->next = scan.next;
    if (scan.end == SegmentEnd::Clean) continue;
    if (scan.end == SegmentEnd::Damaged || !is_last) {
      log::error("journal", "damaged record; what follows it is set aside",
                 {{"segment", it->second}, {"offset", scan.intact_bytes}});
      HM_TRY_VOID(impl_->mark_damaged());
      HM_TRY_VOID(impl_->set_aside_after(it));
    }
    HM_TRY_VOID(truncate_file(it->second, scan.intact_bytes));
    break;
  }
  report.last = impl_->next - 1;
  if (fs::exists(impl_->damage_marker())) report.tail = ports::ReplayReport::Tail::Damaged;
  impl_->segment_next = impl_->next;
  // A last segment without an intact record has the very number that the next one starts with.
  segments.erase(impl_->next);
  impl_->flusher = std::thread([impl = impl_.get()] { impl->run(); });
  return report;
}

LogSequence FileJournal::append(ByteView record) {
  HM_CHECK(impl_->flusher.joinable());
  HM_CHECK(record.size() <= kRecordBytesMax);
  const LogSequence sequence = impl_->next++;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->failed) return sequence;
    if (impl_->pending.size() + record.size() > impl_->options.queue_bytes_max) {
      impl_->failed = true;
      const Error error{ErrorCode::Busy, "the disk does not keep up with the vote log",
                        fmt::format("{} bytes wait to be flushed to {}", impl_->pending.size(),
                                    impl_->options.directory)};
      impl_->report([error](auto& l) { l.on_journal_failed(error); });
      return sequence;
    }
    append_record(impl_->pending, sequence, record);
    impl_->pending_last = sequence;
  }
  impl_->wake.notify_one();
  return sequence;
}

void FileJournal::acknowledge_damage() {
  std::error_code error;
  fs::remove(impl_->damage_marker(), error);
  if (error) log::warning("journal", "cannot remove the damage marker", {{"why", error.message()}});
}

void FileJournal::trim(LogSequence first) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->trim_first = std::max(impl_->trim_first, first);
  }
  impl_->wake.notify_one();
}

}  // namespace hm::journal
