// SPDX-License-Identifier: Apache-2.0
// Leases by what they are looked up by: when the clock next changes them, and who is concerned.
// Derived from the leases; not part of the state.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/ledger/lease.h"
#include "core/ledger/policy.h"

namespace hm::ledger {

class LeaseIndex {
 public:
  void add(const Policy& policy, const LeaseId& id, const LeaseRecord& lease);
  // `lease` as it was when it was added.
  void remove(const Policy& policy, const LeaseId& id, const LeaseRecord& lease);

  // Those that the clock changes at `now`, the longest due first, at most `count`.
  std::vector<LeaseId> due(UnixMillis now, std::size_t count) const;
  // When the next one is due; empty without leases.
  std::optional<UnixMillis> next_due() const;

  using Ids = std::set<LeaseId>;
  const Ids& of_tenant(const identity::OwnerId& owner) const;
  // As it now lies: past placements do not count.
  const Ids& of_provider(const identity::OwnerId& owner) const;
  const Ids& on_node(const identity::NodeId& node) const;

 private:
  std::set<std::pair<UnixMillis, LeaseId>> due_;
  std::map<identity::OwnerId, Ids> by_tenant_;
  std::map<identity::OwnerId, Ids> by_provider_;
  std::map<identity::NodeId, Ids> by_node_;
};

}  // namespace hm::ledger
