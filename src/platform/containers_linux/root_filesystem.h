// SPDX-License-Identifier: Apache-2.0
// A container's files: the image's layers below a writable layer of limited size, and volumes that
// outlive the container. The kernel answers ENOSPC at the limit.
//
// Everything is mounted at or below one folder of the container and never outside, so that what a
// crash leaves behind is found and swept by unmount_below(). Every folder above it must be
// searchable by others (mode 0711): the OCI runtime enters them as an id of the user namespace.
// Layers are taken as they are; their owners must be shifted by uid_shift already.
//
// Calls block on the disk; the tmpfs case takes no program and no disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/containers/runtime_config.h"
#include "foundation/base/result.h"

namespace hm::containers_linux {

struct RootOrder {
  std::string folder;               // made if it is missing; the writable layer is mounted on it
  std::vector<std::string> layers;  // topmost first
  std::uint64_t disk_bytes = 0;     // 0: in memory, at most memory_bytes
  std::uint64_t memory_bytes = 0;
  std::uint32_t uid_shift = 0;
};

// The path of the container's root: <folder>/root. What is mounted already stays. A writable layer
// on disk (<folder>.img) is found again with what was in it, one in memory is empty after a reboot.
Result<std::string> mount_root(const RootOrder& order);

struct VolumeOrder {
  std::string file;    // <volumes>/<owner label>/<name>, made with its folders if missing
  std::string folder;  // where to mount it, below the container's folder
  std::uint64_t bytes = 0;
  std::uint32_t uid_shift = 0;
};

// The folder to show in the container; it belongs to the container's root. Mounted by several
// containers it is one file system. Asked for with more bytes it grows, unless it is in use; with
// fewer: FailedPrecondition.
Result<std::string> mount_volume(const VolumeOrder& order);

// Mount points at or below `folder`, innermost first.
std::vector<std::string> mounts_below(std::string_view folder);
// Unmounts them all; what is in use the kernel lets go by itself when it no longer is. Fine if
// there are none.
Result<void> unmount_below(std::string_view folder);
// Unmounts, then deletes the folder with everything in it, and its image.
Result<void> remove_root(const std::string& folder);

// Bytes used of the writable layer, by the file system that holds it.
Result<std::uint64_t> used_bytes(const std::string& folder);

// The whole disks on which files or folders finally lie, each once, for I/O limits: a partition
// counts as its disk, a loop device as the disk of its file. Nothing for what has none (tmpfs).
std::vector<containers::DeviceNumber> disks_under(const std::vector<std::string>& paths);

// Whether loop devices and mkfs.ext4 are there; the error says what is missing.
Result<void> can_limit_disk();

}  // namespace hm::containers_linux
