// SPDX-License-Identifier: Apache-2.0
// Frees logs of which less than a half is needed: what is needed is appended to the open log like
// anything that is new, and once it is on stable storage the old log is removed. A crash in between
// leaves both, which say the same.
//
// The record of a drop is copied as long as a log before it may have what it undoes, and if nothing
// after it has said otherwise.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "platform/shard_store/shard_pages.h"
#include "platform/shard_store/store_parts.h"

namespace hm::shard_store {

class Compaction {
 public:
  explicit Compaction(StoreParts& parts) : parts_(parts) {}

  // As of ports::ShardStore::compact().
  Result<ports::CompactionReport> step(std::uint64_t most_bytes);

 private:
  // A log that is on its way out.
  struct Victim {
    LogNumber log = 0;
    std::vector<LogRecord> records;
    std::size_t next = 0;  // of the records
  };
  // What one commit moves.
  struct Move {
    Commit commit;
    std::uint64_t bytes = 0;
    std::deque<SalvagedShard> shards;  // which the records of the commit borrow
  };

  Result<void> go_on(std::uint64_t most_bytes, ports::CompactionReport& report);
  Result<std::optional<Victim>> choose();
  std::optional<LogNumber> least_needed() const;
  Result<Victim> load(LogNumber log) const;
  Result<void> move_some(std::uint64_t most_bytes, ports::CompactionReport& report);
  void add(Lock& lock, Move& move, const LogRecord& each, ports::CompactionReport& report);
  bool add_shard(Lock& lock, Move& move, const Record& record, const ShardIndex::Shard& shard);
  static void add_record(Move& move, NewRecord record);
  bool is_needed_drop(const Record& record) const;
  Result<void> remove(ports::CompactionReport& report);

  StoreParts& parts_;
  std::mutex mutex_;  // one step at a time
  std::optional<Victim> victim_;
};

}  // namespace hm::shard_store
