// SPDX-License-Identifier: Apache-2.0
// Bounds of shards between nodes, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "foundation/base/time.h"
#include "foundation/blake3/page_tree.h"
#include "ports/shard_store.h"

namespace hm::storing {

// What does not carry a shard's bytes: a page with its proof is the longest, before a thousand
// roots with their states.
inline constexpr std::size_t kMaxPlainMessage = blake3::kPageSize + (std::size_t{8} << 10);
// A shard with its head; below the frame of its channel.
inline constexpr std::size_t kMaxMessage = ports::kMaxShardBytes + (std::size_t{1} << 10);
// Of one question; their states fit into a plain message.
inline constexpr std::size_t kMaxRoots = 1024;
static_assert(kMaxRoots == ports::kMaxListedShards);
// Of a refusal: who refuses writes it, who is refused shows it.
inline constexpr std::size_t kMaxRefusalText = 1024;

// What is asked of one node and not answered yet. 8 MiB fill a path of 100 ms at 80 MB/s, and eight
// shards share the flushes of one disk; the transport's queue takes four times as much.
inline constexpr std::uint64_t kWindowBytes = std::uint64_t{8} << 20;
// What a question counts as that moves no shard: so many of them fit into the window that whoever
// answers them is never idle.
inline constexpr std::uint64_t kPlainCost = blake3::kPageSize;

// A node that owes answers and gives none is as good as lost. Any answer of it begins the time
// anew, because a slow line brings the last byte of a window late.
inline constexpr Duration kShardPatience = std::chrono::seconds(20);
// But no single question waits longer than this, whatever else the node answers.
inline constexpr Duration kLongestPatience = std::chrono::seconds(120);
inline constexpr Duration kPatienceCheck = std::chrono::seconds(1);

// What the provider keeps of one peer's requests: a window, and another one, since a peer that has
// given up on a question asks anew before the first was dealt with.
inline constexpr std::uint64_t kPeerShare = 2 * kWindowBytes;
// Bytes of shards in memory that wait for the disk, of all peers together: sixteen full windows.
inline constexpr std::uint64_t kMaxHeldBytes = 16 * kWindowBytes;
// Calls of the store at one time. Those that write share the flushes of the disk, which take some
// milliseconds each: with sixteen shards of 256 KiB on their way a slow one still takes 500 MB/s.
// Those that read are not to stand behind them.
inline constexpr std::size_t kMaxWriteJobs = 16;
inline constexpr std::size_t kMaxReadJobs = 8;
inline constexpr std::size_t kMaxJobs = kMaxWriteJobs + kMaxReadJobs;

// A tenant's ledger may be ahead of the provider's by a block that comes late.
inline constexpr Duration kLedgerLag = std::chrono::seconds(5);
// What is held for no open lease is dropped at start once the ledger is of this age at most: a node
// that has lost its ledger must not drop what it will know about when it has caught up.
inline constexpr std::uint64_t kFreshLedgerMillis = 60'000;
// Between two looks for what no lease holds that the ledger knows.
inline constexpr Duration kSweepPause = std::chrono::minutes(10);
// After a disk that failed to drop.
inline constexpr Duration kReclaimPause = std::chrono::seconds(30);

// Between two looks after the store, and what one of them reads or copies: 8 MB/s, a tenth of the
// slowest disk, 14 days for 10 TB.
inline constexpr Duration kCarePause = std::chrono::seconds(2);
inline constexpr std::uint64_t kCareBytes = std::uint64_t{16} << 20;
// From the end of one round of scrubbing to the next.
inline constexpr Duration kScrubRest = std::chrono::hours(6);
// Needless bytes are worth a look once there are so many more than compaction left: the store seals
// its open log for no less.
inline constexpr std::uint64_t kCompactWorth = std::uint64_t{16} << 20;
// After a disk that had no room for the copies.
inline constexpr Duration kCompactPause = std::chrono::minutes(1);

}  // namespace hm::storing
