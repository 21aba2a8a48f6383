// SPDX-License-Identifier: Apache-2.0
// The tenant's half of readings: this node measures the leases of its owner on other owners' nodes
// and signs its own totals when the provider's node asks.
//
// Promises: it signs what it measured itself, once for each interval, and for nobody but the node
// on which the lease lies. What it measures is the time for which that node was connected and, if
// it is told, for which the way to what runs there stood. How much was used it cannot measure: it
// signs the provider's word as far as its own time and what it was told admit it. It never signs a
// total below what the ledger has, so that a restart takes nothing back.
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
  // The stream to what runs under the lease; up until it is said to be down.
  void set_delivery(const ledger::LeaseId& id, Delivered delivered);
  // The most that may have been used since the lease was accepted where it lies.
  void set_usage_bound(const ledger::LeaseId& id, std::uint64_t most);
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
    std::optional<std::uint64_t> usage_bound;
    std::optional<MeterRequest> answered;
    MeterReply answer;
  };

  // What this side says was used, by the provider's word.
  std::uint64_t used_by(const Watched& watched, const ledger::LeaseRecord& lease,
                        std::uint64_t delivered_ms, std::uint64_t claimed) const;
  bool may_ask(const identity::NodeId& from, const MeterRequest& request,
               const ledger::LeaseRecord& lease) const;

  Node& node_;
  std::map<ledger::LeaseId, Watched> watched_;
  std::uint64_t signed_ = 0;
};

}  // namespace hm::node
