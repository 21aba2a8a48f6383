// SPDX-License-Identifier: Apache-2.0
// Bounds of the tenant's side of storage, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "foundation/base/time.h"

namespace hm::storing {

// Of the nodes that did not keep what they took: enough to see who and since when.
inline constexpr std::size_t kMaxFaults = 256;

// A name is a key in the catalogue, and shown in lists. S3 allows as much.
inline constexpr std::size_t kMaxObjectName = 1024;

// A sealed manifest: kMaxSealedManifest, and a wrap for each reader.
inline constexpr std::size_t kMaxBundledBox = (std::size_t{1} << 20) + (std::size_t{512} << 10);
// A bundle is ended before it has more: a reader of one object fetches it whole.
inline constexpr std::size_t kBundleBytes = std::size_t{1} << 20;

// What is encoded in one go, so that a worker is not held for long.
inline constexpr std::size_t kEncodePiece = std::size_t{4} << 20;
// Bytes that wait to be encoded: two of these, so that reading and encoding go on side by side.
inline constexpr std::size_t kUploadWindow = std::size_t{8} << 20;
// Bytes of shards of one upload on their way, above which nothing more is encoded: disks that flush
// together and the path to eight nodes are busy with it, and the transport holds as much again.
inline constexpr std::uint64_t kBytesOnTheirWay = std::uint64_t{48} << 20;
// How often another place is looked for, for a shard that its node did not take.
inline constexpr std::size_t kPlaceTries = 2;
// What is reserved at first where the length of an upload is not known; then as much again.
inline constexpr std::uint64_t kFirstReserve = std::uint64_t{16} << 20;
// Uploads and downloads at one time: each holds tens of megabytes.
inline constexpr std::size_t kMaxTransfers = 4;

// Objects that arrive in parts, at one time: each has its row and keeps what has arrived.
inline constexpr std::size_t kMaxMultiparts = 256;
// Of one object, and the longest; S3 allows as much. All of them together have kMaxSegments.
inline constexpr std::uint32_t kMaxParts = 10'000;
inline constexpr std::uint64_t kMaxPartBytes = std::uint64_t{5} << 30;
// Of a sender, to find again what it has begun: a path and when the file changed.
inline constexpr std::size_t kMaxMultipartNote = 8192;
// Of the ledger's time, from when something last came until what is there is given up.
inline constexpr std::uint64_t kMultipartMillis = std::uint64_t{7} * 24 * 3'600'000;
// Between two looks for such objects.
inline constexpr std::uint64_t kMultipartLookMillis = 600'000;

// Bytes handed out that the reader has not taken.
inline constexpr std::size_t kDownloadWindow = std::size_t{8} << 20;
// In which they are handed out, at most: half of what a stream of the API takes, so that each goes
// into one as it is.
inline constexpr std::size_t kDownloadPiece = std::size_t{512} << 10;
// A stripe that is not whole after this long is asked of so many more: far above what a shard takes
// from a healthy node, far below what a user takes for an interruption. Where all shards take long,
// it is longer (AnswerTimes), up to what a user does take for one.
inline constexpr Duration kHedge = std::chrono::milliseconds(150);
inline constexpr Duration kLongestHedge = std::chrono::seconds(2);
inline constexpr std::size_t kHedgeShards = 2;
// Who let a reader wait so long is asked last for this while.
inline constexpr Duration kSlowFor = std::chrono::seconds(10);

// Of a catalogue that is recovered, parts that are listed in memory: of a terabyte of objects.
inline constexpr std::size_t kMaxRecoveredShards = std::size_t{1} << 23;

// After a change; more changes share one commitment.
inline constexpr Duration kCommitPause = std::chrono::seconds(1);
inline constexpr Duration kCommitRetryPause = std::chrono::seconds(15);
// One page of one shard at a time.
inline constexpr Duration kAuditPause = std::chrono::seconds(20);
inline constexpr Duration kGarbagePause = std::chrono::seconds(30);
inline constexpr std::size_t kGarbageRows = 64;  // at one time
// Stripes are looked at this often whatever happens, and soon after something did.
inline constexpr Duration kLookPause = std::chrono::minutes(10);
inline constexpr Duration kLookSoon = std::chrono::seconds(1);
// After a node is back, until it is asked for what it should have: its ledger comes up first.
inline constexpr Duration kInventoryPause = std::chrono::seconds(2);
// A node that is not connected for so long counts as lost: a restart takes less.
inline constexpr Duration kLostAfter = std::chrono::minutes(2);
// The most urgent stripes that one look finds; the next look finds others.
inline constexpr std::size_t kRepairsAtOnce = 256;
// Of what is made anew, a second: repair leaves most of a link to users.
inline constexpr std::uint64_t kRepairBytesPerSecond = std::uint64_t{64} << 20;
inline constexpr Duration kRepairRetryPause = std::chrono::seconds(30);

// What a lease is opened for at least: each costs an operation, and a block until it can be used.
inline constexpr std::uint64_t kLeaseQuantum = std::uint64_t{64} << 20;
// And how long. While the tenant's node is away nobody renews.
inline constexpr std::uint64_t kLeaseMillis = std::uint64_t{7} * 24 * 3'600'000;
// A lease is renewed when this part of its time is left.
inline constexpr std::uint64_t kRenewPart = 4;
// What ends within this and can be renewed no more takes nothing new, and is drained.
inline constexpr std::uint64_t kEndingMillis = std::uint64_t{12} * 3'600'000;
// One that holds nothing is given back after this long.
inline constexpr Duration kIdleLease = std::chrono::minutes(10);
inline constexpr Duration kLeaseCarePause = std::chrono::seconds(15);
// For leases to be asked for and accepted.
inline constexpr Duration kPlacesPatience = std::chrono::seconds(20);
// A node that failed at something gets nothing new for so long.
inline constexpr Duration kAvoidFor = std::chrono::minutes(2);
// So many of them are named to who finds too few places.
inline constexpr std::size_t kMaxNamedNodes = 8;

}  // namespace hm::storing
