// SPDX-License-Identifier: Apache-2.0
// The regular files below a folder, by name. Links and special files are left out and named: what a
// link leads to is stored once, where it is, or is not below the folder at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/hypermesh/failure.h"

namespace hm::cli {

struct FoundFile {
  std::string path;
  std::string name;  // of the object
  std::uint64_t size = 0;
};

struct FolderWalk {
  std::vector<FoundFile> files;      // by name
  std::vector<std::string> skipped;  // paths of what is neither file nor folder
  std::vector<Failure> failed;       // what cannot be read, each by its path
};

// Names are `prefix`, which ends with '/', and the path below the folder.
FolderWalk walk_folder(const std::string& folder, const std::string& prefix);

}  // namespace hm::cli
