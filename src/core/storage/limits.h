// SPDX-License-Identifier: Apache-2.0
// Every bound of segments, with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::storage {

// The content class is told from this much of the beginning, which one read of a disk brings.
inline constexpr std::size_t kClassHead = 4096;

// A segment is held in memory whole: by the segmenter, to compress it and to seal it.
inline constexpr std::size_t kMaxSegment = std::size_t{4} << 20;

// The hash that decides on a cut covers this many bytes before it (64 shifts of a 64-bit word).
inline constexpr std::size_t kHashWindow = 64;

// By content the shortest segment covers a window, and more: each costs a key and a manifest entry.
inline constexpr std::size_t kMinByContent = 256;

// What does not compress and is rarely edited in its middle: large segments cost the least.
inline constexpr std::size_t kCompressedSegment = std::size_t{1} << 20;

// Images of disks change in place, by clusters of at most 64 KiB (QCOW2's default).
inline constexpr std::size_t kDiskSegment = std::size_t{64} << 10;

// No file system of today holds a larger file; sums of offsets stay far from overflow.
inline constexpr std::uint64_t kMaxMember = std::uint64_t{1} << 60;

// Bytes of a segment on which compression is tried, in two pieces.
inline constexpr std::size_t kCompressionSample = 8 * 1024;

}  // namespace hm::storage
