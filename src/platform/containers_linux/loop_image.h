// SPDX-License-Identifier: Apache-2.0
// A file that is a file system of fixed size: ext4 on a loop device (loop(4)). Holes take no room
// on the host until they are written; what is deleted inside is given back.
//
// One file is never attached to two loop devices, which would destroy it: whoever mounts it again
// gets the device that is there. A device goes by itself with its last mount.
#pragma once

#include <cstdint>
#include <string>

#include "foundation/base/result.h"

namespace hm::containers_linux {

enum class Journal : std::uint8_t {
  None,  // for what is thrown away after a crash
  Kept,
};

// Makes the file, given by an absolute path, complete or not at all. What is there stays, whatever
// its size.
Result<void> make_image(const std::string& file, std::uint64_t bytes, Journal journal);

// Of the file.
Result<std::uint64_t> image_size(const std::string& file);

// Makes an image that is not attached larger. Busy if it is attached.
Result<void> grow_image(const std::string& file, std::uint64_t bytes);

// Mounts it, nosuid and nodev. NoCapacity if there is no loop device left.
Result<void> mount_image(const std::string& file, const std::string& folder);

// Whether loop devices and mkfs.ext4 are there; the error says what is missing.
Result<void> can_mount_images();

}  // namespace hm::containers_linux
