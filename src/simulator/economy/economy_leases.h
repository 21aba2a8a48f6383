// SPDX-License-Identifier: Apache-2.0
// The open leases by what can be done with them, for drawing one at random. Kept in step with the
// ledger's writes.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "core/ledger/ledger.h"
#include "simulator/random.h"

namespace hm::simulator {

enum class LeaseGroup : std::uint8_t { Requested, Running };

class OpenLeases {
 public:
  void follow(const ledger::Ledger& ledger, const ledger::BlockOutcome& outcome);

  // Any of the group.
  std::optional<ledger::LeaseId> any(LeaseGroup group, SimRandom& random) const;
  // One of the group that was not taken since the last block, so that each is asked for once.
  std::optional<ledger::LeaseId> take(LeaseGroup group, SimRandom& random);

 private:
  struct Place {
    LeaseGroup group;
    std::size_t index = 0;
  };
  struct List {
    std::vector<ledger::LeaseId> ids;
    std::size_t fresh = 0;  // the first so many were not taken
  };
  List& of(LeaseGroup group) { return lists_[static_cast<std::size_t>(group)]; }
  void add(LeaseGroup group, const ledger::LeaseId& id);
  void remove(const ledger::LeaseId& id);
  void swap(List& list, std::size_t a, std::size_t b);

  std::array<List, 2> lists_;
  std::map<ledger::LeaseId, Place> places_;
};

}  // namespace hm::simulator
