// SPDX-License-Identifier: Apache-2.0
// Bounds on what the ledger reads and keeps.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::ledger {

// A registration with a full descriptor (8 KiB) fits with its frame; everything else is below 1
// KiB.
inline constexpr std::size_t kMaxOperationBytes = 12 * 1024;

// One block's operations. At 45 µs of checking each, a full block keeps one core busy for under
// 0.2 s, within a view; the bytes fit one proposal message.
inline constexpr std::size_t kMaxPayloadOperations = 4096;
inline constexpr std::size_t kMaxPayloadBytes = 1024 * 1024;

// A genesis document is read from a file that a person wrote.
inline constexpr std::size_t kMaxGenesisOwners = 10'000;
inline constexpr std::size_t kMaxGenesisNodes = 10'000;
// As many as one consensus group takes (consensus/limits.h).
inline constexpr std::size_t kMaxGenesisValidators = 512;
inline constexpr std::size_t kMaxGenesisBytes = 64 * 1024 * 1024;

// The last ids of each actor's operations, by which a repeated operation is told from another one
// with a used sequence. More than a client keeps outstanding for one actor.
inline constexpr std::size_t kRecentOperations = 16;

}  // namespace hm::ledger
