// SPDX-License-Identifier: Apache-2.0
// Shards that this machine keeps for others (docs/protocols/shard_log.md): bytes under their root,
// each for one or more holders, which are the leases under which it is stored.
//
// Every call may block on the disk and may come from any thread at the same time as others, so
// calls belong on workers. What put() and drop() answered is on stable storage. No byte is ever
// returned that does not lead to the root. The store knows nothing of leases, of who may read, and
// of time: it keeps a shard until its last holder has dropped it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/strong.h"
#include "foundation/blake3/page_tree.h"
#include "foundation/crypto/hash.h"

namespace hm::ports {

// A shard has at least one byte.
inline constexpr std::uint64_t kMaxShardBytes = std::uint64_t{4} << 20;

// What a shard counts as at least: below it the disk and the index pay for the shard's name rather
// than for its bytes.
inline constexpr std::uint64_t kMinCountedBytes = 4096;

// What a shard takes of a holder's quota.
constexpr std::uint64_t counted_bytes(std::uint64_t shard_bytes) {
  return shard_bytes < kMinCountedBytes ? kMinCountedBytes : shard_bytes;
}

// The most that one call of list() gives.
inline constexpr std::size_t kMaxListedShards = 1024;

// The plain BLAKE3 hash of a shard.
using ShardRoot = crypto::Digest;

struct HolderIdTag;
using HolderId = Id32<HolderIdTag>;

struct ShardState {
  std::uint64_t bytes = 0;
  bool is_damaged = false;  // some of it is lost; put() makes it whole again
  bool operator==(const ShardState&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.bytes, self.is_damaged); }
};

// What an auditor is given (blake3::verify_page).
struct ProvenPage {
  std::uint64_t shard_bytes = 0;
  Bytes page;
  blake3::PageProof proof;
  bool operator==(const ProvenPage&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.shard_bytes, self.page, self.proof);
  }
};

struct ListedShard {
  ShardRoot root;
  ShardState state;
  bool operator==(const ListedShard&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.root, self.state); }
};

struct ShardList {
  std::vector<ListedShard> shards;  // by root
  std::optional<ShardRoot> next;    // where to go on; none at the end
  bool operator==(const ShardList&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.shards, self.next); }
};

struct HolderUsage {
  std::uint64_t shards = 0;
  std::uint64_t shard_bytes = 0;
  std::uint64_t counted_bytes = 0;  // what the quota is compared with
  bool operator==(const HolderUsage&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.shards, self.shard_bytes, self.counted_bytes);
  }
};

struct ShardStoreUsage {
  std::uint64_t holders = 0;
  std::uint64_t shards = 0;          // each once, whoever holds it
  std::uint64_t shard_bytes = 0;     // the same
  std::uint64_t damaged = 0;         // shards that are known to be
  std::uint64_t disk_bytes = 0;      // of the logs, with what compaction would free
  std::uint64_t needless_bytes = 0;  // of these
};

struct DamagedShard {
  ShardRoot root;
  std::uint64_t page = 0;  // the first one that is wrong
};

struct ScrubReport {
  std::uint64_t bytes = 0;  // verified
  std::vector<DamagedShard> damaged;
  bool is_round_done = false;  // every shard was seen since the round began
};

struct CompactionReport {
  std::uint64_t copied_bytes = 0;
  std::uint64_t freed_bytes = 0;
  // Shards of which nothing could be verified any more; they are damaged from now on.
  std::vector<ShardRoot> lost;
  bool is_done = false;  // nothing is left that is worth compacting
};

class ShardStore {
 public:
  virtual ~ShardStore() = default;

  // Keeps the shard for `holder`; nothing happens if it is kept for it already, and a damaged one
  // is made whole. InvalidArgument: empty or too long. Corrupt: the bytes are not the root's.
  // NoCapacity: the holder would have more than `quota` counted bytes in all, or the file system
  // less free than the floor; nothing is kept then.
  virtual Result<void> put(const ShardRoot& root, const HolderId& holder, ByteView shard,
                           std::uint64_t quota) = 0;

  // `count` bytes from `offset` on, fewer only at the end; every page of them is verified first.
  // NotFound; InvalidArgument: begins behind the end; Corrupt: names root and page.
  virtual Result<Bytes> read(const ShardRoot& root, std::uint64_t offset, std::uint64_t count) = 0;

  // One page and what proves it. Failures as of read().
  virtual Result<ProvenPage> prove(const ShardRoot& root, std::uint64_t page) = 0;

  // Each is gone once its last holder has dropped it; no failure if `holder` does not hold it.
  // Needs a little room on the disk, and may go below the floor for it. After a failure some are
  // done.
  virtual Result<void> drop(std::span<const ShardRoot> roots, const HolderId& holder) = 0;

  // Everything that the holder holds; gives how many shards. After a failure some are done.
  virtual Result<std::uint64_t> drop_holder(const HolderId& holder) = 0;

  // In the order of `roots`; none for what is not there.
  virtual std::vector<std::optional<ShardState>> has(std::span<const ShardRoot> roots) = 0;

  // What the holder holds, by root, after `cursor`. A part may be short, or empty, and not the
  // last one.
  virtual ShardList list(const HolderId& holder, const std::optional<ShardRoot>& cursor) = 0;

  // Those that hold something, in order.
  virtual std::vector<HolderId> holders() = 0;
  virtual HolderUsage usage(const HolderId& holder) = 0;
  virtual ShardStoreUsage usage() = 0;

  // Reads and verifies shards, about `most_bytes` of them and one at least, and goes on where the
  // last call ended.
  virtual Result<ScrubReport> scrub(std::uint64_t most_bytes) = 0;

  // Frees what nobody needs, and goes on where the last call ended: copies about `most_bytes`, or
  // ends with is_done. NoCapacity: there is no room above the floor for the copies.
  virtual Result<CompactionReport> compact(std::uint64_t most_bytes) = 0;
};

}  // namespace hm::ports
