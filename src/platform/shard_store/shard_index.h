// SPDX-License-Identifier: Apache-2.0
// What the logs say, in memory: where each shard is, who holds it, and how much of each log is
// still needed. Records are applied in the order of the logs, while the store is used as when it is
// opened, so both lead to the same. No disk, no lock.
//
// A shard with one holder takes one tree node of 96 bytes, with several 8 bytes a holder more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "platform/shard_store/log_content.h"
#include "platform/shard_store/record.h"

namespace hm::shard_store {

class ShardIndex {
 public:
  struct Shard {
    Place place;  // nowhere: its bytes are lost
    ports::ShardState state;
    bool operator==(const Shard&) const = default;
  };

  struct Holding {
    ports::HolderId holder;
    LogNumber log = 0;  // has the record that says so
  };

  struct LogUse {
    std::uint64_t bytes = 0;   // of the file
    std::uint64_t needed = 0;  // of records that say what is so
    std::uint64_t drops = 0;   // of records of drops
  };

  // A log that is new, or has grown to `bytes`.
  void set_log(LogNumber log, std::uint64_t bytes);
  // Requires: nothing stands there any more.
  void remove_log(LogNumber log);
  const std::map<LogNumber, LogUse>& logs() const { return logs_; }
  // Records of drops are needed as long as an older log may say what they undo.
  std::uint64_t needed_bytes(LogNumber log) const;

  // All logs are read. Until then a shard that nobody holds is not forgotten: compaction may have
  // copied the record of another holder behind the drop.
  void end_reading();

  // Requires: the log of `place` is known. A damaged record does not replace a whole one. False,
  // and nothing changes, if the record speaks of a shard of another length.
  bool apply(const Record& record, const Place& place, bool is_damaged);

  std::optional<Shard> find(const ports::ShardRoot& root) const;
  // The first one after `cursor`, or of all.
  std::optional<ports::ShardRoot> after(const std::optional<ports::ShardRoot>& cursor) const;
  std::optional<Holding> holding(const ports::ShardRoot& root, const ports::HolderId& holder) const;
  std::vector<Holding> holdings(const ports::ShardRoot& root) const;

  // What is needed of a log, as its records would say it.
  std::vector<LogRecord> records_in(LogNumber log) const;

  // Of `holder` after `cursor`; looks at kMaxExamined shards at most.
  ports::ShardList list(const ports::HolderId& holder,
                        const std::optional<ports::ShardRoot>& cursor, std::size_t most) const;

  // Only if it is still there.
  void mark_damaged(const ports::ShardRoot& root, const Place& place);
  // Nothing of it is left; who holds it stays known.
  void mark_lost(const ports::ShardRoot& root);

  std::vector<ports::HolderId> holders() const;
  ports::HolderUsage usage(const ports::HolderId& holder) const;
  ports::ShardStoreUsage usage() const;

 private:
  struct Hold {
    std::uint32_t holder = 0;  // in holders_
    LogNumber log = 0;
  };
  struct Entry {
    Place place;
    std::uint32_t bytes : 31 = 0;
    std::uint32_t is_damaged : 1 = 0;
    Hold first;
    std::unique_ptr<std::vector<Hold>> others;
  };
  struct Holder {
    ports::HolderId id;
    ports::HolderUsage usage;
  };
  using Entries = std::map<ports::ShardRoot, Entry>;

  bool apply_drop(const Record& record, const Place& place);
  Entries::iterator forget(Entries::iterator shard);
  void take_place(Entry& entry, const Place& place);
  void set_damaged(Entry& entry, bool is_damaged);
  void add_hold(Entry& entry, const ports::HolderId& holder, LogNumber log);
  void remove_hold(Entry& entry, std::uint32_t holder);
  static const Hold* find_hold(const Entry& entry, std::uint32_t holder);
  static Hold* find_hold(Entry& entry, std::uint32_t holder);
  std::optional<std::uint32_t> number_of(const ports::HolderId& holder) const;
  std::uint32_t number_for(const ports::HolderId& holder);
  Holding name(const Hold& hold) const { return {holders_[hold.holder].id, hold.log}; }
  static bool is_held(const Entry& entry) { return entry.first.log != 0; }
  static ports::ShardState state_of(const Entry& entry) {
    return {entry.bytes, entry.is_damaged != 0};
  }

  Entries shards_;
  std::vector<Holder> holders_;  // by number; without shards: free for another
  std::vector<std::uint32_t> free_numbers_;
  std::map<ports::HolderId, std::uint32_t> numbers_;
  std::map<LogNumber, LogUse> logs_;
  std::uint64_t shard_bytes_ = 0;
  std::uint64_t damaged_ = 0;
  bool is_reading_ = true;
};

}  // namespace hm::shard_store
