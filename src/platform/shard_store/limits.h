// SPDX-License-Identifier: Apache-2.0
// Bounds of the store of shards.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::shard_store {

// A log is sealed once it has so many bytes: large enough that a folder of 10 TB is 10^4 files,
// small enough that compaction needs little room.
inline constexpr std::uint64_t kMaxLogBytes = std::uint64_t{1} << 30;
// Or so many records: what is kept of them in memory until then, and read when it is opened, stays
// below 32 MiB.
inline constexpr std::size_t kMaxLogRecords = std::size_t{1} << 18;

// What one fdatasync covers at most; after a crash no more than this at a log's end is in doubt,
// and is read when it is opened.
inline constexpr std::uint64_t kMaxBatchBytes = std::uint64_t{32} << 20;
inline constexpr std::size_t kMaxBatchRecords = 4096;
// Compaction takes smaller ones: who wants one of their shards waits for the whole.
inline constexpr std::uint64_t kMaxCopyBytes = std::uint64_t{8} << 20;

// What is written or read at once: enough for a disk to run at its speed, and one large page of the
// processor.
inline constexpr std::uint64_t kTransferBytes = std::uint64_t{2} << 20;

// What the file system keeps free, whatever others have put there: the owner's programs and the
// ledger must find room. Index files, 2 % of a log at most, and drops may go below.
inline constexpr std::uint64_t kDiskFloor = std::uint64_t{1} << 30;

// The open log is sealed for compaction once it has a needless part of this share of a log.
inline constexpr std::uint64_t kOpenLogShare = 64;

// How many shards one call looks at for those of one holder, while nobody else gets in.
inline constexpr std::size_t kMaxExamined = 65'536;

// How much damage is told by name; all of it is counted.
inline constexpr std::size_t kMaxNamedDamage = 64;

}  // namespace hm::shard_store
