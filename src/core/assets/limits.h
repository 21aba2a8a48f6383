// SPDX-License-Identifier: Apache-2.0
// Bounds of what one asset may put on every member's ledger.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::assets {

// A CPU's feature list is the largest thing measured (about 120 flags, 1 KiB); these leave room
// for that and keep a record within a few kilobytes of every node's memory.
inline constexpr std::size_t kMaxDescriptorEntries = 64;
inline constexpr std::size_t kMaxDescriptorKey = 48;
inline constexpr std::size_t kMaxDescriptorText = 512;
inline constexpr std::size_t kMaxDescriptorListItems = 256;
inline constexpr std::size_t kMaxDescriptorBytes = 8 * 1024;  // BCS, the whole map

// What is concealed is lent in parts of the whole, so that its size is not told.
inline constexpr std::uint64_t kWholeInBasisPoints = 10'000;
// "bytes", "threads", "bits_per_second".
inline constexpr std::size_t kMaxUnit = 32;

}  // namespace hm::assets
