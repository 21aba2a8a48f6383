// SPDX-License-Identifier: Apache-2.0
// Where in time the readings of a lease lie, as the ledger counts (lease_book.cc, meter()).
#pragma once

#include <cstdint>
#include <optional>

#include "core/ledger/lease.h"
#include "core/ledger/policy.h"

namespace hm::node {

// [begin, end) of block time.
struct ReadingWindow {
  std::uint32_t interval = 0;
  UnixMillis begin;
  UnixMillis end;
  bool operator==(const ReadingWindow&) const = default;
};

// Leases of one's own assets are not.
bool is_metered(const ledger::LeaseRecord& lease);

// The interval as far as it lies before the lease's end; none if it begins there or later.
// Requires: the lease was accepted.
std::optional<ReadingWindow> window_of(const ledger::Policy& policy,
                                       const ledger::LeaseRecord& lease, std::uint32_t interval);

// What is to be read at `now`: the last interval that is over and was not read, if its reading can
// still be in time; or, where a notice runs out, the part of the interval before that.
std::optional<ReadingWindow> due_reading(const ledger::Policy& policy,
                                         const ledger::LeaseRecord& lease, UnixMillis now);

// From when on a provider whose tenant does not sign ends the lease: in the middle of the last
// interval before it would count as dark.
UnixMillis give_up_at(const ledger::Policy& policy, const ledger::LeaseRecord& lease);

}  // namespace hm::node
