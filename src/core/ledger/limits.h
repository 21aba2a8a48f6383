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

// Where a lease goes if its first asset fails it.
inline constexpr std::size_t kMaxLeaseChoices = 8;
// The list of an asset's leases is one row, rewritten with each of them.
inline constexpr std::size_t kMaxLeasesPerAsset = 128;
// Ended ones count until they are forgotten.
inline constexpr std::size_t kMaxLeasesPerTenant = 16'384;
// Leases whose time has come that one block takes care of; what is left, the next does.
inline constexpr std::size_t kMaxDueLeasesPerBlock = 1024;
// Amounts of one owner that are unbonding at one time.
inline constexpr std::size_t kMaxUnbondings = 16;

// Two signed votes take less than half of it.
inline constexpr std::size_t kMaxEvidenceBytes = 1024;

// Results in one disagreement: the fewest of which one can be outvoted, and as many signatures as
// an operation may cost.
inline constexpr std::size_t kMinResults = 3;
inline constexpr std::size_t kMaxResults = 16;

// The last ids of each actor's operations, by which a repeated operation is told from another one
// with a used sequence. More than a client keeps outstanding for one actor.
inline constexpr std::size_t kRecentOperations = 16;

}  // namespace hm::ledger
