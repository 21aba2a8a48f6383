// SPDX-License-Identifier: Apache-2.0
// Lays out the folders of new nodes: keys, genesis, configuration, admin token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/folders.h"
#include "apps/hypermesh/node_config.h"
#include "core/ledger/genesis.h"

namespace hm::cli {

// One node of a mesh to be made.
struct NewNode {
  NodeFolder folder;
  std::string name;
  std::string owner;
  std::uint16_t api_port = 0;
  stoq::Address stoq;
};

// Makes keys, a genesis in which each node is a validator of its own owner, and a configuration for
// every node that names the others as peers and offers `share_percent` of its hardware. The folders
// must not hold a node yet.
Answer<ledger::Genesis> create_mesh(const std::string& chain_name, ledger::Preset preset,
                                    const std::vector<NewNode>& nodes, std::uint32_t share_percent);

// The token with which programs of the same user may write through the API: 64 hex digits, 0600.
Outcome create_admin_token(const NodeFolder& folder);

}  // namespace hm::cli
