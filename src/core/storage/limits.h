// SPDX-License-Identifier: Apache-2.0
// Every bound of segments, stripes and manifests, with its reason.
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

// A shard is what a node stores, proves and sends as one: above it, one that is lost or slow costs
// too much; below, each costs a lease's entry, a root and a request.
inline constexpr std::size_t kMaxShardBytes = std::size_t{4} << 20;
inline constexpr std::size_t kDefaultShardBytes = std::size_t{1} << 20;

// What a disk and a file system take for a shard in any case.
inline constexpr std::size_t kMinShardBytes = 4096;

// The largest layout holds 64 shards of the default size.
inline constexpr std::size_t kMaxStripeBytes = std::size_t{64} << 20;

// A stripe must hold the longest segments whose length no profile chooses (kCompressedSegment).
inline constexpr std::size_t kMinStripeCapacity = std::size_t{2} << 20;

// Stripes in memory while reading: one that is read, others that arrive meanwhile.
inline constexpr std::size_t kStripesRead = 3;

// Objects up to here get copies: the shards of a code would be mostly padding.
inline constexpr std::uint64_t kCopiedObject = std::uint64_t{16} << 10;
// Objects up to here get few shards: more of them would be small, and cost as much each.
inline constexpr std::uint64_t kSmallObject = std::uint64_t{1} << 20;

// Of one manifest, some 90 bytes each in its encoding: 64 GiB under the standard profile, 1 TiB
// under that for backups.
inline constexpr std::size_t kMaxSegments = std::size_t{1} << 20;

// Each segment may lie in a stripe of its own, where other objects brought them.
inline constexpr std::size_t kMaxManifestShards = std::size_t{1} << 20;

// The index of a place has 16 bits.
inline constexpr std::size_t kMaxPlaces = std::size_t{1} << 16;

// As many bytes as a path of Linux has at most.
inline constexpr std::size_t kMaxName = 4096;

// S3 allows 2 KiB of metadata of the user; there are a few of ours.
inline constexpr std::size_t kMaxMetadataEntries = 64;
inline constexpr std::size_t kMaxMetadataBytes = 8192;

// kMaxSegments and kMaxManifestShards at their longest encoding stay below.
inline constexpr std::size_t kMaxManifestBytes = std::size_t{160} << 20;

// What is longer is stored as an object of its own, whose manifest is sealed instead. That one is
// far shorter: kMaxManifestBytes in segments of 1 MiB, so that one level is enough.
inline constexpr std::size_t kMaxSealedManifest = kDefaultShardBytes;
inline constexpr std::uint8_t kMaxManifestDepth = 1;

// Of a path to a commitment's root: more entries than the path has room for exist nowhere.
inline constexpr std::size_t kMaxCommitmentPath = 48;

}  // namespace hm::storage
