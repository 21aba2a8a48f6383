// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/grant.h"

#include <array>

#include "core/privacy/decision.h"
#include "core/privacy/hours.h"
#include "foundation/codec/writer.h"

namespace hm::privacy {
namespace {

bool is_valid(const Hours& hours) {
  constexpr std::uint8_t kEveryDay = 0x7f;
  return hours.from < kMinutesPerDay && hours.to <= kMinutesPerDay && hours.from != hours.to &&
         hours.utc_offset <= 2 * kMinutesPerDay && hours.weekdays != 0 &&
         hours.weekdays <= kEveryDay;
}

bool is_valid(const Limits& limits) {
  const auto allows_something = [](const auto& limit) { return !limit || *limit > 0; };
  return allows_something(limits.concurrent) && allows_something(limits.quantity) &&
         allows_something(limits.duration_ms) && allows_something(limits.opened_per_day);
}

// What an option demands of the one that is passed on: nothing if it is none.
template <class T>
bool keeps(const std::optional<T>& parent, const std::optional<T>& child) {
  return !parent || parent == child;
}
template <class T>
bool is_within_limit(const std::optional<T>& parent, const std::optional<T>& child) {
  return !parent || (child && *child <= *parent);
}

bool selects_within(const AssetSelector& parent, const AssetSelector& child) {
  return keeps(parent.kind, child.kind) && keeps(parent.node, child.node) &&
         keeps(parent.asset, child.asset);
}

bool limits_within(const Limits& parent, const Limits& child) {
  return is_within_limit(parent.concurrent, child.concurrent) &&
         is_within_limit(parent.quantity, child.quantity) &&
         is_within_limit(parent.duration_ms, child.duration_ms) &&
         is_within_limit(parent.opened_per_day, child.opened_per_day);
}

// Minute by minute, because offsets, weekdays and midnight make intervals of windows error-prone,
// and a grant is passed on seldom.
bool hours_within(const std::optional<Hours>& parent, const std::optional<Hours>& child) {
  if (!parent) return true;
  for (std::uint32_t minute = 0; minute < kMinutesPerWeek; ++minute) {
    if (covers(*parent, local_minute(*parent, minute))) continue;
    if (!child || covers(*child, local_minute(*child, minute))) return false;
  }
  return true;
}

bool price_within(const std::optional<caesar::Price>& parent,
                  const std::optional<caesar::Price>& child) {
  if (!parent || !child) return !parent && !child;
  return caesar::compare(*child, *parent) >= 0;
}

constexpr std::array<std::string_view, 3> kNetworkNames = {"none", "mesh", "internet"};
constexpr std::array<std::string_view, 2> kWhenNames = {"always", "idle"};

template <class E, std::size_t N>
std::optional<E> parse(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(GrantError error) {
  switch (error) {
    case GrantError::ShareOutOfRange: return "share_out_of_range";
    case GrantError::BadHours: return "bad_hours";
    case GrantError::BadPattern: return "bad_pattern";
    case GrantError::BadLimit: return "bad_limit";
    case GrantError::BadPrice: return "bad_price";
    case GrantError::TooManyDelegations: return "too_many_delegations";
    case GrantError::ParentMismatch: return "parent_mismatch";
    case GrantError::GrantToSelf: return "grant_to_self";
  }
  return "unknown";
}

std::string_view name_of(Excess excess) {
  switch (excess) {
    case Excess::Owner: return "owner";
    case Excess::Selector: return "selector";
    case Excess::Share: return "share";
    case Excess::Limits: return "limits";
    case Excess::Network: return "network";
    case Excess::Hours: return "hours";
    case Excess::When: return "when";
    case Excess::Price: return "price";
    case Excess::Expiry: return "expiry";
    case Excess::Notice: return "notice";
    case Excess::Delegations: return "delegations";
  }
  return "unknown";
}

std::string_view name_of(NetworkClass network) {
  return kNetworkNames.at(static_cast<std::size_t>(network));
}
std::optional<NetworkClass> parse_network(std::string_view name) {
  return parse<NetworkClass>(kNetworkNames, name);
}

std::string_view name_of(When when) { return kWhenNames.at(static_cast<std::size_t>(when)); }
std::optional<When> parse_when(std::string_view name) { return parse<When>(kWhenNames, name); }

GrantId grant_id(const identity::ChainId& chain, const Grant& grant) {
  codec::Writer writer;
  writer.write(chain);
  writer.write(grant);
  return {crypto::tagged_hash("hm.grant.v1", writer.bytes()).bytes};
}

crypto::Digest grant_statement(const GrantId& id) {
  return crypto::tagged_hash("hm.grant-statement.v1", id.view());
}

GroupId group_id(const identity::ChainId& chain, const identity::OwnerId& owner,
                 const std::string& name) {
  codec::Writer writer;
  writer.write(chain);
  writer.write(owner);
  writer.write(name);
  return {crypto::tagged_hash("hm.group.v1", writer.bytes()).bytes};
}

Result<void, GrantError> validate(const Grant& grant) {
  if (grant.share_percent == 0 || grant.share_percent > kWholeShare) {
    return fail(GrantError::ShareOutOfRange);
  }
  if (grant.hours && !is_valid(*grant.hours)) return fail(GrantError::BadHours);
  const auto* pattern = std::get_if<CertificatePattern>(&grant.to);
  if (pattern != nullptr && !is_valid_pattern(pattern->name)) return fail(GrantError::BadPattern);
  if (!is_valid(grant.limits)) return fail(GrantError::BadLimit);
  if (grant.price && grant.price->quantity == 0) return fail(GrantError::BadPrice);
  if (grant.delegations > kMaxDelegations) return fail(GrantError::TooManyDelegations);
  if (grant.parent.has_value() == (grant.issuer == grant.owner)) {
    return fail(GrantError::ParentMismatch);
  }
  const auto* to = std::get_if<ToOwner>(&grant.to);
  if (to != nullptr && to->owner == grant.owner) return fail(GrantError::GrantToSelf);
  return {};
}

std::optional<Excess> excess_over(const Grant& parent, const Grant& child) {
  if (child.owner != parent.owner) return Excess::Owner;
  if (!selects_within(parent.assets, child.assets)) return Excess::Selector;
  if (child.share_percent > parent.share_percent) return Excess::Share;
  if (!limits_within(parent.limits, child.limits)) return Excess::Limits;
  if (child.network > parent.network) return Excess::Network;
  if (!hours_within(parent.hours, child.hours)) return Excess::Hours;
  if (parent.when == When::Idle && child.when != When::Idle) return Excess::When;
  if (!price_within(parent.price, child.price)) return Excess::Price;
  if (!is_within_limit(parent.expiry, child.expiry)) return Excess::Expiry;
  if (child.notice_ms > parent.notice_ms) return Excess::Notice;
  if (child.delegations >= parent.delegations) return Excess::Delegations;
  return std::nullopt;
}

}  // namespace hm::privacy
