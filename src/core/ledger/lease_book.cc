// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/lease_book.h"

#include <algorithm>
#include <limits>

#include "core/caesar/settlement.h"
#include "core/ledger/limits.h"
#include "core/privacy/level.h"
#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

constexpr std::uint64_t kMillisPerDay = 86'400'000;

Refused refuse(Refusal rule, std::uint64_t given = 0, std::uint64_t wanted = 0) {
  return {rule, given, wanted};
}

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

UnixMillis after(UnixMillis time, std::uint64_t ms) {
  return UnixMillis{saturating_add(time.value, ms)};
}

// Leases of one's own assets are free and need nobody's word.
bool is_metered(const LeaseRecord& lease) { return lease.tenant != lease.placement.provider; }

// When the interval begins, and the lease with it if it ends within.
UnixMillis begin_of(const Policy& policy, const LeaseRecord& lease, std::uint64_t interval) {
  return after(lease.placement.accepted, interval * policy.meter_interval_ms);
}

}  // namespace

UnixMillis due_of(const Policy& policy, const LeaseRecord& lease) {
  switch (lease.state) {
    case LeaseState::Requested: {
      const UnixMillis window = after(lease.requested, policy.accept_window_ms);
      return lease.until.value != 0 ? std::min(window, lease.until) : window;
    }
    case LeaseState::Active: {
      if (!is_metered(lease)) return lease.until;
      const std::uint64_t missed =
          std::uint64_t{lease.placement.next_interval} + 1 + policy.dark_after_intervals;
      return std::min(lease.until, begin_of(policy, lease, missed));
    }
    case LeaseState::Draining: return lease.ends;
    case LeaseState::Closed:
    case LeaseState::Failed: return after(lease.ends, policy.lease_retention_ms);
  }
  HM_CHECK(false);
}

LeaseRecord& LeaseBook::edit(const LeaseId& id) {
  LeaseRecord& lease = layer_.leases.edit(id);
  lease.changed_height = frame_.height;
  if (operation_) lease.last_operation = *operation_;
  return lease;
}

void LeaseBook::note(const LeaseId& id, LeaseEvent event) {
  const LeaseRecord& lease = *layer_.leases.find(id);
  layer_.note(LeaseChange{event, id, lease.state, lease.placement.end, operation_});
}

// An asset may lie on a node of an owner that gave it away. That node neither earns nor answers for
// what the new owner does.
void LeaseBook::note(const Placement& placement, trust::Event event) {
  if (layer_.nodes.find(placement.node)->binding.owner != placement.provider) return;
  trust::note(layer_.behaviours.edit_or_add(placement.node), event, frame_.time);
}

template <class Change>
void LeaseBook::change_uses(const LeaseChoice& choice, Change change) {
  const identity::OwnerId owner = layer_.assets.find(choice.asset.hash)->owner;
  for (std::optional<privacy::GrantId> id = choice.grant; id;) {
    const GrantKey key{owner, *id};
    GrantUseRecord& use = layer_.grant_uses.edit_or_add(key);
    change(use);
    // A grant in use has its record, though it be revoked.
    const GrantRecord& record = *layer_.grants.find(key);
    id = record.grant.parent;
    if (record.revoked && use.open_leases == 0) {
      layer_.grants.remove(key);
      layer_.grant_uses.remove(key);
    }
  }
}

void LeaseBook::take(const LeaseId& id, const LeaseRecord& lease) {
  const LeaseChoice& choice = lease.placement.choice;
  AssetUseRecord& use = layer_.asset_uses.edit_or_add(choice.asset.hash);
  use.leased += lease.quantity;
  use.leases.push_back(id);
  change_uses(choice, [&](GrantUseRecord& grant) {
    const std::uint64_t today = frame_.time.value / kMillisPerDay;
    if (grant.day != today) grant.opened_on_day = 0;
    grant.day = today;
    ++grant.opened_on_day;
    ++grant.open_leases;
    grant.leased[choice.asset.hash] += lease.quantity;
  });
}

void LeaseBook::give_back(const LeaseId& id, const LeaseRecord& lease) {
  const LeaseChoice& choice = lease.placement.choice;
  AssetUseRecord& use = layer_.asset_uses.edit(choice.asset.hash);
  HM_CHECK(use.leased >= lease.quantity && std::erase(use.leases, id) == 1);
  use.leased -= lease.quantity;
  if (use.leases.empty()) layer_.asset_uses.remove(choice.asset.hash);
  change_uses(choice, [&](GrantUseRecord& grant) {
    const auto leased = grant.leased.find(choice.asset.hash);
    HM_CHECK(grant.open_leases > 0 && leased != grant.leased.end());
    --grant.open_leases;
    leased->second -= lease.quantity;
    if (leased->second == 0) grant.leased.erase(leased);
  });
}

// Out of the tenant's balance, and of what the node that acts is allowed.
LeaseBook::Checked LeaseBook::hold(LeaseRecord& lease, const Opener& node, caesar::Amount amount) {
  if (node) {
    const caesar::Amount allowance = layer_.nodes.find(*node)->allowance;
    if (allowance < amount) {
      return refuse(Refusal::AllowanceTooSmall, allowance.value, amount.value);
    }
  }
  caesar::Account& account = accounts_.at(lease.tenant);
  if (!accounts_.move(caesar::balance_of(account), caesar::as_escrow(lease.escrow), amount)) {
    return refuse(Refusal::OverBalance, account.balance.value, amount.value);
  }
  if (!node) return std::nullopt;
  NodeRecord& spender = layer_.nodes.edit(*node);
  spender.allowance.value -= amount.value;
  if (lease.opened_by != node) return std::nullopt;
  if (lease.allowance_version != spender.allowance_version) {
    lease.allowance_version = spender.allowance_version;
    lease.allowance_held = {};
  }
  lease.allowance_held.value += amount.value;
  return std::nullopt;
}

// What the node put in and nobody was paid, unless its allowance was set anew since.
void LeaseBook::restore_allowance(LeaseRecord& lease) {
  if (lease.allowance_held.value == 0) return;
  if (layer_.nodes.find(*lease.opened_by)->allowance_version == lease.allowance_version) {
    layer_.nodes.edit(*lease.opened_by).allowance.value += lease.allowance_held.value;
  }
  lease.allowance_held = {};
}

LeaseBook::Checked LeaseBook::open(const LeaseId& id, const identity::OwnerId& tenant,
                                   const Opener& node, const OpenLease& action) {
  const Policy& policy = policy_of(layer_.chain().preset);
  if (action.duration_ms > policy.longest_lease_ms) {
    return refuse(Refusal::LeaseTooLong, action.duration_ms, policy.longest_lease_ms);
  }
  if (layer_.owners.find(tenant)->leases >= kMaxLeasesPerTenant) {
    return refuse(Refusal::TooManyLeases, layer_.owners.find(tenant)->leases, kMaxLeasesPerTenant);
  }
  const auto escrow = caesar::cost(action.highest_price, action.quantity, action.duration_ms);
  if (!escrow) return refuse(Refusal::CostTooLarge);
  const Terms terms{.tenant = tenant,
                    .quantity = action.quantity,
                    .duration_ms = action.duration_ms,
                    .network = action.network,
                    .highest_price = action.highest_price};
  // The first choice's refusal is told, because it is the one that the tenant wanted.
  Checked first_refusal;
  for (std::size_t i = 0; i < action.choices.size(); ++i) {
    auto placement = place(action.choices[i], terms);
    if (!placement) {
      if (!first_refusal) first_refusal = placement.error();
      continue;
    }
    LeaseRecord lease{.tenant = tenant,
                      .quantity = action.quantity,
                      .duration_ms = action.duration_ms,
                      .network = action.network,
                      .highest_price = action.highest_price,
                      .purpose = action.purpose,
                      .placement = std::move(*placement),
                      .opened_by = node,
                      .requested = frame_.time,
                      .opened_height = frame_.height,
                      .changed_height = frame_.height,
                      .last_operation = *operation_};
    lease.choices_left.assign(action.choices.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                              action.choices.end());
    if (const auto refused = hold(lease, node, *escrow)) return refused;
    take(id, layer_.leases.add(id, std::move(lease)));
    ++layer_.owners.edit(tenant).leases;
    note(id, LeaseEvent::Requested);
    return std::nullopt;
  }
  return first_refusal;
}

// Of the grant that the lease is under; a grant passed on ends no later than those before it.
UnixMillis LeaseBook::expiry_of(const Placement& placement) const {
  constexpr UnixMillis kNever{std::numeric_limits<std::uint64_t>::max()};
  if (!placement.choice.grant) return kNever;
  const GrantRecord* record = layer_.grants.find({placement.provider, *placement.choice.grant});
  return record->grant.expiry.value_or(kNever);
}

LeaseBook::Checked LeaseBook::accept(const LeaseId& id) {
  LeaseRecord& lease = edit(id);
  if (lease.state != LeaseState::Requested) return refuse(Refusal::LeaseNotRequested);
  if (lease.until.value == 0) {
    const UnixMillis wanted = after(frame_.time, lease.duration_ms);
    const UnixMillis latest = expiry_of(lease.placement);
    if (latest <= frame_.time) return refuse(Refusal::GrantExpired, wanted.value, latest.value);
    // It was judged when it was asked for; what the provider took to accept is not added.
    lease.until = std::min(wanted, latest);
    lease.duration_ms = lease.until.value - frame_.time.value;
  }
  lease.state = LeaseState::Active;
  lease.placement.accepted = frame_.time;
  note(id, LeaseEvent::Accepted);
  return std::nullopt;
}

LeaseBook::Checked LeaseBook::decline(const LeaseId& id) {
  if (layer_.leases.find(id)->state != LeaseState::Requested) {
    return refuse(Refusal::LeaseNotRequested);
  }
  leave(id, LeaseEnd::Declined);
  return std::nullopt;
}

LeaseBook::Checked LeaseBook::renew(const LeaseId& id, const Opener& node, std::uint64_t extra_ms) {
  LeaseRecord& lease = edit(id);
  if (lease.state != LeaseState::Active) return refuse(Refusal::LeaseNotActive);
  const std::uint64_t whole = saturating_add(lease.duration_ms, extra_ms);
  const Policy& policy = policy_of(layer_.chain().preset);
  if (whole > policy.longest_lease_ms) {
    return refuse(Refusal::LeaseTooLong, whole, policy.longest_lease_ms);
  }
  const std::uint64_t left = saturating_add(lease.until.value - frame_.time.value, extra_ms);
  const Terms terms{.tenant = lease.tenant,
                    .quantity = lease.quantity,
                    .duration_ms = left,
                    .held_ms = whole - std::min(whole, left),
                    .network = lease.network,
                    .highest_price = lease.highest_price,
                    .renews = true};
  const auto allowed = judge(lease.placement.choice, terms);
  if (!allowed) return allowed.error();
  const auto before = caesar::cost(lease.highest_price, lease.quantity, lease.duration_ms);
  const auto needed = caesar::cost(lease.highest_price, lease.quantity, whole);
  if (!needed) return refuse(Refusal::CostTooLarge);
  const caesar::Amount more{needed->value - before->value};
  if (const auto refused = hold(lease, node, more)) return refused;
  lease.duration_ms = whole;
  lease.until = after(lease.until, extra_ms);
  note(id, LeaseEvent::Renewed);
  return std::nullopt;
}

LeaseBook::Checked LeaseBook::close(const LeaseId& id) {
  vacate(id, LeaseEnd::ByTenant);
  finish(id, LeaseState::Closed);
  return std::nullopt;
}

LeaseBook::Checked LeaseBook::reclaim(const LeaseId& id, Notice notice) {
  LeaseRecord& lease = edit(id);
  if (lease.state == LeaseState::Active && notice == Notice::AsGranted &&
      lease.placement.notice_ms > 0) {
    lease.state = LeaseState::Draining;
    lease.placement.end = LeaseEnd::ByOwner;
    lease.ends = std::min(lease.until, after(frame_.time, lease.placement.notice_ms));
    note(id, LeaseEvent::Draining);
    return std::nullopt;
  }
  if (lease.state == LeaseState::Draining && notice == Notice::AsGranted) {
    return refuse(Refusal::LeaseNotActive);
  }
  leave(id, LeaseEnd::ByOwner);
  return std::nullopt;
}

// The reading follows the last one of this lease where it now lies.
LeaseBook::Checked LeaseBook::check_follows(const MeterReading& reading,
                                            const LeaseRecord& lease) const {
  const Placement& placement = lease.placement;
  if (lease.state != LeaseState::Active && lease.state != LeaseState::Draining) {
    return refuse(Refusal::LeaseNotActive);
  }
  if (!is_metered(lease)) return refuse(Refusal::LeaseNotMetered);
  if (reading.placement != lease.past.size()) {
    return refuse(Refusal::MeterOfOtherPlacement, reading.placement, lease.past.size());
  }
  if (reading.interval < placement.next_interval) {
    return refuse(Refusal::MeterBackwards, reading.interval, placement.next_interval);
  }
  if (reading.provider.delivered_ms < placement.provider_ms) {
    return refuse(Refusal::MeterBackwards, reading.provider.delivered_ms, placement.provider_ms);
  }
  if (reading.tenant.delivered_ms < placement.tenant_ms) {
    return refuse(Refusal::MeterBackwards, reading.tenant.delivered_ms, placement.tenant_ms);
  }
  if (reading.provider.used < placement.provider_used) {
    return refuse(Refusal::MeterBackwards, reading.provider.used, placement.provider_used);
  }
  if (reading.tenant.used < placement.tenant_used) {
    return refuse(Refusal::MeterBackwards, reading.tenant.used, placement.tenant_used);
  }
  return std::nullopt;
}

LeaseBook::Checked LeaseBook::meter(const MeterReading& reading) {
  if (const auto refused = check_follows(reading, *layer_.leases.find(reading.lease))) {
    return refused;
  }
  LeaseRecord& lease = edit(reading.lease);
  Placement& placement = lease.placement;
  const Policy& policy = policy_of(layer_.chain().preset);
  const UnixMillis begin = begin_of(policy, lease, reading.interval);
  UnixMillis end = std::min(after(begin, policy.meter_interval_ms), lease.until);
  if (lease.state == LeaseState::Draining) end = std::min(end, lease.ends);
  if (begin >= end) return refuse(Refusal::MeterBeyondEnd, begin.value, end.value);
  if (frame_.time < begin) {
    return refuse(Refusal::MeterTooEarly, frame_.time.value, begin.value);
  }
  const UnixMillis latest = after(end, policy.meter_interval_ms);
  if (frame_.time > latest) {
    return refuse(Refusal::MeterTooLate, frame_.time.value, latest.value);
  }
  const std::uint64_t longest = std::min(frame_.time, end).value - begin.value;
  const std::uint64_t by_provider = reading.provider.delivered_ms - placement.provider_ms;
  const std::uint64_t by_tenant = reading.tenant.delivered_ms - placement.tenant_ms;
  if (by_provider > longest || by_tenant > longest) {
    return refuse(Refusal::MeterTooMuch, std::max(by_provider, by_tenant), longest);
  }
  for (const SignedTotal& side : {reading.provider, reading.tenant}) {
    const std::uint64_t limit = used_limit(policy, lease.quantity, side.delivered_ms);
    if (side.used > limit) return refuse(Refusal::MeterUsedTooMuch, side.used, limit);
  }
  placement.next_interval = reading.interval + 1;
  ++placement.counted_intervals;
  placement.provider_ms = reading.provider.delivered_ms;
  placement.tenant_ms = reading.tenant.delivered_ms;
  placement.counted_ms += std::min(by_provider, by_tenant);
  placement.provider_used = reading.provider.used;
  placement.tenant_used = reading.tenant.used;
  const bool is_disputed = by_provider != by_tenant;
  if (is_disputed) ++placement.disputed_intervals;
  note(placement, is_disputed ? trust::Event::Disputed : trust::Event::Witnessed);
  note(reading.lease, LeaseEvent::Metered);
  return std::nullopt;
}

// Pays what the readings say and was not paid yet.
caesar::Amount LeaseBook::pay(LeaseRecord& lease) {
  Placement& placement = lease.placement;
  const auto earned = caesar::cost(placement.price, lease.quantity, placement.counted_ms);
  // No more time is counted than the escrow was made for, at no higher price.
  HM_CHECK(earned && *earned >= placement.paid);
  const caesar::Amount payment{earned->value - placement.paid.value};
  if (payment.value == 0) return payment;
  const assets::AssetRecord& asset = *layer_.assets.find(placement.choice.asset.hash);
  caesar::Pools& pools = layer_.edit_pools();
  const auto split = caesar::split(payment, layer_.chain().economy,
                                   privacy::reward_multiplier(asset.terms.level), pools.providers);
  HM_CHECK(split.has_value());
  caesar::Account& provider = accounts_.at(placement.provider);
  const auto escrow = caesar::as_escrow(lease.escrow);
  HM_CHECK(accounts_.move(escrow, caesar::balance_of(provider), split->provider));
  HM_CHECK(accounts_.move(escrow, caesar::as_pool(pools.validators), split->fee));
  HM_CHECK(accounts_.move(caesar::as_pool(pools.providers), caesar::balance_of(provider),
                          split->reward));
  // Of an escrow that node and owner put in, the node's part goes first.
  lease.allowance_held.value -= std::min(lease.allowance_held, payment).value;
  placement.paid = *earned;
  placement.fee.value += split->fee.value;
  placement.reward.value += split->reward.value;
  return payment;
}

LeaseBook::Checked LeaseBook::settle(const LeaseId& id) {
  if (!layer_.leases.find(id)->is_open()) return refuse(Refusal::NothingToSettle);
  if (pay(edit(id)).value == 0) return refuse(Refusal::NothingToSettle);
  note(id, LeaseEvent::Settled);
  return std::nullopt;
}

void LeaseBook::remember(const LeaseId& id, const crypto::Digest& evidence) {
  edit(id).placement.evidence = evidence;
}

void LeaseBook::outvote(const LeaseId& id) {
  LeaseRecord& lease = edit(id);
  note(lease.placement, trust::Event::Disagreement);
  lease.placement.end = LeaseEnd::WrongResult;
  if (lease.is_open()) {
    give_back(id, lease);
    finish(id, LeaseState::Failed);
    return;
  }
  lease.state = LeaseState::Failed;
  note(id, LeaseEvent::Ended);
}

// Only what the provider's own silence or act shows: a live provider reclaims a lease whose tenant
// does not sign before it counts as dark.
void LeaseBook::judge_provider(const LeaseRecord& lease, LeaseEnd why) {
  const Placement& placement = lease.placement;
  if (!is_metered(lease) || placement.accepted.value == 0) return;
  const bool is_early = lease.state == LeaseState::Active ||
                        (lease.state == LeaseState::Draining && frame_.time < lease.ends);
  const bool broke_notice = why == LeaseEnd::ByOwner && is_early && placement.notice_ms > 0;
  const bool failed = why == LeaseEnd::Dark || why == LeaseEnd::AssetGone || broke_notice;
  if (!failed && placement.counted_intervals == 0) return;
  note(placement, failed ? trust::Event::LeaseFailed : trust::Event::LeaseKept);
}

// Pays what is due and frees the asset, so that the lease does not stand in its own way.
void LeaseBook::vacate(const LeaseId& id, LeaseEnd why) {
  LeaseRecord& lease = edit(id);
  pay(lease);
  judge_provider(lease, why);
  give_back(id, lease);
  lease.placement.end = why;
}

void LeaseBook::leave(const LeaseId& id, LeaseEnd why) {
  vacate(id, why);
  LeaseRecord& lease = edit(id);
  const std::uint64_t left = lease.until.value == 0      ? lease.duration_ms
                             : lease.until > frame_.time ? lease.until.value - frame_.time.value
                                                         : 0;
  const Terms terms{.tenant = lease.tenant,
                    .quantity = lease.quantity,
                    .duration_ms = left,
                    .held_ms = lease.duration_ms - std::min(lease.duration_ms, left),
                    .network = lease.network,
                    .highest_price = lease.highest_price};
  while (left > 0 && !lease.choices_left.empty()) {
    const LeaseChoice choice = lease.choices_left.front();
    lease.choices_left.erase(lease.choices_left.begin());
    auto next = place(choice, terms);
    if (!next) continue;
    lease.past.push_back(std::move(lease.placement));
    lease.placement = std::move(*next);
    lease.state = LeaseState::Requested;
    lease.requested = frame_.time;
    lease.ends = {};
    take(id, lease);
    note(id, LeaseEvent::Moved);
    return;
  }
  const bool is_failure = why != LeaseEnd::ByOwner && why != LeaseEnd::Expired;
  finish(id, is_failure ? LeaseState::Failed : LeaseState::Closed);
}

void LeaseBook::finish(const LeaseId& id, LeaseState state) {
  LeaseRecord& lease = edit(id);
  const auto rest = lease.escrow;
  HM_CHECK(accounts_.move(caesar::as_escrow(lease.escrow),
                          caesar::balance_of(accounts_.at(lease.tenant)), rest));
  restore_allowance(lease);
  lease.state = state;
  lease.choices_left.clear();
  lease.ends = frame_.time;
  note(id, LeaseEvent::Ended);
}

bool LeaseBook::tick(const LeaseId& id) {
  const LeaseRecord& lease = *layer_.leases.find(id);
  const Policy& policy = policy_of(layer_.chain().preset);
  const UnixMillis due = due_of(policy, lease);
  if (frame_.time < due) return false;
  switch (lease.state) {
    case LeaseState::Requested:
      if (lease.until.value != 0 && due >= lease.until) {
        leave(id, LeaseEnd::Expired);
      } else {
        leave(id, LeaseEnd::NotAccepted);
      }
      return true;
    case LeaseState::Active:
      // A block may come long after both: what was due first counts.
      if (due >= lease.until) {
        // One more interval for the last reading to be signed.
        LeaseRecord& draining = edit(id);
        draining.state = LeaseState::Draining;
        draining.placement.end = LeaseEnd::Expired;
        draining.ends = after(lease.until, policy.meter_interval_ms);
        note(id, LeaseEvent::Draining);
      } else {
        leave(id, LeaseEnd::Dark);
      }
      return true;
    case LeaseState::Draining: leave(id, lease.placement.end); return true;
    case LeaseState::Closed:
    case LeaseState::Failed:
      --layer_.owners.edit(lease.tenant).leases;
      layer_.leases.remove(id);
      return true;
  }
  HM_CHECK(false);
}

bool LeaseBook::catch_up(const LeaseId& id) {
  bool changed = false;
  // Each step leads towards removal, so that this ends.
  while (layer_.leases.contains(id) && tick(id)) changed = true;
  return changed;
}

void LeaseBook::shrink(const crypto::Digest& asset, std::uint64_t offered) {
  for (;;) {
    const AssetUseRecord* use = layer_.asset_uses.find(asset);
    if (use == nullptr || use->leased <= offered) return;
    const LeaseId newest = use->leases.back();  // by value: leaving takes it from the list
    leave(newest, LeaseEnd::AssetGone);
  }
}

}  // namespace hm::ledger
