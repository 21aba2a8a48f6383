// SPDX-License-Identifier: Apache-2.0
// Everything that the ledger keeps twice, counted anew from where it comes from: what is in use of
// each asset and under each grant from the leases, the counters of owners from the rows they count,
// the shares of a pool from its delegators, the supply from every amount. Reads tables only, so
// that a test can hand it a copy with one thing wrong.
#pragma once

#include <optional>

#include "core/ledger/tables.h"
#include "simulator/checker.h"

namespace hm::simulator {

// The first thing that is wrong. Checks: "conservation", "over_commit", "asset_use", "grant_use",
// "owner_counter", "stake", "unbonding", "lease".
std::optional<Violation> audit(const ledger::Tables& tables);

}  // namespace hm::simulator
