// SPDX-License-Identifier: Apache-2.0
// Which machine a run may be put on, planned by this node for its owner: the best by the plan for
// its processors (core/scheduling) that has the memory and the storage too, as the leases to ask
// for. The same market as POST /leases/plan, so that people and nodes plan alike.
//
// It opens nothing. The ledger judges each lease again when it is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/containers/run_spec.h"
#include "core/ledger/lending_actions.h"
#include "core/scheduling/filter.h"
#include "foundation/base/result.h"
#include "node/lease_market.h"

namespace hm::hosting {

// A lease of one kind of asset, all on the node of the run.
struct NeededLease {
  assets::AssetKind kind = assets::AssetKind::Cpu;
  std::uint64_t quantity = 0;  // millicores, or bytes
  privacy::NetworkClass network = privacy::NetworkClass::None;
  bool operator==(const NeededLease&) const = default;
};

// The leases that cover the spec's limits, the processors first. Only they carry the network class.
std::vector<NeededLease> needed_leases(const containers::RunSpec& spec);

// What says on whose processors something may run. What follows from the run itself (kind,
// quantity, duration, network, choices) is not said twice.
Result<scheduling::Filter> parse_place(std::string_view text);

struct RunDemand {
  const containers::RunSpec& spec;
  scheduling::Filter place;  // as parse_place() gives it
  std::uint64_t duration_ms = 0;
  std::optional<caesar::Amount> highest_price;  // of all leases, for an hour
  std::set<identity::OwnerId> left_out;         // nothing of theirs
  UnixMillis now;                               // as of which grants are judged
};

struct RunPlan {
  identity::NodeId node;
  identity::OwnerId owner;
  std::vector<ledger::OpenLease> leases;  // none: it is this node, which needs none
  caesar::Amount escrow;                  // of all of them
};

// NoCapacity: there is none; the detail is the first reason.
Result<RunPlan> plan_run(const node::Node& node, const RunDemand& demand,
                         const node::RoundTrips& round_trips);

}  // namespace hm::hosting
