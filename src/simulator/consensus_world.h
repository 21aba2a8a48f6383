// SPDX-License-Identifier: Apache-2.0
// A mesh of core/consensus replicas with the smallest application there is: an operation is a
// number, a payload a list of numbers, and the state the list of numbers in final order. Cheap, so
// that very many seeds can be run.
#pragma once

#include <memory>
#include <vector>

#include "core/consensus/replica.h"
#include "simulator/world.h"

namespace hm::simulator {

std::unique_ptr<World> make_consensus_world(const Plan& plan);

// What the members of one mesh have in common.
struct ConsensusSetup {
  consensus::ChainDomain domain;
  consensus::ValidatorSet validators;
  crypto::Digest genesis_hash;
  crypto::Digest genesis_root;
};

}  // namespace hm::simulator
