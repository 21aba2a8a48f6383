// SPDX-License-Identifier: Apache-2.0
// ports::ShardStore on a folder of append-only logs (docs/protocols/shard_log.md),
// which belongs to one process at a time. What can be read is read, whatever else is damaged.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "foundation/base/result.h"
#include "platform/shard_store/limits.h"
#include "ports/shard_store.h"

namespace hm::shard_store {

struct Options {
  std::string folder;
  std::uint64_t floor_bytes = kDiskFloor;
  std::uint64_t max_log_bytes = kMaxLogBytes;
};

// A part of a log that says nothing any more, or a shard whose bytes are not whole.
struct FoundDamage {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::optional<ports::ShardRoot> root;  // if it is still known
};

struct OpeningReport {
  std::uint64_t logs = 0;
  std::uint64_t read_logs = 0;   // without an index file: the open one, and where it was not right
  std::uint64_t torn_bytes = 0;  // of a write that was never reported durable; cut off
  std::uint64_t damages = 0;
  std::vector<FoundDamage> damage;  // the first kMaxNamedDamage
};

struct OpenedStore {
  std::unique_ptr<ports::ShardStore> store;
  OpeningReport report;
};

// Makes the folder if there is none. FailedPrecondition: another process has it. Corrupt: the key
// is lost, and with it which bytes are records. Damage is reported, and no failure.
Result<OpenedStore> open_shard_store(Options options);

}  // namespace hm::shard_store
