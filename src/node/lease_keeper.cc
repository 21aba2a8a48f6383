// SPDX-License-Identifier: Apache-2.0
#include "node/lease_keeper.h"

#include <algorithm>
#include <utility>

#include "foundation/base/log.h"
#include "node/limits.h"

namespace hm::node {

using assets::AssetState;
using ledger::LeaseEnd;
using ledger::LeaseState;

LeaseKeeper::LeaseKeeper(Node& node, OwnOperations& operations, LeaseKeeperConfig config)
    : node_(node),
      operations_(operations),
      rules_(config.rules),
      remember_(std::move(config.remember)),
      pause_(std::move(config.pause)),
      tenant_(node),
      timer_(node.ports().timers.create([this] { look_at_all(); })) {
  node_.add_observer(*this);
  timer_->arm(node_.ports().clock.now());
}

LeaseKeeper::~LeaseKeeper() {
  *alive_ = false;
  node_.remove_observer(*this);
}

LeaseKeeperCounters LeaseKeeper::counters() const {
  LeaseKeeperCounters counters = counters_;
  counters.readings_signed = tenant_.signed_count();
  return counters;
}

void LeaseKeeper::set_activity(const activity::ActivityVerdict& verdict) {
  const bool came_back = verdict.activity == activity::Activity::Active &&
                         activity_.activity != activity::Activity::Active;
  activity_ = verdict;
  if (came_back) look_at_all();
}

Result<void> LeaseKeeper::pause() {
  if (is_paused()) return {};
  Pause pause;
  // Sharing that is only just being resumed keeps what was in maintenance before.
  if (pause_) {
    pause.kept = pause_->kept;
  } else {
    for (const crypto::Digest& hash : node_.ledger().index().of_node(node_.id())) {
      const assets::AssetRecord* asset = node_.ledger().asset(hash);
      if (asset->terms.state == AssetState::Maintenance) pause.kept.push_back(hash);
    }
  }
  HM_TRY_VOID(remember_(pause));
  pause_ = std::move(pause);
  log::info("leases", "sharing is paused");
  look_at_all();
  return {};
}

Result<void> LeaseKeeper::resume() {
  if (!is_paused()) return {};
  Pause ending = *pause_;
  ending.is_ending = true;
  HM_TRY_VOID(remember_(ending));
  pause_ = std::move(ending);
  log::info("leases", "sharing is resumed");
  keep_assets_in_step();
  return {};
}

void LeaseKeeper::set_usage(const ledger::LeaseId& id, std::uint64_t used_total) {
  look(id, wall());
  const auto found = kept_.find(id);
  if (found != kept_.end()) found->second.used = std::max(found->second.used, used_total);
}

void LeaseKeeper::set_usage_bound(const ledger::LeaseId& id, std::uint64_t most) {
  look(id, wall());
  tenant_.set_usage_bound(id, most);
}

void LeaseKeeper::set_delivery(const ledger::LeaseId& id, Delivered delivered) {
  look(id, wall());
  tenant_.set_delivery(id, delivered);
  const auto found = kept_.find(id);
  if (found == kept_.end()) return;
  found->second.delivered = delivered;
  if (found->second.time) found->second.time->set_service(delivered, node_.ports().clock.now());
}

// While paused the node's assets are in maintenance; afterwards those that were not before are set
// back.
void LeaseKeeper::keep_assets_in_step() {
  if (!pause_ || node_.halt_reason()) return;
  bool is_done = true;
  for (const crypto::Digest& hash : node_.ledger().index().of_node(node_.id())) {
    const assets::AssetRecord* asset = node_.ledger().asset(hash);
    const AssetState wanted = pause_->is_ending ? AssetState::Available : AssetState::Maintenance;
    const AssetState other = pause_->is_ending ? AssetState::Maintenance : AssetState::Available;
    if (asset == nullptr || asset->terms.state != other) continue;
    if (std::ranges::find(pause_->kept, hash) != pause_->kept.end()) continue;
    is_done = false;
    set_state(*asset, wanted);
  }
  if (!is_done || !pause_->is_ending) return;
  if (auto forgotten = remember_(std::nullopt); !forgotten) {
    log::warning("leases", forgotten.error().message, {{"why", forgotten.error().detail}});
    return;
  }
  pause_.reset();
}

void LeaseKeeper::set_state(const assets::AssetRecord& asset, AssetState state) {
  const crypto::Digest hash = asset.id.hash;
  if (!assets_under_way_.insert(hash).second) return;
  assets::AssetTerms terms = asset.terms;
  terms.state = state;
  operations_.submit(ledger::UpdateAsset{asset.id, asset.version, std::move(terms)},
                     [this, alive = alive_, hash](const auto& refused) {
                       if (!*alive) return;
                       assets_under_way_.erase(hash);
                       // Somebody else changed it meanwhile: the next look sees how.
                       if (refused) {
                         log::debug("leases", "an asset was not updated",
                                    {{"why", ledger::explain(*refused)}});
                       }
                     });
}

void LeaseKeeper::on_final(const FinalEvent& event) {
  const UnixMillis time(event.block.header.time_ms);
  // A block that comes late, after a start or a partition, says nothing about the time since.
  const bool is_fresh = wall().value <= time.value + kClockSlackMillis;
  for (const ledger::LeaseChange& change : event.outcome.lease_changes) {
    look(change.lease, is_fresh ? time : wall());
  }
  for (const ledger::AssetChange& change : event.outcome.changes) {
    const assets::AssetRecord* asset = node_.ledger().asset(change.id.hash);
    if (asset != nullptr) handle_asset(*asset, time);
  }
  if (pause_) keep_assets_in_step();
  if (!event.outcome.lease_changes.empty()) arm();
}

void LeaseKeeper::handle_asset(const assets::AssetRecord& asset, UnixMillis block_time) {
  tenant_.handle_asset(asset, block_time);
  if (asset.node != node_.id()) return;
  for (auto& [id, kept] : kept_) {
    const ledger::LeaseRecord* lease = node_.ledger().lease(id);
    if (!kept.time || lease == nullptr) continue;
    if (lease->placement.choice.asset.hash != asset.id.hash) continue;
    if (asset.terms.state == AssetState::Available) {
      kept.time->asset_back(block_time);
    } else {
      kept.time->asset_lost(block_time);
    }
  }
}

void LeaseKeeper::on_halted(const std::string& /*reason*/) { timer_->cancel(); }

void LeaseKeeper::on_connected(const identity::NodeId& peer) { tenant_.handle_peer_up(peer); }

void LeaseKeeper::on_disconnected(const identity::NodeId& peer) {
  allowances_.erase(peer);
  tenant_.handle_peer_down(peer);
}

void LeaseKeeper::look_at_all() {
  if (node_.halt_reason()) return;
  const ledger::LeaseIndex& index = node_.ledger().lease_index();
  // Copies: what is looked at may change the index when an operation is answered at once.
  auto leases = index.on_node(node_.id());
  if (const ledger::NodeRecord* self = node_.ledger().node(node_.id())) {
    const auto& own = index.of_tenant(self->binding.owner);
    leases.insert(own.begin(), own.end());
  }
  const UnixMillis now = wall();
  for (const ledger::LeaseId& id : leases) look(id, now);
  keep_assets_in_step();
  arm();
}

// One timer for everything that is due by time alone; without leases there is none.
void LeaseKeeper::arm() {
  if (kept_.empty() && !pause_) return timer_->cancel();
  const auto interval = std::chrono::milliseconds(node_.ledger().policy().meter_interval_ms);
  const Duration pause =
      std::clamp<Duration>(interval / kLooksPerInterval, kShortestLookPause, kLongestLookPause);
  timer_->arm(node_.ports().clock.now() + pause);
}

void LeaseKeeper::look(const ledger::LeaseId& id, UnixMillis held_from) {
  const ledger::LeaseRecord* lease = node_.ledger().lease(id);
  if (lease == nullptr || !lease->is_open()) {
    kept_.erase(id);
    tenant_.forget(id);
    return;
  }
  const ledger::NodeRecord* self = node_.ledger().node(node_.id());
  if (self != nullptr && self->binding.owner == lease->tenant) {
    tenant_.handle_lease(id, *lease, held_from);
  }
  if (lease->placement.node == node_.id()) {
    look_as_provider(id, *lease, held_from);
  } else {
    kept_.erase(id);
  }
}

void LeaseKeeper::look_as_provider(const ledger::LeaseId& id, const ledger::LeaseRecord& lease,
                                   UnixMillis held_from) {
  const auto placement = static_cast<std::uint32_t>(lease.past.size());
  Kept& kept = kept_.try_emplace(id, Kept{.placement = placement}).first->second;
  if (kept.placement != placement) kept = Kept{.placement = placement};
  if (lease.state == LeaseState::Requested) return answer(id, kept, lease);
  if (!kept.time) {
    kept.time.emplace(held_from, node_.ports().clock.now());
    const assets::AssetRecord* asset = node_.ledger().asset(lease.placement.choice.asset.hash);
    if (asset != nullptr && asset->terms.state != AssetState::Available) {
      kept.time->asset_lost(held_from);
    }
    kept.time->set_service(kept.delivered, node_.ports().clock.now());
  }
  const ledger::Policy& policy = node_.ledger().policy();
  if (lease.state == LeaseState::Active) {
    if (activity_.activity == activity::Activity::Active && is_for_idle_times(lease)) {
      return act(id, kept, ledger::ReclaimLease{id, ledger::Notice::AsGranted},
                 counters_.reclaimed_for_owner);
    }
    if (is_metered(lease) && wall() >= give_up_at(policy, lease)) {
      return act(id, kept, ledger::ReclaimLease{id, ledger::Notice::AsGranted},
                 counters_.reclaimed_unsigned);
    }
  }
  if (is_metered(lease)) read(id, kept, lease);
}

void LeaseKeeper::answer(const ledger::LeaseId& id, Kept& kept, const ledger::LeaseRecord& lease) {
  if (kept.is_acting) return;
  if (const auto why = objection(lease)) {
    log::info("leases", "a lease is declined", {{"lease", id.to_string()}, {"why", *why}});
    return act(id, kept, ledger::DeclineLease{id}, counters_.declined);
  }
  act(id, kept, ledger::AcceptLease{id}, counters_.accepted);
}

// Why this machine does not take the lease, though the grants admit it.
std::optional<std::string> LeaseKeeper::objection(const ledger::LeaseRecord& lease) const {
  if (is_paused()) return "sharing is paused";
  if (lease.network > rules_.widest_network) return "its network class is not allowed here";
  if (is_for_idle_times(lease) && activity_.activity != activity::Activity::Idle) {
    return "the grant is for idle times; " + activity::sentence(activity_);
  }
  return std::nullopt;
}

// A grant for idle times binds whatever was passed on from it.
bool LeaseKeeper::is_for_idle_times(const ledger::LeaseRecord& lease) const {
  const auto& grants = node_.ledger().tables().grants;
  for (auto id = lease.placement.choice.grant; id;) {
    const auto record = grants.find({lease.placement.provider, *id});
    if (record == grants.end()) return false;
    if (record->second.grant.when == privacy::When::Idle) return true;
    id = record->second.grant.parent;
  }
  return false;
}

void LeaseKeeper::act(const ledger::LeaseId& id, Kept& kept, ledger::Action action,
                      std::uint64_t& counter) {
  if (kept.is_acting) return;
  kept.is_acting = true;
  operations_.submit(std::move(action), [this, alive = alive_, id, &counter](const auto& refused) {
    if (!*alive) return;
    if (!refused) ++counter;
    const auto found = kept_.find(id);
    if (found == kept_.end()) return;
    found->second.is_acting = false;
    if (refused) {
      log::debug("leases", "an operation about a lease was refused",
                 {{"lease", id.to_string()}, {"why", ledger::explain(*refused)}});
    }
  });
}

}  // namespace hm::node
