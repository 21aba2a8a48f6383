// SPDX-License-Identifier: Apache-2.0
// Every bound of the runtime, with its reason.
#pragma once

#include <chrono>
#include <cstddef>

namespace hm::container_runtime {

// The OCI runtime answers in milliseconds; on a machine that swaps it may take seconds. After this
// long the start has failed.
inline constexpr std::chrono::seconds kStartPatience{60};
// Memory is integrated over samples this far apart: a container pays for what it holds, and a
// sample is a few small reads for each container.
inline constexpr std::chrono::seconds kUsageInterval{5};
// Each is a thread and two buffers.
inline constexpr std::size_t kMaxCopies = 8;
inline constexpr std::size_t kMaxFolderDepth = 100;  // of a copy: each level holds a descriptor
// Processes started by exec in one container at the same time: each has a monitor of its own.
inline constexpr std::size_t kMaxExecs = 64;
// A volume that no container uses: long enough for a weekend and a repair. How often it is looked.
inline constexpr std::chrono::hours kKeepVolume{7 * 24};
inline constexpr std::chrono::hours kVolumeSweepPause{1};
// Kept on one machine for one tenant, each up to the size that was leased once.
inline constexpr std::size_t kMaxVolumesPerTenant = 64;
// Of files in the state folder: a spec is bounded by core/containers/limits.h, a label is the
// caller's and small, an image's configuration has a few kilobytes.
inline constexpr std::size_t kMaxOrderBytes = 4 << 20;
inline constexpr std::size_t kMaxSmallFile = 4096;
// It is a folder's name, a control group's and part of an interface's bookkeeping.
inline constexpr std::size_t kMaxIdBytes = 48;
// It is a folder's name; an owner's id in hex has 64.
inline constexpr std::size_t kMaxTenantBytes = 96;

}  // namespace hm::container_runtime
