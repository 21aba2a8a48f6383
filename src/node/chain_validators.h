// SPDX-License-Identifier: Apache-2.0
// What consensus needs to know of a ledger: its validators, and the hash of the block at height 0.
#pragma once

#include "core/consensus/validator_set.h"
#include "core/ledger/ledger.h"

namespace hm::node {

// The chain id, as a hash.
crypto::Digest genesis_hash(const identity::ChainId& chain);

// Requires: the ledger comes from a genesis that validate() passed.
consensus::ValidatorSet validators_of(
    const identity::ChainId& chain,
    const std::map<identity::NodeId, ledger::ValidatorRecord>& validators);
consensus::ValidatorSet validators_of(const ledger::Ledger& ledger);

}  // namespace hm::node
