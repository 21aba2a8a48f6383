// SPDX-License-Identifier: Apache-2.0
// What proves to the ledger that a validator broke the voting rules: consensus evidence, as BCS.
#pragma once

#include "core/consensus/types.h"
#include "core/ledger/fault.h"

namespace hm::node {

// A ledger::FaultJudge.
std::optional<ledger::ProvenFault> judge_fault(
    ByteView evidence, const identity::ChainId& chain,
    const std::map<identity::NodeId, ledger::ValidatorRecord>& validators);

}  // namespace hm::node
