// SPDX-License-Identifier: Apache-2.0
#include "node/storing/storage_leases.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/ledger/ledger.h"
#include "core/scheduling/placement.h"
#include "foundation/base/log.h"
#include "node/storing/keeper_limits.h"
#include "node/storing/shard_gate.h"

namespace hm::storing {
namespace {

std::uint64_t rounded_up(std::uint64_t bytes) {
  return (bytes + kLeaseQuantum - 1) / kLeaseQuantum * kLeaseQuantum;
}

}  // namespace

StorageLeases::StorageLeases(node::Node& node, node::OwnOperations& operations,
                             std::function<node::RoundTrips()> round_trips)
    : node_(node),
      operations_(operations),
      round_trips_(std::move(round_trips)),
      purpose_(storage_purpose(node.id())),
      serve_timer_(node.ports().timers.create([this] { serve(); })),
      care_timer_(node.ports().timers.create([this] { care(); })) {
  node_.add_observer(*this);
  care_timer_->arm(now() + kLeaseCarePause);
}

StorageLeases::~StorageLeases() {
  *alive_ = false;
  node_.remove_observer(*this);
}

void StorageLeases::set_used(std::map<ledger::LeaseId, std::uint64_t> used,
                             std::function<bool()> is_all) {
  for (const auto& [id, bytes] : used) rooms_[id].used = bytes;
  is_all_ = std::move(is_all);
}

bool StorageLeases::is_reachable(const identity::NodeId& node) const {
  return node == node_.id() || node_.peers().contains(node);
}

bool StorageLeases::stands(const storage::Place& place) const {
  const ledger::LeaseRecord* lease = node_.ledger().lease(place.lease);
  return lease != nullptr && lease->state == ledger::LeaseState::Active &&
         lease->placement.node == place.node &&
         lease->until.value > node_.ports().clock.wall().value + kEndingMillis / kRenewPart;
}

std::optional<identity::OwnerId> StorageLeases::owner_of(const storage::Place& place) const {
  const ledger::LeaseRecord* lease = node_.ledger().lease(place.lease);
  if (lease == nullptr) return std::nullopt;
  return lease->placement.provider;
}

std::vector<StorageLease> StorageLeases::leases() const {
  std::vector<StorageLease> all;
  const auto* self = node_.ledger().node(node_.id());
  if (self == nullptr) return all;
  for (const ledger::LeaseId& id : node_.ledger().lease_index().of_tenant(self->binding.owner)) {
    const ledger::LeaseRecord* lease = node_.ledger().lease(id);
    if (!lease->is_open() || lease->purpose != purpose_) continue;
    const auto room = rooms_.find(id);
    all.push_back({id, lease->placement.provider, lease->placement.node, lease->quantity,
                   room == rooms_.end() ? 0 : room->second.used, lease->until,
                   is_reachable(lease->placement.node)});
  }
  return all;
}

std::vector<storage::Place> StorageLeases::find(const PlacesWanted& wanted) const {
  struct Found {
    std::uint64_t left;
    storage::Place place;
  };
  std::map<identity::OwnerId, Found> best;
  for (const StorageLease& each : leases()) {
    const storage::Place place{each.node, each.lease};
    if (wanted.not_by.contains(each.owner) || !each.is_reachable || !stands(place)) continue;
    const auto avoided = avoided_.find(each.owner);
    if (avoided != avoided_.end() && now() < avoided->second) continue;
    const auto room = rooms_.find(each.lease);
    const std::uint64_t taken =
        room == rooms_.end() ? 0 : room->second.used + room->second.reserved;
    if (taken > each.quantity || each.quantity - taken < wanted.bytes_each) continue;
    const Found found{each.quantity - taken, place};
    const auto [at, is_new] = best.try_emplace(each.owner, found);
    if (!is_new && found.left > at->second.left) at->second = found;
  }
  std::vector<Found> sorted;
  for (const auto& [owner, found] : best) sorted.push_back(found);
  std::ranges::sort(sorted, [](const Found& a, const Found& b) {
    return a.left != b.left ? a.left > b.left : a.place < b.place;
  });
  std::vector<storage::Place> places;
  for (const Found& each : sorted) {
    if (places.size() < wanted.most) places.push_back(each.place);
  }
  return places;
}

std::vector<ledger::OpenLease> StorageLeases::plan(std::size_t count, std::uint64_t bytes,
                                                   const std::set<identity::OwnerId>& not_by,
                                                   std::string* first_reason) const {
  std::vector<ledger::OpenLease> actions;
  const auto* self = node_.ledger().node(node_.id());
  if (self == nullptr) return actions;
  std::set<identity::OwnerId> taken = not_by;
  const node::RoundTrips round_trips = round_trips_();
  const UnixMillis wall = node_.ports().clock.wall();
  while (actions.size() < count) {
    scheduling::Filter filter;
    filter.kind = assets::AssetKind::Storage;
    filter.quantity = bytes;
    filter.duration_ms = kLeaseMillis;
    for (const identity::OwnerId& owner : taken) filter.excluded_owners.emplace_back(owner);
    node::LendingView view(node_.ledger(), self->binding.owner, wall);
    const node::LeaseMarket market(node_, filter, view, round_trips, wall);
    if (!market.is_whole()) {
      if (first_reason != nullptr) *first_reason = "there are more grants than can be weighed";
      return actions;
    }
    const auto plan = scheduling::place(filter, view.requester(), market.candidates(), wall);
    if (first_reason != nullptr && first_reason->empty()) {
      for (const scheduling::Rejection& each : plan.rejections) {
        if (each.reason == scheduling::Reason::WrongKind ||
            each.reason == scheduling::Reason::OwnerExcluded ||
            each.reason == scheduling::Reason::RankedLower) {
          continue;
        }
        *first_reason = fmt::format("{}: {}", market.candidates()[each.candidate].node_name,
                                    scheduling::explain(each, filter));
        break;
      }
    }
    const std::size_t before = actions.size();
    for (const scheduling::Choice& choice : plan.choices) {
      const auto& facts = market.candidates()[choice.candidate].facts;
      if (actions.size() == count || !is_reachable(facts.node)) continue;
      if (!taken.insert(facts.owner).second) continue;
      ledger::OpenLease action;
      action.choices = {{choice.asset, choice.grant}};
      action.quantity = bytes;
      action.duration_ms = kLeaseMillis;
      action.highest_price = choice.price;
      action.purpose = purpose_;
      actions.push_back(std::move(action));
    }
    if (actions.size() == before) break;
  }
  return actions;
}

std::size_t StorageLeases::owners(std::uint64_t bytes_each) const {
  const PlacesWanted wanted{.most = SIZE_MAX, .bytes_each = bytes_each};
  std::set<identity::OwnerId> have;
  for (const auto& place : find(wanted)) {
    if (const auto owner = owner_of(place)) have.insert(*owner);
  }
  std::set<identity::OwnerId> not_by = have;
  for (const auto& [owner, until] : avoided_) {
    if (now() < until) not_by.insert(owner);
  }
  return have.size() + plan(erasure::kMaxShards, bytes_each, not_by, nullptr).size();
}

void StorageLeases::reserve(PlacesWanted wanted, Done done) {
  auto waiting = std::make_shared<Waiting>();
  waiting->wanted = std::move(wanted);
  waiting->done = std::move(done);
  waiting_.push_back(std::move(waiting));
  wake();
}

void StorageLeases::wake() { serve_timer_->arm(now()); }

// A request that was applied and not accepted yet.
bool StorageLeases::is_expected() const {
  const auto* self = node_.ledger().node(node_.id());
  if (self == nullptr) return false;
  return std::ranges::any_of(
      node_.ledger().lease_index().of_tenant(self->binding.owner), [&](const ledger::LeaseId& id) {
        const ledger::LeaseRecord* lease = node_.ledger().lease(id);
        return lease->purpose == purpose_ && lease->state == ledger::LeaseState::Requested;
      });
}

std::size_t StorageLeases::ask(const std::shared_ptr<Waiting>& waiting, std::size_t missing,
                               std::set<identity::OwnerId> not_by) {
  for (const auto& [owner, until] : avoided_) {
    if (now() < until) not_by.insert(owner);
  }
  const std::uint64_t bytes = waiting->wanted.bytes_each;
  std::string reason;
  auto actions = plan(missing, rounded_up(bytes), not_by, &reason);
  if (actions.size() < missing) {
    // Who has not so much may have enough.
    for (const ledger::OpenLease& each : actions) {
      const auto* asset = node_.ledger().asset(each.choices.front().asset.hash);
      if (asset != nullptr) not_by.insert(asset->owner);
    }
    for (ledger::OpenLease& each : plan(missing - actions.size(), bytes, not_by, &reason)) {
      actions.push_back(std::move(each));
    }
  }
  if (actions.size() < missing && !reason.empty()) trouble_ = reason;
  for (ledger::OpenLease& action : actions) {
    ++waiting->opening;
    operations_.submit(std::move(action), [this, alive = alive_, waiting](const auto& refused) {
      if (!*alive) return;
      --waiting->opening;
      if (refused) {
        const bool is_allowance = refused->rule == ledger::Refusal::AllowanceTooSmall;
        trouble_ = ledger::explain(*refused) +
                   (is_allowance ? "; allow this node more: hypermesh allow AMOUNT" : "");
      }
      wake();
    });
  }
  return actions.size();
}

void StorageLeases::serve() {
  while (!waiting_.empty()) {
    const std::shared_ptr<Waiting> front = waiting_.front();
    const PlacesWanted& wanted = front->wanted;
    auto places = find(wanted);
    if (places.size() < wanted.most) {
      if (!front->has_asked) {
        front->has_asked = true;
        front->until = now() + kPlacesPatience;
        trouble_.clear();
        std::set<identity::OwnerId> not_by = wanted.not_by;
        for (const auto& place : places) {
          if (const auto owner = owner_of(place)) not_by.insert(*owner);
        }
        if (ask(front, wanted.most - places.size(), std::move(not_by)) > 0) {
          serve_timer_->arm(front->until);
          return;
        }
      } else if ((front->opening > 0 || is_expected()) && now() < front->until) {
        serve_timer_->arm(front->until);
        return;
      }
    }
    waiting_.pop_front();
    if (places.size() < wanted.least) {
      front->done(fail(ErrorCode::NoCapacity,
                       fmt::format("{} owners can hold a part of it now, {} are needed",
                                   places.size(), wanted.least),
                       trouble_.empty() ? "nobody else lends storage that is free" : trouble_));
      continue;
    }
    for (const auto& place : places) rooms_[place.lease].reserved += wanted.bytes_each;
    front->done(std::move(places));
  }
}

void StorageLeases::release(const storage::Place& place, std::uint64_t bytes) {
  Room& room = rooms_[place.lease];
  room.reserved -= std::min(room.reserved, bytes);
}

void StorageLeases::use(const storage::Place& place, std::uint64_t bytes) {
  Room& room = rooms_[place.lease];
  room.reserved -= std::min(room.reserved, bytes);
  room.used += bytes;
}

void StorageLeases::free(const storage::Place& place, std::uint64_t bytes) {
  Room& room = rooms_[place.lease];
  room.used -= std::min(room.used, bytes);
}

void StorageLeases::avoid(const identity::NodeId& node) {
  if (const auto* record = node_.ledger().node(node))
    avoided_[record->binding.owner] = now() + kAvoidFor;
}

void StorageLeases::on_final(const node::FinalEvent& event) {
  if (!event.outcome.lease_changes.empty() && !waiting_.empty()) wake();
}

void StorageLeases::on_connected(const identity::NodeId& /*peer*/) {
  if (!waiting_.empty()) wake();
}

void StorageLeases::care() {
  care_timer_->arm(now() + kLeaseCarePause);
  std::erase_if(avoided_, [&](const auto& each) { return now() >= each.second; });
  std::set<ledger::LeaseId> open;
  const bool is_known = is_all_ && is_all_();
  for (const StorageLease& each : leases()) {
    open.insert(each.lease);
    const ledger::LeaseRecord& lease = *node_.ledger().lease(each.lease);
    if (lease.state != ledger::LeaseState::Active || under_way_.contains(each.lease)) continue;
    Room& room = rooms_[each.lease];
    if (room.used + room.reserved > 0 || !is_known) {
      room.empty_since = {};
      renew(each.lease, lease);
      continue;
    }
    if (room.empty_since == MonoTime{}) room.empty_since = now();
    if (now() < room.empty_since + kIdleLease) continue;
    under_way_.insert(each.lease);
    operations_.submit(ledger::CloseLease{each.lease},
                       [this, alive = alive_, id = each.lease](const auto& /*refused*/) {
                         if (*alive) under_way_.erase(id);
                       });
  }
  std::erase_if(rooms_, [&](const auto& each) {
    return !open.contains(each.first) && each.second.reserved == 0;
  });
}

void StorageLeases::renew(const ledger::LeaseId& id, const ledger::LeaseRecord& lease) {
  const std::uint64_t wall = node_.ports().clock.wall().value;
  const std::uint64_t left = lease.until.value > wall ? lease.until.value - wall : 0;
  const std::uint64_t longest = node_.ledger().policy().longest_lease_ms;
  const std::uint64_t more =
      lease.duration_ms < longest ? std::min(kLeaseMillis, longest - lease.duration_ms) : 0;
  if (left > kLeaseMillis / kRenewPart || more == 0) return;
  under_way_.insert(id);
  operations_.submit(ledger::RenewLease{id, more}, [this, alive = alive_, id](const auto& refused) {
    if (!*alive) return;
    under_way_.erase(id);
    if (!refused) return;
    trouble_ = "a lease cannot be renewed: " + ledger::explain(*refused);
    log::warning("storing", "a lease for storage cannot be renewed",
                 {{"lease", id.to_string()}, {"why", ledger::explain(*refused)}});
  });
}

}  // namespace hm::storing
