// SPDX-License-Identifier: Apache-2.0
// Faults of validators. The ledger knows no votes: what proves that one broke the rules of ordering
// is opaque to it, and a pure function that whoever makes the ledger supplies judges it. All nodes
// of a chain must supply the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/caesar/slashing.h"
#include "core/identity/ids.h"
#include "core/ledger/records.h"
#include "foundation/base/bytes.h"

namespace hm::ledger {

struct ProvenFault {
  identity::NodeId validator;
  caesar::Fault fault = caesar::Fault::DoubleVote;
};

// Empty: the evidence proves nothing. `validators` have the keys and voting weights of genesis.
using FaultJudge =
    std::optional<ProvenFault> (*)(ByteView evidence, const identity::ChainId& chain,
                                   const std::map<identity::NodeId, ValidatorRecord>& validators);

}  // namespace hm::ledger
