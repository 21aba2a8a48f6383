// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy_leases.h"

#include <algorithm>
#include <utility>

namespace hm::simulator {

void OpenLeases::follow(const ledger::Ledger& ledger, const ledger::BlockOutcome& outcome) {
  for (const ledger::StateWrite& write : outcome.writes) {
    if (write.key[0] != static_cast<std::uint8_t>(ledger::Table::Lease)) continue;
    ledger::LeaseId id;
    std::copy(write.key.begin() + 1, write.key.end(), id.bytes.begin());
    const ledger::LeaseRecord* lease = ledger.lease(id);
    remove(id);
    if (lease == nullptr || !lease->is_open()) continue;
    add(lease->state == ledger::LeaseState::Requested ? LeaseGroup::Requested : LeaseGroup::Running,
        id);
  }
  for (List& list : lists_) list.fresh = list.ids.size();
}

std::optional<ledger::LeaseId> OpenLeases::any(LeaseGroup group, SimRandom& random) const {
  const List& list = lists_[static_cast<std::size_t>(group)];
  if (list.ids.empty()) return std::nullopt;
  return list.ids[random.below(list.ids.size())];
}

std::optional<ledger::LeaseId> OpenLeases::take(LeaseGroup group, SimRandom& random) {
  List& list = of(group);
  if (list.fresh == 0) return std::nullopt;
  const std::size_t index = random.below(list.fresh);
  const ledger::LeaseId id = list.ids[index];
  swap(list, index, --list.fresh);
  return id;
}

void OpenLeases::add(LeaseGroup group, const ledger::LeaseId& id) {
  List& list = of(group);
  places_[id] = {group, list.ids.size()};
  list.ids.push_back(id);
}

void OpenLeases::remove(const ledger::LeaseId& id) {
  const auto found = places_.find(id);
  if (found == places_.end()) return;
  List& list = of(found->second.group);
  swap(list, found->second.index, list.ids.size() - 1);
  list.ids.pop_back();
  places_.erase(found);
}

void OpenLeases::swap(List& list, std::size_t a, std::size_t b) {
  std::swap(list.ids[a], list.ids[b]);
  places_.at(list.ids[a]).index = a;
  places_.at(list.ids[b]).index = b;
}

}  // namespace hm::simulator
