// SPDX-License-Identifier: Apache-2.0
// What containers a node has left behind that does not run any more, found and taken away: for
// `hypermesh doctor`. A node that runs does this for itself.
#pragma once

#include <string>
#include <vector>

#include "apps/hypermesh/folders.h"
#include "foundation/base/result.h"

namespace hm::cli {

// Nodes with a folder here: of DIR if it is a node's or a mesh's, else those of the default places.
std::vector<NodeFolder> node_folders(const std::string& dir);

struct NodeLeftovers {
  NodeFolder folder;
  bool is_running = false;         // then nothing was looked at
  std::vector<std::string> found;  // in words, each with a name
  std::vector<std::string>
      running;  // containers, which wait for their node; detached ones if fixed
};

enum class Care : std::uint8_t {
  Look,
  Fix,         // take away what no container accounts for, and attached containers
  FixAndStop,  // detached ones too
};

// Needs root where containers ran as root.
Result<NodeLeftovers> care_for(const NodeFolder& folder, Care care);

}  // namespace hm::cli
