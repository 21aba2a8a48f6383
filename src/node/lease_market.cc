// SPDX-License-Identifier: Apache-2.0
#include "node/lease_market.h"

#include <algorithm>
#include <string>
#include <variant>

#include "core/trust/score.h"
#include "node/limits.h"

namespace hm::node {
namespace {

// What the filter names, by id or by name.
template <class Id>
bool is_named(const std::vector<std::variant<Id, std::string>>& refs, const Id& id,
              std::string_view name) {
  return std::ranges::any_of(refs, [&](const auto& ref) {
    const auto* by_id = std::get_if<Id>(&ref);
    return by_id != nullptr ? *by_id == id : std::get<std::string>(ref) == name;
  });
}

}  // namespace

RoundTrips round_trips_from(const identity::NodeId& self,
                            const std::map<identity::NodeId, Duration>& measured) {
  RoundTrips trips{{self, 0}};
  for (const auto& [node, time] : measured) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    trips.try_emplace(node, static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0)));
  }
  return trips;
}

LeaseMarket::LeaseMarket(const Node& node, const scheduling::Filter& filter, LendingView& view,
                         const RoundTrips& round_trips, UnixMillis now) {
  const ledger::Ledger& ledger = node.ledger();
  for (const auto& [hash, asset] : ledger.tables().assets) {
    if (asset.terms.state != assets::AssetState::Available) continue;
    const std::string& owner_name = ledger.owner(asset.owner)->name;
    scheduling::Candidate candidate{.id = asset.id,
                                    .facts = view.facts_of(asset),
                                    .owner_name = owner_name,
                                    .node_name = ledger.node(asset.node)->binding.name,
                                    .grants = {},
                                    .descriptor = &asset.terms.descriptor};
    // The filter has its word before any grant, so that the others' grants are not looked at.
    if (asset.id.kind == filter.kind &&
        (filter.owners.empty() || is_named(filter.owners, asset.owner, owner_name))) {
      candidate.grants = view.grants_for(asset);
    }
    const auto behaviour = ledger.tables().behaviours.find(asset.node);
    candidate.trust = trust::score(
        behaviour != ledger.tables().behaviours.end() ? behaviour->second : trust::Behaviour{},
        now);
    if (const auto time = round_trips.find(asset.node); time != round_trips.end()) {
      candidate.rtt_us = time->second;
    }
    if (asset.node == node.id() || node.peers().contains(asset.node)) {
      candidate.reachability = scheduling::Reachability::Connected;
    }
    candidates_.push_back(candidate);
    if (view.views() > kMaxPlanViews) return;
  }
  is_whole_ = true;
}

}  // namespace hm::node
