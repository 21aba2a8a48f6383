// SPDX-License-Identifier: Apache-2.0
// Bounds of what the API does for its callers.
#pragma once

#include <chrono>
#include <cstddef>

#include "foundation/base/time.h"

namespace hm::http_api {

// ?wait=final: an operation is final in milliseconds or something is wrong; a client that needs
// longer asks again.
inline constexpr std::chrono::milliseconds kDefaultWait{10'000};
inline constexpr std::chrono::milliseconds kMaxWait{30'000};
// Requests that wait for finality at one time; each holds a connection and a timer.
inline constexpr std::size_t kMaxWaiting = 256;

// Event streams get at most this many asset events of one block, and as many lease events; a gap is
// announced, so that a reader knows to list again.
inline constexpr std::size_t kMaxChangeEvents = 128;
// A comment on idle streams, so that both sides notice a dead connection.
inline constexpr Duration kStreamPing = std::chrono::seconds(15);

// Encoded blocks read for one listing: the store is read on the event loop.
inline constexpr std::size_t kMaxListedBlockBytes = std::size_t{4} << 20;

// Writes signed by this node that wait for their turn: one is in the mesh at a time.
inline constexpr std::size_t kMaxAuthorQueue = 64;
// A write is signed anew, a few blocks later, after another part of this node used its sequence.
inline constexpr int kMaxAuthorAttempts = 40;
inline constexpr Duration kAuthorRetry = std::chrono::milliseconds(50);

// A mesh that has had no final block for this many heartbeats has a problem.
inline constexpr int kStalledHeartbeats = 3;

}  // namespace hm::http_api
