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

}  // namespace hm::node
