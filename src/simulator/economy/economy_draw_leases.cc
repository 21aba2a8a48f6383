// SPDX-License-Identifier: Apache-2.0
// Leases from request to payment.
#include <algorithm>
#include <set>

#include "core/ledger/limits.h"
#include "core/privacy/level.h"
#include "simulator/economy/economy_draw.h"

namespace hm::simulator {
namespace {

using ledger::LeaseRecord;
using ledger::LeaseState;

constexpr std::size_t kGrantTries = 6;
constexpr std::size_t kAssetTries = 4;
constexpr std::uint32_t kStrangerPermille = 30;

bool is_own(const LeaseRecord& lease) { return lease.tenant == lease.placement.provider; }

}  // namespace

ledger::LeaseId Draw::unknown_lease() {
  ledger::LeaseId id;
  random_.fill(id.bytes);
  return id;
}

// The machine, if it belongs to the provider, or the provider itself; now and then somebody else.
ledger::Actor Draw::provider_of(const LeaseRecord& lease) {
  if (random_.chance(kStrangerPermille)) return id_of(registered_person());
  const Machine& machine = *cast_.machine_of(lease.placement.node);
  if (id_of(machine.owner) == lease.placement.provider && random_.chance(700)) return machine.id;
  return lease.placement.provider;
}

ledger::Actor Draw::tenant_of(const LeaseRecord& lease) {
  if (random_.chance(kStrangerPermille)) return id_of(registered_person());
  return lease.tenant;
}

// One of the owner's, if it is registered.
const Machine* Draw::machine_at(const identity::OwnerId& owner) {
  const std::size_t person = *cast_.person_of(owner);
  const Machine& machine = cast_.machines[person * kMachinesEach + random_.below(kMachinesEach)];
  return ledger_.node(machine.id) != nullptr ? &machine : nullptr;
}

// The tenant, or one of its machines, mostly one that may spend something.
ledger::Actor Draw::spender_of(const identity::OwnerId& tenant) {
  if (!random_.chance(400)) return tenant;
  const Machine* machine = machine_at(tenant);
  if (machine == nullptr) return tenant;
  const bool is_allowed = ledger_.node(machine->id)->allowance.value > 0;
  return is_allowed || random_.chance(100) ? ledger::Actor(machine->id) : tenant;
}

Draw::Drawn Draw::set_allowance() {
  const identity::OwnerId owner = id_of(registered_person());
  const Machine* machine = machine_at(owner);
  if (machine == nullptr) return std::nullopt;
  ledger::SetAllowance action{machine->id, part_of(ledger_.account(owner).balance)};
  if (random_.chance(100)) action.amount = {};
  if (random_.chance(30)) random_.fill(action.node.bytes);
  if (random_.chance(30)) return make(machine->id, action);
  return make(random_.chance(kStrangerPermille) ? id_of(registered_person()) : owner, action);
}

bool Draw::is_dark(const LeaseRecord& lease) const {
  return cast_.machine_of(lease.placement.node)->is_dark;
}

// As far as a tenant sees at a glance.
bool Draw::may_be_meant(const privacy::Grantee& to, const identity::OwnerId& tenant) const {
  const ledger::Tables& tables = ledger_.tables();
  if (const auto* owner = std::get_if<privacy::ToOwner>(&to)) return owner->owner == tenant;
  if (const auto* group = std::get_if<privacy::ToGroup>(&to)) {
    const auto found = tables.groups.find(group->group);
    return found != tables.groups.end() && privacy::is_member(found->second.group, tenant, {});
  }
  return std::holds_alternative<privacy::ToAnyone>(to) || tables.certificates.contains(tenant);
}

// A grant of the asset's owner that does not plainly speak of something else, or the last of some
// that do. `fits` says which.
const ledger::GrantRecord* Draw::grant_for(const assets::AssetRecord& asset,
                                           const identity::OwnerId& tenant, privacy::GrantId& id,
                                           bool& fits) {
  const auto& grants = ledger_.tables().grants;
  const ledger::GrantRecord* best = nullptr;
  fits = false;
  for (std::size_t i = 0; i < kGrantTries; ++i) {
    ledger::GrantKey key{asset.owner, {}};
    random_.fill(key.second.bytes);
    auto found = grants.lower_bound(key);
    if (found == grants.end() || found->first.first != asset.owner) {
      found = grants.lower_bound({asset.owner, {}});
    }
    if (found == grants.end() || found->first.first != asset.owner) return nullptr;
    const privacy::Grant& grant = found->second.grant;
    best = &found->second;
    id = found->first.second;
    const bool is_selected = (!grant.assets.asset || *grant.assets.asset == asset.id.hash) &&
                             (!grant.assets.node || *grant.assets.node == asset.node) &&
                             (!grant.assets.kind || *grant.assets.kind == asset.id.kind);
    const bool is_admitted = privacy::admits(asset.terms.level, grant.to);
    fits = is_selected && is_admitted && !found->second.revoked && may_be_meant(grant.to, tenant);
    if (fits) break;
  }
  return best;
}

// An asset that the tenant would take; the lease's price, network and time come to fit it, mostly.
std::optional<ledger::LeaseChoice> Draw::choice(const identity::OwnerId& tenant,
                                                ledger::OpenLease& lease) {
  const bool is_careless = random_.chance(30);
  const assets::AssetRecord* asset = nullptr;
  const ledger::GrantRecord* record = nullptr;
  privacy::GrantId id;
  bool fits = false;
  for (std::size_t i = 0; i < kAssetTries && !fits; ++i) {
    asset = any_asset();
    if (asset == nullptr) return std::nullopt;
    if (asset->owner == tenant && !is_careless) return ledger::LeaseChoice{asset->id, std::nullopt};
    record = grant_for(*asset, tenant, id, fits);
    if (is_careless) break;
  }
  ledger::LeaseChoice made{asset->id, std::nullopt};
  if (record == nullptr) return random_.chance(50) ? std::optional(made) : std::nullopt;
  made.grant = id;
  if (is_careless) return made;
  const privacy::Grant& grant = record->grant;
  lease.network = std::min(lease.network, grant.network);
  if (grant.limits.duration_ms) {
    lease.duration_ms = std::min(lease.duration_ms, *grant.limits.duration_ms);
  }
  if (grant.limits.quantity) lease.quantity = std::min(lease.quantity, *grant.limits.quantity);
  const auto& price = grant.price ? grant.price : asset->terms.price;
  if (price && caesar::compare(*price, lease.highest_price) > 0) lease.highest_price = *price;
  return made;
}

Draw::Drawn Draw::open_lease() {
  const identity::OwnerId tenant = id_of(registered_person());
  const ledger::Policy& policy = ledger_.policy();
  ledger::OpenLease action;
  action.quantity = random_.between(1, 8);
  action.duration_ms =
      policy.meter_interval_ms * random_.between(1, 8) - random_.below(policy.meter_interval_ms);
  action.network = static_cast<privacy::NetworkClass>(random_.below(3));
  action.highest_price = {caesar::Amount{random_.below(caesar::kUnitsPerCaes / 10)},
                          random_.between(1, 4)};
  const std::size_t count = random_.chance(500) ? 1 : random_.between(2, 5);
  for (std::size_t i = 0; i < count; ++i) {
    const auto made = choice(tenant, action);
    if (!made) continue;
    const bool is_there = std::ranges::any_of(
        action.choices, [&](const auto& other) { return other.asset == made->asset; });
    if (!is_there) action.choices.push_back(*made);
  }
  if (action.choices.empty()) return std::nullopt;
  // A job of the tenant's, of which it has several runs.
  if (random_.chance(700)) {
    action.purpose.emplace().bytes = tenant.bytes;
    if (random_.chance(50)) action.purpose->bytes[0] ^= 1;
  }
  switch (random_.below(200)) {
    case 0: action.duration_ms = policy.longest_lease_ms + random_.below(2); break;
    case 1: action.quantity = random_.next() | 1; break;
    case 2: action.highest_price.amount = caesar::kMaxSupply; break;
    case 3: action.highest_price.amount = ledger_.account(tenant).balance; break;
    case 4: action.duration_ms = 1; break;
    case 5:
    case 6: action.duration_ms *= 10; break;
    case 7: action.quantity *= 20; break;
    case 8: action.highest_price.amount = {}; break;
    case 9: random_.fill(action.purpose.emplace().bytes); break;
    case 10: random_.fill(action.choices[0].asset.hash.bytes); break;
    default: break;
  }
  return make(spender_of(tenant), std::move(action));
}

Draw::Drawn Draw::accept_lease() {
  if (random_.chance(10))
    return make(id_of(registered_person()), ledger::AcceptLease{unknown_lease()});
  // Now and then one that somebody else has answered already.
  const auto id = random_.chance(30) ? leases_.any(LeaseGroup::Running, random_)
                                     : leases_.take(LeaseGroup::Requested, random_);
  if (!id) return std::nullopt;
  const LeaseRecord& lease = *ledger_.lease(*id);
  if (is_dark(lease)) return std::nullopt;
  return make(provider_of(lease), ledger::AcceptLease{*id});
}

Draw::Drawn Draw::decline_lease() {
  const auto id = random_.chance(30) ? leases_.any(LeaseGroup::Running, random_)
                                     : leases_.any(LeaseGroup::Requested, random_);
  if (!id) return std::nullopt;
  return make(provider_of(*ledger_.lease(*id)), ledger::DeclineLease{*id});
}

Draw::Drawn Draw::renew_lease() {
  const auto id =
      leases_.any(random_.chance(50) ? LeaseGroup::Requested : LeaseGroup::Running, random_);
  if (!id) return std::nullopt;
  const ledger::Policy& policy = ledger_.policy();
  std::uint64_t extra = policy.meter_interval_ms * random_.between(1, 6);
  if (random_.chance(20)) extra = policy.longest_lease_ms;
  if (random_.chance(10)) extra = UINT64_MAX;
  const LeaseRecord& lease = *ledger_.lease(*id);
  const bool is_stranger = random_.chance(kStrangerPermille);
  return make(is_stranger ? id_of(registered_person()) : spender_of(lease.tenant),
              ledger::RenewLease{*id, extra});
}

Draw::Drawn Draw::close_lease() {
  const auto id =
      leases_.any(random_.chance(200) ? LeaseGroup::Requested : LeaseGroup::Running, random_);
  if (!id) return std::nullopt;
  const LeaseRecord& lease = *ledger_.lease(*id);
  // One of the tenant's machines can do it, too.
  if (random_.chance(200)) {
    const std::size_t person = *cast_.person_of(lease.tenant);
    const Machine& machine = cast_.machines[person * kMachinesEach];
    if (ledger_.node(machine.id) != nullptr) return make(machine.id, ledger::CloseLease{*id});
  }
  return make(tenant_of(lease), ledger::CloseLease{*id});
}

Draw::Drawn Draw::reclaim_lease() {
  const auto id =
      leases_.any(random_.chance(100) ? LeaseGroup::Requested : LeaseGroup::Running, random_);
  if (!id) return std::nullopt;
  const auto notice = random_.chance(300) ? ledger::Notice::None : ledger::Notice::AsGranted;
  return make(provider_of(*ledger_.lease(*id)), ledger::ReclaimLease{*id, notice});
}

Draw::Drawn Draw::settle_lease() {
  const auto id =
      leases_.any(random_.chance(50) ? LeaseGroup::Requested : LeaseGroup::Running, random_);
  if (!id || random_.chance(10)) {
    return make(id_of(registered_person()), ledger::SettleLease{unknown_lease()});
  }
  const LeaseRecord& lease = *ledger_.lease(*id);
  if (is_own(lease) && random_.chance(900)) return std::nullopt;
  return make(random_.chance(500) ? provider_of(lease) : ledger::Actor(id_of(registered_person())),
              ledger::SettleLease{*id});
}

// Most say the same; nothing but prepare() looks at commitment and signature.
ledger::SignedResult Draw::result(const ledger::LeaseId& id, const LeaseRecord& lease) {
  ledger::SignedResult made;
  made.lease = id;
  if (random_.chance(200)) made.exit_code = 1;
  if (random_.chance(20)) made.output.bytes[0] = 1;
  made.key = cast_.machine_of(lease.placement.node)->key.public_key();
  if (random_.chance(10)) made.key = key_of(id_of(any_person()));
  return made;
}

// Of a tenant's runs with different providers, as far as a tenant looks.
Draw::Drawn Draw::report_disagreement() {
  const auto any = leases_.any(LeaseGroup::Running, random_);
  if (!any) return std::nullopt;
  const identity::OwnerId tenant = ledger_.lease(*any)->tenant;
  const bool is_careless = random_.chance(100);
  std::set<identity::OwnerId> providers;
  ledger::ReportDisagreement action;
  for (const ledger::LeaseId& id : ledger_.lease_index().of_tenant(tenant)) {
    const LeaseRecord& lease = *ledger_.lease(id);
    const ledger::Placement& placement = lease.placement;
    const std::uint64_t ended = lease.is_open() ? 0 : time_.value - lease.ends.value;
    const bool is_fit = !is_own(lease) && placement.accepted.value != 0 && lease.purpose &&
                        !placement.evidence && lease.purpose->bytes == tenant.bytes &&
                        ended <= ledger_.policy().evidence_window_ms &&
                        ledger_.node(placement.node)->binding.owner == placement.provider;
    if (!is_fit && !(is_careless && random_.chance(300))) continue;
    if (!providers.insert(placement.provider).second && !is_careless) continue;
    action.results.push_back(result(id, lease));
    if (action.results.size() == ledger::kMaxResults) break;
  }
  if (action.results.size() < ledger::kMinResults) return std::nullopt;
  action.quorum = static_cast<std::uint8_t>(random_.between(2, action.results.size()));
  return make(tenant_of(*ledger_.lease(*any)), std::move(action));
}

// What an honest machine would say now: the last whole interval, or the one that is running.
ledger::MeterReading Draw::reading(const ledger::LeaseId& id, const LeaseRecord& lease) {
  const std::uint64_t length = ledger_.policy().meter_interval_ms;
  const ledger::Placement& placement = lease.placement;
  const std::uint64_t elapsed = time_.value - std::min(time_, placement.accepted).value;
  std::uint64_t interval = elapsed / length;
  if (interval > placement.next_interval && random_.chance(900)) --interval;
  interval = std::max<std::uint64_t>(interval, placement.next_interval);
  const std::uint64_t begin = placement.accepted.value + interval * length;
  std::uint64_t end = std::min({begin + length, time_.value, lease.until.value});
  if (lease.state == LeaseState::Draining) end = std::min(end, lease.ends.value);
  const std::uint64_t delivered = end > begin ? end - begin : 0;
  const Machine& machine = *cast_.machine_of(placement.node);
  ledger::MeterReading reading{.lease = id,
                               .placement = static_cast<std::uint32_t>(lease.past.size()),
                               .interval = static_cast<std::uint32_t>(interval),
                               .provider = {.delivered_ms = placement.provider_ms + delivered,
                                            .used = placement.provider_used,
                                            .key = machine.key.public_key(),
                                            .signature = {}},
                               .tenant = {.delivered_ms = placement.tenant_ms + delivered,
                                          .used = placement.tenant_used,
                                          .key = key_of(lease.tenant),
                                          .signature = {}}};
  if (random_.chance(80)) reading.tenant.delivered_ms -= random_.below(delivered + 1);
  if (random_.chance(50)) reading.provider.delivered_ms -= random_.below(delivered + 1);
  // Something runs under half of the leases; the tenant takes the provider's word, mostly.
  if (random_.chance(500)) {
    const std::uint64_t most = ledger::most_used(lease.quantity, delivered);
    reading.provider.used += most == 0 ? 0 : random_.below(most);
    const bool believes = random_.chance(900) && reading.provider.used >= placement.tenant_used;
    if (believes && reading.tenant.delivered_ms == reading.provider.delivered_ms) {
      reading.tenant.used = reading.provider.used;
    }
  }
  return reading;
}

void Draw::spoil(ledger::MeterReading& reading) {
  switch (random_.below(11)) {
    case 0: reading.interval -= std::min<std::uint32_t>(reading.interval, 2); return;
    case 1: reading.interval += 1 + static_cast<std::uint32_t>(random_.below(8)); return;
    case 2: reading.interval = UINT32_MAX; return;
    case 3: reading.provider.delivered_ms += random_.below(100'000); return;
    case 4: reading.tenant.delivered_ms = random_.next(); return;
    case 5: reading.provider.delivered_ms /= 2; return;
    case 6: ++reading.placement; return;
    case 7: reading.tenant.used = random_.next(); return;
    case 8: reading.provider.used -= std::min<std::uint64_t>(reading.provider.used, 1); return;
    case 9:
      reading.provider.key = cast_.machines[random_.below(cast_.machines.size())].key.public_key();
      return;
    default: reading.tenant.key = key_of(id_of(any_person())); return;
  }
}

Draw::Drawn Draw::meter_lease() {
  const auto id = random_.chance(10) ? leases_.any(LeaseGroup::Requested, random_)
                                     : leases_.take(LeaseGroup::Running, random_);
  if (!id) return std::nullopt;
  const LeaseRecord& lease = *ledger_.lease(*id);
  if (is_own(lease) && random_.chance(950)) return std::nullopt;
  if (is_dark(lease) && random_.chance(800)) return std::nullopt;
  ledger::MeterLease action{reading(*id, lease)};
  const std::uint64_t begin =
      lease.placement.accepted.value + action.reading.interval * ledger_.policy().meter_interval_ms;
  if (begin >= std::min(time_, lease.until).value && random_.chance(950)) return std::nullopt;
  if (random_.chance(60)) spoil(action.reading);
  const Machine& machine = *cast_.machine_of(lease.placement.node);
  return make(
      random_.chance(900) ? ledger::Actor(machine.id) : ledger::Actor(id_of(registered_person())),
      std::move(action));
}

}  // namespace hm::simulator
