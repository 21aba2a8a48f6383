// SPDX-License-Identifier: Apache-2.0
#include "platform/shard_store/log_writer.h"

#include <array>

#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "platform/files/atomic_file.h"
#include "platform/shard_store/limits.h"

namespace hm::shard_store {
namespace {

static_assert(sizeof(blake3::ChainingValue) == blake3::ChainingValue::kSize);

std::uint64_t bytes_of(const Commit& commit) {
  std::uint64_t bytes = 0;
  for (const NewRecord& each : commit.records) bytes += record_bytes(each.record);
  return bytes;
}

}  // namespace

Result<void> write_log_header(LogFile& file, LogNumber number, const Key& key) {
  BlockWriter out(file, 0);
  HM_TRY_VOID(out.add(encode_log_header(number, key)));
  return out.finish();
}

void LogWriter::go_on_with(OpenLog log) { open_ = std::move(log); }

Result<void> LogWriter::begin(LogNumber number) {
  HM_TRY(open_, create(number));
  index_.set_log(number, open_->end);
  return {};
}

Result<void> LogWriter::commit(std::unique_lock<std::mutex>& lock, Commit& commit) {
  HM_CHECK(commit.records.size() <= kMaxBatchRecords && bytes_of(commit) <= kMaxBatchBytes);
  waiting_.push_back(&commit);
  while (!commit.is_done) {
    if (has_leader_) {
      changed_.wait(lock);
    } else {
      lead(lock);
    }
  }
  return commit.result;
}

Result<void> LogWriter::roll(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return !has_leader_; });
  has_leader_ = true;
  auto result = start_next_log(lock);
  end_lead();
  return result;
}

void LogWriter::lead(std::unique_lock<std::mutex>& lock) {
  has_leader_ = true;
  const Batch batch = take_batch();
  Result<void> result;
  if (is_full()) result = start_next_log(lock);
  if (result) {
    lock.unlock();
    result = append(batch);
    lock.lock();
  }
  if (result) apply(batch);
  for (Commit* const each : batch) {
    each->result = result;
    each->is_done = true;
    if (each->settled) each->settled();
  }
  end_lead();
}

void LogWriter::end_lead() {
  has_leader_ = false;
  changed_.notify_all();
}

LogWriter::Batch LogWriter::take_batch() {
  Batch batch;
  std::uint64_t bytes = 0;
  std::size_t records = 0;
  while (!waiting_.empty()) {
    Commit* const next = waiting_.front();
    bytes += bytes_of(*next);
    records += next->records.size();
    if (!batch.empty() && (bytes > kMaxBatchBytes || records > kMaxBatchRecords)) break;
    batch.push_back(next);
    waiting_.pop_front();
  }
  return batch;
}

Result<void> LogWriter::append(const Batch& batch) {
  if (failed_) return fail(*failed_);
  if (auto written = write(batch); !written) {
    if (open_->file.cut(open_->end)) return written;
    failed_ = {ErrorCode::Io, "the end of a log of shards is in doubt after a failed write",
               "restart the node: it reads the log anew"};
    return written;
  }
  if (auto synced = open_->file.sync(); !synced) {
    // The kernel tells of lost pages once, and what is read back may not be what the disk has.
    failed_ = {ErrorCode::Io, "a log of shards could not be flushed: " + synced.error().message,
               "look at the disk's health, then restart the node: it reads the log anew"};
    return synced;
  }
  open_->end += blocks_of(batch);
  return {};
}

std::uint64_t LogWriter::blocks_of(const Batch& batch) {
  std::uint64_t bytes = 0;
  for (const Commit* const commit : batch) bytes += bytes_of(*commit);
  return block_up(bytes);
}

Result<void> LogWriter::write(const Batch& batch) {
  static constexpr std::array<std::uint8_t, kUnit> kFill{};
  units_.clear();
  std::uint64_t at = open_->end;
  const std::uint64_t end = at + blocks_of(batch);
  BlockWriter out(open_->file, at);
  for (const Commit* const commit : batch) {
    for (const NewRecord& each : commit->records) {
      units_.push_back(static_cast<std::uint32_t>(at / kUnit));
      at += record_bytes(each.record);
      Record record = each.record;
      const bool is_last = &each == &batch.back()->records.back();
      record.padding = is_last ? static_cast<std::uint32_t>(end - at) : 0;
      HM_TRY_VOID(out.add(codec_.encode(record, {open_->number, units_.back()})));
      if (record.kind != RecordKind::Shard) continue;
      HM_TRY_VOID(out.add(
          {reinterpret_cast<const std::uint8_t*>(each.values.data()), each.values.size_bytes()}));
      HM_TRY_VOID(out.add(each.body));
      HM_TRY_VOID(out.add(ByteView(kFill).first((kUnit - each.body.size() % kUnit) % kUnit)));
    }
  }
  return out.finish();
}

void LogWriter::apply(const Batch& batch) {
  index_.set_log(open_->number, open_->end);
  auto unit = units_.begin();
  for (const Commit* const commit : batch) {
    for (const NewRecord& each : commit->records) {
      const Place place{open_->number, *unit++};
      HM_CHECK(index_.apply(each.record, place, each.is_damaged));
      open_->records.push_back({each.record, place.unit, each.is_damaged});
    }
  }
}

bool LogWriter::is_full() const {
  return open_->end >= max_log_bytes_ || open_->records.size() >= kMaxLogRecords;
}

Result<void> LogWriter::start_next_log(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto next = create(open_->number + 1);
  if (next) write_index();
  lock.lock();
  if (!next) return fail(next.error());
  open_ = std::move(*next);
  index_.set_log(open_->number, open_->end);
  return {};
}

Result<LogWriter::OpenLog> LogWriter::create(LogNumber number) const {
  const std::string path = folder_.log_path(number);
  HM_TRY(LogFile file, LogFile::open(path, LogFile::Mode::Create, LogFile::PageCache::Bypass));
  auto done = write_log_header(file, number, key_);
  if (done) done = file.sync();
  if (done) done = folder_.sync();
  if (!done) {
    // So that the next try finds no file of this name.
    (void)folder_.remove(path);
    return fail(done.error());
  }
  return OpenLog{number, std::move(file), kFirstRecord, {}};
}

// Without it the log is read when the store is opened, and it is written then.
void LogWriter::write_index() const {
  const Bytes index = encode_index(open_->number, open_->end, open_->records, codec_);
  const auto written = files::write_file(folder_.index_path(open_->number), index,
                                         files::Access::Secret, files::Existing::Replace);
  if (!written) {
    log::warning("shards", "the index of a sealed log could not be written",
                 {{"log", open_->number}, {"why", written.error().message}});
  }
}

}  // namespace hm::shard_store
