// SPDX-License-Identifier: Apache-2.0
// Every bound of images, runs and their sessions, with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hm::containers {

// Of a run spec. The kernel takes 128 KiB for one argument and 2 MiB for all; a spec travels in one
// frame and is kept for every container, so it is far below.
inline constexpr std::size_t kMaxArguments = 256;
inline constexpr std::size_t kMaxVariables = 256;
inline constexpr std::size_t kMaxTextBytes = 32 * 1024;       // one argument or variable
inline constexpr std::size_t kMaxSpecTextBytes = 128 * 1024;  // all of them together
inline constexpr std::size_t kMaxPathBytes = 1024;
inline constexpr std::size_t kMaxNameBytes = 63;  // it is a host name too (RFC 1123)
inline constexpr std::size_t kMaxVolumes = 16;    // each is a loop device
inline constexpr std::size_t kMaxScratch = 16;

inline constexpr std::uint32_t kMinMillicores = 10;  // the kernel's least quota is 1 ms of 100
inline constexpr std::uint32_t kMaxMillicores = 4'096'000;
inline constexpr std::uint64_t kMinMemory = std::uint64_t{6} << 20;  // runc itself needs some
inline constexpr std::uint64_t kMaxMemory = std::uint64_t{1} << 50;
inline constexpr std::uint64_t kMinDisk = std::uint64_t{4} << 20;  // the least that holds ext4
inline constexpr std::uint64_t kMaxDisk = std::uint64_t{1} << 50;
inline constexpr std::uint32_t kMaxPids = 32'768;

// Of services. A replica is called like its service, with a number of up to ten digits behind.
inline constexpr std::size_t kMaxServiceName = kMaxNameBytes - 11;
inline constexpr std::uint32_t kMaxServiceReplicas = 16;
// A shorter lease would be renewed all the time; each renewal is a few operations.
inline constexpr std::uint64_t kMinServiceLease = 60'000;
inline constexpr std::size_t kMaxServicePlace = 4096;  // a filter's longest text
inline constexpr std::size_t kMaxServiceImage = 1024;  // a registry, repository, tag and digest
// Of checks: a stream each time, so not more often than every second.
inline constexpr std::uint32_t kMinHealthInterval = 1'000;
inline constexpr std::uint32_t kMaxHealthInterval = 3'600'000;
inline constexpr std::uint32_t kMaxHealthRetries = 100;
inline constexpr std::size_t kMaxHealthPath = 1024;
inline constexpr std::size_t kMaxHealthCommand = 4096;

// Of images. A registry has to take manifests of 4 MiB (distribution-spec 1.1), so no document is
// larger; a configuration's history is the largest part of usual ones, some tens of KiB.
inline constexpr std::size_t kMaxImageDocument = std::size_t{4} << 20;
inline constexpr std::size_t kMaxImageDepth = 32;     // of nested JSON; usual ones have 6
inline constexpr std::size_t kMaxLayers = 128;        // the builders in use stop at 127
inline constexpr std::size_t kMaxIndexEntries = 256;  // platforms, and an attestation for each
inline constexpr std::size_t kMaxRepositoryBytes = 255;
inline constexpr std::size_t kMaxTagBytes = 128;  // distribution-spec 1.1
inline constexpr std::size_t kMaxRegistryBytes = 255;
inline constexpr std::size_t kMaxMediaTypeBytes = 255;  // RFC 6838: 127, '/', 127
inline constexpr std::uint64_t kMaxBlobBytes = std::uint64_t{64} << 30;
inline constexpr std::size_t kMaxUrlBytes = 8 * 1024;  // signed redirects have 1 to 2 KiB
inline constexpr std::size_t kMaxTokenBytes = 64 * 1024;
inline constexpr std::size_t kMaxChallengeBytes = 4 * 1024;
inline constexpr std::size_t kMaxChallenges = 8;

}  // namespace hm::containers
