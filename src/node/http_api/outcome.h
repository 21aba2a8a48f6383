// SPDX-License-Identifier: Apache-2.0
// How far one submitted operation got when its answer was due.
#pragma once

#include <variant>

#include "node/node.h"

namespace hm::http_api {

// Admitted: in the pool, not final yet. FinalReceipt: in a block, applied or refused there.
using OperationOutcome =
    std::variant<node::Admitted, node::FinalReceipt, ledger::Refused, node::Busy, node::Halted>;

}  // namespace hm::http_api
