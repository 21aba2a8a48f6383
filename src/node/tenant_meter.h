// SPDX-License-Identifier: Apache-2.0
// The tenant's half of readings: this node measures the leases of its owner on other owners' nodes
// and signs its own totals when the provider's node asks.
//
// Promises: it signs what it measured itself, once for each interval, and for nobody but the node
// on which the lease lies. What it measures is the time for which that node was connected. It never
// signs a total below what the ledger has, so that a restart takes nothing back.
#pragma once

#include <map>
#include <optional>

#include "node/delivered_time.h"
#include "node/meter_message.h"
#include "node/node.h"

namespace hm::node {

class TenantMeter {
 public:
  explicit TenantMeter(Node& node) : node_(node) {}

  // `held_from`: since when this process can speak for the lease. Requires: it is not ended.
  void handle_lease(const ledger::LeaseId& id, const ledger::LeaseRecord& lease,
                    UnixMillis held_from);
  void forget(const ledger::LeaseId& id) { watched_.erase(id); }
  void handle_asset(const assets::AssetRecord& asset, UnixMillis block_time);
  void handle_peer_up(const identity::NodeId& peer);
  void handle_peer_down(const identity::NodeId& peer);

  // The answer; none if the peer has no right to one, or it is too early, too late or repeated
  // with other words.
  std::optional<MeterReply> handle_request(const identity::NodeId& from,
                                           const MeterRequest& request);

  std::uint64_t signed_count() const { return signed_; }

 private:
  struct Watched {
    std::uint32_t placement = 0;
    identity::NodeId provider;
    crypto::Digest asset;
    DeliveredTime time;
    std::optional<MeterRequest> answered;
    MeterReply answer;
  };

  bool may_ask(const identity::NodeId& from, const MeterRequest& request,
               const ledger::LeaseRecord& lease) const;

  Node& node_;
  std::map<ledger::LeaseId, Watched> watched_;
  std::uint64_t signed_ = 0;
};

}  // namespace hm::node
