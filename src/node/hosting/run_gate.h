// SPDX-License-Identifier: Apache-2.0
// Whether a node may run what another node asks it to: the asking node's owner must hold leases on
// this node that cover the limits, and the class of isolation must fit what the grant says about
// who that owner is. The machine's own owner needs none.
#pragma once

#include <optional>

#include "core/identity/ids.h"
#include "foundation/base/error.h"
#include "node/hosting/session_message.h"
#include "node/node.h"

namespace hm::hosting {

// For whom `from` may act: its owner. None: it is not on the ledger.
std::optional<identity::OwnerId> tenant_of(const node::Node& node, const identity::NodeId& from);

// Why not; none: it may. Leases that another run uses are the caller's to refuse.
std::optional<Error> objection(const node::Node& node, const identity::NodeId& from,
                               const StartRun& request);

// The same of leases under which something runs already.
bool are_leases_held(const node::Node& node, const std::vector<ledger::LeaseId>& leases);

// Some of them are not here yet, or only requested: a later block may change that.
bool are_leases_expected(const node::Node& node, const std::vector<ledger::LeaseId>& leases);

}  // namespace hm::hosting
