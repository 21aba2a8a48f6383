// SPDX-License-Identifier: Apache-2.0
// Scratch files in one folder (ports/scratch_file.h). They have names, because some libraries open
// files by name only; the folder belongs to one process at a time.
#pragma once

#include <memory>
#include <string>

#include "foundation/base/result.h"
#include "ports/scratch_file.h"

namespace hm::files {

// What every file system keeps free below scratch files: the ledger must always find room.
inline constexpr std::uint64_t kDiskFloor = std::uint64_t{256} << 20;

// Makes the folder (0700), or empties it of what an earlier process left.
Result<std::unique_ptr<ports::ScratchFiles>> open_scratch_folder(const std::string& path);

}  // namespace hm::files
