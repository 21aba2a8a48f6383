// SPDX-License-Identifier: Apache-2.0
// Every asset that can be asked for a lease, with what is known here about it: the candidates of
// core/scheduling, for whoever plans on this node. Like the view that it is made with, it reads one
// state: not valid after the ledger's next block.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "core/scheduling/candidate.h"
#include "core/scheduling/filter.h"
#include "node/lending_view.h"
#include "node/node.h"

namespace hm::node {

// Microseconds there and back.
using RoundTrips = std::map<identity::NodeId, std::uint64_t>;
// What the transport measured, and that it is not far to this node itself.
RoundTrips round_trips_from(const identity::NodeId& self,
                            const std::map<identity::NodeId, Duration>& measured);

class LeaseMarket {
 public:
  // `view` says who asks, and outlives this. Grants are looked at for assets of the filter's kind
  // and owners only.
  LeaseMarket(const Node& node, const scheduling::Filter& filter, LendingView& view,
              const RoundTrips& round_trips, UnixMillis now);

  // False: there are more grants than can be weighed at once (kMaxPlanViews).
  bool is_whole() const { return is_whole_; }
  std::span<const scheduling::Candidate> candidates() const { return candidates_; }

 private:
  std::vector<scheduling::Candidate> candidates_;
  bool is_whole_ = false;
};

}  // namespace hm::node
