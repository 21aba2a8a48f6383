// SPDX-License-Identifier: Apache-2.0
// The end of an epoch: new CAES by the genesis schedule into the pools, and the validators' pool
// shared out by stake. docs/protocols/lending.md, "CAES".
#pragma once

#include "core/ledger/layer.h"
#include "core/ledger/rules.h"

namespace hm::ledger {

// True iff the block of this height ends an epoch; genesis ends none.
bool ends_epoch(const caesar::Economy& economy, std::uint64_t height);

// `validators`: those of the state below the layer.
void end_epoch(Layer& layer, const Frame& frame,
               const std::map<identity::NodeId, ValidatorRecord>& validators);

}  // namespace hm::ledger
