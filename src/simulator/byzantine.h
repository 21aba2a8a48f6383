// SPDX-License-Identifier: Apache-2.0
// What Byzantine members do to their own messages on the way out. They hold their own key and
// nobody else's, so everything they say is signed well or not at all.
#pragma once

#include "core/consensus/messages.h"
#include "simulator/consensus_world.h"

namespace hm::simulator {

// Requires: treason is not Twins, which needs a second process instead.
Tamper make_tamper(Treason treason, World& world, std::size_t who, const ConsensusSetup& setup,
                   consensus::SigningKey key);

}  // namespace hm::simulator
