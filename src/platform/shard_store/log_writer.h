// SPDX-License-Identifier: Apache-2.0
// Appends records to the open log: who comes while a flush runs waits and shares the next one with
// all others that came (group commit). One of those that wait writes for all of them; there is no
// thread. Records are on stable storage and in the index when commit() returns, in the order of the
// log, or are not there at all.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "platform/shard_store/log_content.h"
#include "platform/shard_store/shard_index.h"

namespace hm::shard_store {

struct NewRecord {
  Record record;
  std::span<const blake3::ChainingValue> values{};  // these and the body stay as they are until
  ByteView body{};                                  // commit() returns
  bool is_damaged = false;
};

struct Commit {
  std::vector<NewRecord> records;
  std::function<void()> settled;  // called under the lock, right after the index says the same

  // The writer's.
  bool is_done = false;
  Result<void> result;
};

Result<void> write_log_header(LogFile& file, LogNumber number, const Key& key);

class LogWriter {
 public:
  // Every call is made under the lock that the index belongs to; those that are given it may let go
  // of it in between.
  LogWriter(const Folder& folder, const Key& key, const RecordCodec& codec,
            std::uint64_t max_log_bytes, ShardIndex& index)
      : folder_(folder), key_(key), codec_(codec), max_log_bytes_(max_log_bytes), index_(index) {}

  struct OpenLog {
    LogNumber number = 0;
    LogFile file;
    std::uint64_t end = 0;
    std::vector<LogRecord> records;
  };
  // Before anything else: the last log goes on at the begin of a block, or another one begins.
  void go_on_with(OpenLog log);
  Result<void> begin(LogNumber number);

  LogNumber open_log() const { return open_->number; }

  // NoCapacity and Io: nothing of it is there. Requires: no more than fits into a batch.
  Result<void> commit(std::unique_lock<std::mutex>& lock, Commit& commit);

  // Seals the open log and begins another.
  Result<void> roll(std::unique_lock<std::mutex>& lock);

 private:
  using Batch = std::vector<Commit*>;

  void lead(std::unique_lock<std::mutex>& lock);
  void end_lead();
  Batch take_batch();
  Result<void> append(const Batch& batch);
  static std::uint64_t blocks_of(const Batch& batch);
  Result<void> write(const Batch& batch);
  void apply(const Batch& batch);
  bool is_full() const;
  Result<void> start_next_log(std::unique_lock<std::mutex>& lock);
  Result<OpenLog> create(LogNumber number) const;
  void write_index() const;

  const Folder& folder_;
  const Key key_;
  const RecordCodec& codec_;
  const std::uint64_t max_log_bytes_;
  ShardIndex& index_;

  std::deque<Commit*> waiting_;
  std::condition_variable changed_;
  bool has_leader_ = false;

  // Who leads uses these without the lock; the number changes under it.
  std::optional<OpenLog> open_;
  std::vector<std::uint32_t> units_;  // where the records of the batch went
  std::optional<Error> failed_;       // what is on the disk is not known any more
};

}  // namespace hm::shard_store
