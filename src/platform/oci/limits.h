// SPDX-License-Identifier: Apache-2.0
// Every bound of the image store and of the registry client, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hm::oci {

// Of one unpacked layer, counted as its tar stream and as what it takes on the disk. The largest
// layers in use (CUDA with a framework) are near 10 GiB.
inline constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{32} << 30;
inline constexpr std::uint64_t kMaxImageBytes = std::uint64_t{64} << 30;  // all its layers
inline constexpr std::uint64_t kMaxLayerEntries = 1'000'000;  // each takes an inode for good
inline constexpr std::uint64_t kMaxImageEntries = 2'000'000;
// What one entry takes beside its content: an inode, its name, a whole block for a small rest.
inline constexpr std::uint64_t kEntryBytes = 4096;
inline constexpr std::size_t kMaxEntryPath = 4095;  // what the kernel takes as one path
inline constexpr std::size_t kMaxEntryName = 255;   // ext4, xfs, btrfs
// Folders in folders. Removing a tree holds one open file for each level.
inline constexpr std::size_t kMaxEntryDepth = 100;
inline constexpr std::uint64_t kMaxFolderNameBytes = std::uint64_t{64} << 20;  // kept in memory
inline constexpr std::size_t kMaxAttributeBytes = 64 * 1024;                   // the kernel's own
inline constexpr std::size_t kMaxAttributes = 64;                              // of one entry
// Identities that a container's user namespace has; others could not exist in it.
inline constexpr std::uint32_t kMappedIds = 65'536;

inline constexpr std::size_t kCopyBytes = 256 * 1024;  // read, hashed and written at a time

inline constexpr std::size_t kMaxNames = 4096;
inline constexpr std::size_t kMaxNamesFileBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxIndexNesting = 4;  // indexes in indexes; usual layouts have 2
inline constexpr std::size_t kMaxArchiveMembers = 16'384;
// Blobs that nothing needs and partial blobs that nobody writes to are kept so long: the image or
// the rest may still be on its way.
inline constexpr std::chrono::hours kKeptUnneeded{24};
// Another writer of the same blob is waited for so long.
inline constexpr std::chrono::seconds kWriterWait{60};
inline constexpr std::chrono::milliseconds kWriterPoll{50};

// Of registries.
inline constexpr std::size_t kMaxTokenAnswerBytes = 256 * 1024;
inline constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
inline constexpr std::size_t kMaxErrorAnswerBytes = 64 * 1024;  // read for its message, then cut
inline constexpr int kMaxRedirects = 5;
inline constexpr int kMaxStalledTries = 5;  // of one blob, without a byte more than the last
inline constexpr std::chrono::seconds kConnectTime{30};
inline constexpr std::chrono::seconds kAnswerTime{60};  // to the end of an answer's headers
inline constexpr std::chrono::seconds kIdleTime{60};    // without a byte either way
inline constexpr std::chrono::milliseconds kRetryPause{500};

}  // namespace hm::oci
