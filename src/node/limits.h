// SPDX-License-Identifier: Apache-2.0
// Bounds of the node's own queues.
#pragma once

#include <chrono>
#include <cstddef>

#include "foundation/base/time.h"

namespace hm::node {

// Operations admitted and not yet final: more than a second of work for a small machine; past it
// the node answers "busy", which keeps latency and memory flat under overload.
inline constexpr std::size_t kMaxPooledOperations = 8192;
inline constexpr std::size_t kMaxPooledBytes = std::size_t{16} << 20;
// One actor cannot fill the pool alone.
inline constexpr std::size_t kMaxPooledPerActor = 1024;

// Operations whose signatures wait to be checked.
inline constexpr std::size_t kMaxUncheckedOperations = 4096;
// Signatures per job of a worker: 64 × 45 µs ≈ 3 ms, short beside a view.
inline constexpr std::size_t kCheckBatch = 64;

// What a client that is told "busy" is asked to wait.
inline constexpr std::chrono::milliseconds kBusyRetryAfter{250};

// One gossip message: operations and bytes.
inline constexpr std::size_t kMaxGossipOperations = 1024;
inline constexpr std::size_t kMaxGossipBytes = std::size_t{1} << 20;
// Operations that are still pooled after this are told to the peers again: a peer may have been
// away or busy.
inline constexpr Duration kGossipRetry = std::chrono::seconds(1);

// Receipts remembered by operation id, for clients that ask after the fact.
inline constexpr std::size_t kMaxRecentReceipts = 65536;

// Final blocks that wait for their operations' signatures to be checked, when catching up.
inline constexpr std::size_t kMaxBlocksInCheck = 8;

// The store is flushed after this many blocks, and the vote log trimmed up to there.
inline constexpr std::uint64_t kBlocksPerStoreFlush = 256;

// Operations of the node's own key that are under way at one time, how often one is signed anew,
// and the pause before that.
inline constexpr std::size_t kMaxOwnOperations = 64;
inline constexpr unsigned kOwnOperationTries = 16;
inline constexpr Duration kOwnOperationPause = std::chrono::milliseconds(250);

// After the ledger refused a vault's root.
inline constexpr Duration kVaultRetryPause = std::chrono::seconds(5);

// Grants that one plan weighs, each asset in use with its own view of them: some 100 MB, and below
// a second on the event loop.
inline constexpr std::size_t kMaxPlanViews = std::size_t{1} << 20;

// A message between the two sides of a lease; a request has 161 bytes.
inline constexpr std::size_t kMaxMeterMessage = 256;
// Of one peer, on average and at once: four times what the leases of a large machine need.
inline constexpr std::uint64_t kMeterMessagesPerSecond = 256;
inline constexpr std::uint64_t kMeterMessageBurst = 1024;

// By how much the clocks of nodes may differ before that counts for readings.
inline constexpr std::uint64_t kClockSlackMillis = 1000;
// A reading is taken this long after its interval, so that a block of a validator whose clock is
// behind does not come before the interval's end.
inline constexpr std::uint64_t kReadingDelayMillis = 250;
// The last reading before a notice runs out is taken this long before, or at half the notice: it
// must be in a block by then.
inline constexpr std::uint64_t kLastReadingLeadMillis = 2000;
// A tenant's node that does not answer is followed by the next one, or asked again.
inline constexpr Duration kAskAgain = std::chrono::milliseconds(500);
// Payments are made every so many readings; each is an operation, and the end of a lease pays too.
inline constexpr std::uint32_t kReadingsPerSettlement = 12;
// How often leases under way are looked at: a part of the interval, within these bounds.
inline constexpr std::uint64_t kLooksPerInterval = 16;
inline constexpr Duration kShortestLookPause = std::chrono::milliseconds(100);
inline constexpr Duration kLongestLookPause = std::chrono::seconds(1);

}  // namespace hm::node
