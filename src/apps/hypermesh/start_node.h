// SPDX-License-Identifier: Apache-2.0
// Starting one node for real use: shared by `up` and `join`.
#pragma once

#include <string>

#include "apps/hypermesh/context.h"
#include "apps/hypermesh/folders.h"
#include "apps/hypermesh/node_config.h"

namespace hm::cli {

// The name wished, or one made from the host's name.
Answer<std::string> new_node_name(const std::string& wished);

// Where a new node listens: the address wished, or [::1]:9292, on which only this machine reaches
// it.
Answer<stoq::Address> listen_address(const std::string& wished);

// Runs the node's daemon in this process (`foreground`), or starts it and returns when a block is
// final there. A node that runs already is left alone.
Outcome start_node(const Context& context, const NodeFolder& folder, const NodeConfig& config,
                   bool foreground);

}  // namespace hm::cli
