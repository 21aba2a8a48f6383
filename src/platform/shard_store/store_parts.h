// SPDX-License-Identifier: Apache-2.0
// What the parts of a store work on together, under one lock.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "platform/files/process_lock.h"
#include "platform/shard_store/file_shard_store.h"
#include "platform/shard_store/log_writer.h"

namespace hm::shard_store {

using Lock = std::unique_lock<std::mutex>;

// Shards of which a record is being written: whoever wants to write another of the same shard
// waits, so that what was decided for a record still holds when it is in the log. Reading does not
// wait.
class BusyShards {
 public:
  bool try_take(const ports::ShardRoot& root) { return busy_.insert(root).second; }
  void take(Lock& lock, const ports::ShardRoot& root) {
    released_.wait(lock, [&] { return try_take(root); });
  }
  void release(const ports::ShardRoot& root) {
    busy_.erase(root);
    released_.notify_all();
  }

 private:
  std::set<ports::ShardRoot> busy_;
  std::condition_variable released_;
};

// Those that one call has taken. Made and destroyed under the lock.
class TakenShards {
 public:
  explicit TakenShards(BusyShards& busy) : busy_(busy) {}
  ~TakenShards() { release_all(); }
  TakenShards(const TakenShards&) = delete;
  TakenShards& operator=(const TakenShards&) = delete;

  // Nobody waits who has taken one: two could wait for each other. False: it is another's, and some
  // have been taken already; go on without it and come again.
  bool take(Lock& lock, const ports::ShardRoot& root) {
    if (!busy_.try_take(root)) {
      if (!roots_.empty()) return roots_.contains(root);
      busy_.take(lock, root);
    }
    roots_.insert(root);
    return true;
  }
  void release_all() {
    for (const ports::ShardRoot& root : roots_) busy_.release(root);
    roots_.clear();
  }

 private:
  BusyShards& busy_;
  std::set<ports::ShardRoot> roots_;
};

struct StoreParts {
  StoreParts(Options chosen, files::ProcessLock taken, const Key& key)
      : options(std::move(chosen)),
        folder(options.folder),
        process_lock(std::move(taken)),
        codec(key),
        writer(folder, key, codec, options.max_log_bytes, index) {}

  // NoCapacity if the file system would have less free than the floor with so much more.
  Result<void> check_floor(std::uint64_t more) const;

  const Options options;
  const Folder folder;
  files::ProcessLock process_lock;
  const RecordCodec codec;

  std::mutex mutex;  // for what follows
  ShardIndex index;
  BusyShards busy;
  LogWriter writer;
  // Of writes that are on their way.
  std::uint64_t reserved_bytes = 0;
  std::map<ports::HolderId, std::uint64_t> reserved_quota;
};

// Fills the index from what the folder has, and leaves the writer with an open log.
Result<OpeningReport> load_logs(StoreParts& parts);

// The key of the store, which is made if there is neither key nor log.
Result<Key> load_key(const Folder& folder);

}  // namespace hm::shard_store
