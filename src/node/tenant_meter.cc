// SPDX-License-Identifier: Apache-2.0
#include "node/tenant_meter.h"

#include <algorithm>
#include <utility>

#include "node/limits.h"
#include "node/reading_window.h"

namespace hm::node {

using ledger::LeaseState;

void TenantMeter::handle_lease(const ledger::LeaseId& id, const ledger::LeaseRecord& lease,
                               UnixMillis held_from) {
  const auto placement = static_cast<std::uint32_t>(lease.past.size());
  const auto known = watched_.find(id);
  if (known != watched_.end() && known->second.placement == placement) return;
  if (known != watched_.end()) watched_.erase(known);
  if (lease.state == LeaseState::Requested || !is_metered(lease)) return;
  const MonoTime now = node_.ports().clock.now();
  DeliveredTime time(held_from, now);
  if (!node_.peers().contains(lease.placement.node)) time.lost(Away::Peer, now);
  const crypto::Digest& hash = lease.placement.choice.asset.hash;
  const assets::AssetRecord* asset = node_.ledger().asset(hash);
  if (asset != nullptr && asset->terms.state != assets::AssetState::Available) {
    time.asset_lost(held_from);
  }
  watched_.emplace(id, Watched{.placement = placement,
                               .provider = lease.placement.node,
                               .asset = hash,
                               .time = time,
                               .usage_bound = {},
                               .answered = {},
                               .answer = {}});
}

void TenantMeter::handle_asset(const assets::AssetRecord& asset, UnixMillis block_time) {
  for (auto& [id, watched] : watched_) {
    if (watched.asset != asset.id.hash) continue;
    if (asset.terms.state == assets::AssetState::Available) {
      watched.time.asset_back(block_time);
    } else {
      watched.time.asset_lost(block_time);
    }
  }
}

void TenantMeter::set_delivery(const ledger::LeaseId& id, Delivered delivered) {
  const auto found = watched_.find(id);
  if (found == watched_.end()) return;
  found->second.time.set_service(delivered, node_.ports().clock.now());
}

void TenantMeter::set_usage_bound(const ledger::LeaseId& id, std::uint64_t most) {
  const auto found = watched_.find(id);
  if (found != watched_.end()) found->second.usage_bound = most;
}

void TenantMeter::handle_peer_up(const identity::NodeId& peer) {
  for (auto& [id, watched] : watched_) {
    if (watched.provider == peer) watched.time.back(Away::Peer, node_.ports().clock.now());
  }
}

void TenantMeter::handle_peer_down(const identity::NodeId& peer) {
  for (auto& [id, watched] : watched_) {
    if (watched.provider == peer) watched.time.lost(Away::Peer, node_.ports().clock.now());
  }
}

// The tenant is this node's owner, the peer is where the lease lies, and the reading is the next.
bool TenantMeter::may_ask(const identity::NodeId& from, const MeterRequest& request,
                          const ledger::LeaseRecord& lease) const {
  const ledger::NodeRecord* self = node_.ledger().node(node_.id());
  if (self == nullptr || self->binding.owner != lease.tenant) return false;
  if (lease.placement.node != from || !is_metered(lease)) return false;
  if (lease.state != LeaseState::Active && lease.state != LeaseState::Draining) return false;
  if (request.placement != lease.past.size()) return false;
  if (request.interval < lease.placement.next_interval) return false;
  const ledger::Policy& policy = node_.ledger().policy();
  const auto window = window_of(policy, lease, request.interval);
  if (!window || request.up_to <= window->begin || request.up_to > window->end) return false;
  const std::uint64_t now = node_.ports().clock.wall().value;
  return request.up_to.value <= now + kClockSlackMillis &&
         now <= request.up_to.value + policy.meter_interval_ms + kClockSlackMillis;
}

std::uint64_t TenantMeter::used_by(const Watched& watched, const ledger::LeaseRecord& lease,
                                   std::uint64_t delivered_ms, std::uint64_t claimed) const {
  std::uint64_t limit = ledger::used_limit(node_.ledger().policy(), lease.quantity, delivered_ms);
  if (watched.usage_bound) limit = std::min(limit, *watched.usage_bound);
  return std::max(lease.placement.tenant_used, std::min(claimed, limit));
}

std::optional<MeterReply> TenantMeter::handle_request(const identity::NodeId& from,
                                                      const MeterRequest& request) {
  const ledger::LeaseRecord* lease = node_.ledger().lease(request.lease);
  const auto watched = watched_.find(request.lease);
  if (lease == nullptr || watched == watched_.end() || !may_ask(from, request, *lease)) {
    return std::nullopt;
  }
  Watched& mine = watched->second;
  if (mine.answered && mine.answered->interval >= request.interval) {
    // Asked again because the answer was lost.
    if (*mine.answered != request) return std::nullopt;
    return mine.answer;
  }
  const crypto::Digest theirs =
      meter_statement(node_.chain_id(), request.lease, request.placement, request.interval,
                      request.provider.delivered_ms, request.provider.used);
  if (identity::node_id_of(request.provider.key) != from ||
      !crypto::verify(request.provider.key, theirs.bytes, request.provider.signature)) {
    return std::nullopt;
  }
  const auto window = window_of(node_.ledger().policy(), *lease, request.interval);
  const std::uint64_t total =
      lease->placement.tenant_ms +
      mine.time.take(window->begin, request.up_to, node_.ports().clock.now());
  const std::uint64_t used = used_by(mine, *lease, total, request.provider.used);
  const crypto::Digest statement = meter_statement(
      node_.chain_id(), request.lease, request.placement, request.interval, total, used);
  mine.answered = request;
  mine.answer = {
      .lease = request.lease,
      .placement = request.placement,
      .interval = request.interval,
      .tenant = {total, used, node_.key().public_key(), node_.key().sign(statement.bytes)}};
  ++signed_;
  return mine.answer;
}

}  // namespace hm::node
