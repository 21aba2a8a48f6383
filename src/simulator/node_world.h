// SPDX-License-Identifier: Apache-2.0
// A mesh of whole nodes (src/node: consensus, ledger, pool, store) with clients that sign real
// operations: registering, updating and retiring assets, and moving CAES.
#pragma once

#include <memory>

#include "simulator/world.h"

namespace hm::simulator {

std::unique_ptr<World> make_node_world(const Plan& plan);

}  // namespace hm::simulator
