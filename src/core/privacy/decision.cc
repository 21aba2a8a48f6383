// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/decision.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/privacy/hours.h"
#include "core/privacy/known_requester.h"
#include "core/privacy/level.h"

namespace hm::privacy {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMillisPerHour = 3'600'000;

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return b > kMost - a ? kMost : a + b;
}

// By the grantee's place in the variant.
std::array<bool, std::variant_size_v<Grantee>> admitted_at(assets::PrivacyLevel level) {
  return {admits(level, ToOwner{}), admits(level, ToGroup{}), admits(level, CertificatePattern{}),
          admits(level, ToAnyone{})};
}

// What is asked, with what is the same for every grant computed once.
struct Question {
  KnownRequester requester;
  const Request& request;
  const AssetFacts& asset;
  const Moment& moment;
  // Of the lease: its end, and its length with what is over.
  std::uint64_t end = saturating_add(moment.now.value, request.duration_ms);
  std::uint64_t length = saturating_add(request.held_ms, request.duration_ms);
  std::uint32_t utc_minute = minute_of_week(moment.now);
  // To what is in use: a quantity, and a number of leases.
  std::uint64_t added = request.renews ? 0 : request.quantity;
  std::uint64_t opened = request.renews ? 0 : 1;
  std::array<bool, std::variant_size_v<Grantee>> admitted = admitted_at(asset.level);
};

bool is_available(const AssetFacts& asset) {
  return asset.state == assets::AssetState::Available ||
         asset.state == assets::AssetState::Allocated || asset.state == assets::AssetState::InUse;
}

bool selects(const Grant& grant, const AssetFacts& asset) {
  const AssetSelector& selector = grant.assets;
  return (!selector.kind || *selector.kind == asset.kind) &&
         (!selector.asset || is_same(*selector.asset, asset.hash)) &&
         (!selector.node || is_same(*selector.node, asset.node)) &&
         is_same(grant.owner, asset.owner);
}

bool has_expired(const Grant& grant, const Question& question) {
  if (!grant.expiry) return false;
  if (question.moment.now >= *grant.expiry) return true;
  return question.request.action == Action::Lease && question.end > grant.expiry->value;
}

bool is_outside(const std::optional<Hours>& hours, const Question& question) {
  return hours && !covers(*hours, local_minute(*hours, question.utc_minute));
}

template <class Number>
bool is_above(std::uint64_t given, const std::optional<Number>& limit) {
  return limit && given > *limit;
}

std::uint64_t open_leases(const GrantView& link, const Question& question) {
  return link.use.open_leases + question.opened;
}
std::uint64_t opened_today(const GrantView& link, const Question& question) {
  return link.use.opened_today + question.opened;
}

bool has_too_many(const GrantView& link, const Question& question) {
  return is_above(open_leases(link, question), link.grant->limits.concurrent);
}
bool opened_too_often(const GrantView& link, const Question& question) {
  return is_above(opened_today(link, question), link.grant->limits.opened_per_day);
}
// x > ⌊y / 100⌋ and 100 x > y are the same for integers, and the second needs no division.
bool exceeds_share(const GrantView& link, const Question& question) {
  const Wide leased = Wide{link.use.leased} + question.added;
  return leased * kWholeShare > Wide{question.asset.detected} * link.grant->share_percent;
}

// The first link of the chain, from the grant itself up, that has used up what it gives.
template <class UsedUp>
const GrantView* used_up(const GrantView& view, const Question& question, UsedUp is_used_up) {
  for (const GrantView* link = &view; link != nullptr; link = link->parent) {
    if (is_used_up(*link, question)) return link;
  }
  return nullptr;
}

const GrantView* link_at_fault(Rule rule, const GrantView& view, const Question& question) {
  switch (rule) {
    case Rule::TooManyLeases: return used_up(view, question, has_too_many);
    case Rule::OpenedTooOften: return used_up(view, question, opened_too_often);
    case Rule::ShareExceeded: return used_up(view, question, exceeds_share);
    default: return &view;
  }
}

const std::optional<caesar::Price>& price_under(const Grant& grant, const AssetFacts& asset) {
  return grant.price ? grant.price : asset.price;
}

bool costs_too_much(const Grant& grant, const Question& question) {
  const auto& price = price_under(grant, question.asset);
  const auto& highest = question.request.highest_price;
  return price && highest && caesar::compare(*price, *highest) > 0;
}

// Inlined, so that the rule is known where it is a constant.
[[gnu::always_inline]] inline bool breaks(Rule rule, const GrantView& view,
                                          const Question& question) {
  const Grant& grant = *view.grant;
  const Request& request = question.request;
  switch (rule) {
    case Rule::NoGrant:
    case Rule::AssetUnavailable: return false;  // no matter of one grant
    case Rule::LevelForbids: return !question.admitted[grant.to.index()];
    case Rule::NotSelected: return !selects(grant, question.asset);
    case Rule::NotTheGrantee: return !question.requester.is_meant_by(grant.to);
    case Rule::Expired: return has_expired(grant, question);
    case Rule::OutsideHours: return is_outside(grant.hours, question);
    case Rule::OwnerActive:
      return grant.when == When::Idle && question.moment.idleness == Idleness::Active;
    case Rule::NetworkTooOpen: return request.network > grant.network;
    case Rule::DurationTooLong: return is_above(question.length, grant.limits.duration_ms);
    case Rule::TooMuchAtOnce: return is_above(request.quantity, grant.limits.quantity);
    case Rule::TooManyLeases: return used_up(view, question, has_too_many) != nullptr;
    case Rule::OpenedTooOften: return used_up(view, question, opened_too_often) != nullptr;
    case Rule::ShareExceeded: return used_up(view, question, exceeds_share) != nullptr;
    case Rule::NoPrice: return !price_under(grant, question.asset);
    case Rule::PriceTooHigh: return costs_too_much(grant, question);
    case Rule::NotEnoughFree: return request.quantity > question.asset.free;
  }
  return true;
}

// The first of these rules, in order, that is broken.
template <std::size_t... Rules>
std::optional<Rule> first_of(const GrantView& view, const Question& question,
                             std::index_sequence<Rules...>) {
  Rule rule{};
  const bool found = ((rule = static_cast<Rule>(Rules), breaks(rule, view, question)) || ...);
  return found ? std::optional(rule) : std::nullopt;
}

std::optional<Rule> first_broken(const GrantView& view, const Question& question) {
  constexpr auto kToDiscover = static_cast<std::size_t>(Rule::Expired) + 1;
  constexpr auto kToLease = static_cast<std::size_t>(kLastRule) + 1;
  if (question.request.action == Action::Discover) {
    return first_of(view, question, std::make_index_sequence<kToDiscover>());
  }
  return first_of(view, question, std::make_index_sequence<kToLease>());
}

std::uint64_t hourly_cost(const caesar::Price& price, std::uint64_t quantity) {
  return caesar::cost(price, quantity, kMillisPerHour).value_or(caesar::kMaxSupply).value;
}

// The two numbers that explain the rule, of a grant that breaks it.
Deny denial(Rule rule, const GrantView& link, const Question& question) {
  const Grant& grant = *link.grant;
  const Request& request = question.request;
  const auto deny = [&](std::uint64_t given, std::uint64_t allowed) {
    return Deny{rule, link.id, given, allowed};
  };
  switch (rule) {
    case Rule::LevelForbids:
      return deny(grant.to.index(), static_cast<std::uint64_t>(question.asset.level));
    case Rule::Expired: {
      const bool leases = request.action == Action::Lease;
      return deny(leases ? question.end : question.moment.now.value, grant.expiry->value);
    }
    case Rule::OutsideHours: {
      const std::uint32_t local = local_minute(*grant.hours, question.utc_minute);
      return deny(local, next_window(*grant.hours, local));
    }
    case Rule::NetworkTooOpen:
      return deny(static_cast<std::uint64_t>(request.network),
                  static_cast<std::uint64_t>(grant.network));
    case Rule::DurationTooLong: return deny(question.length, *grant.limits.duration_ms);
    case Rule::TooMuchAtOnce: return deny(request.quantity, *grant.limits.quantity);
    case Rule::TooManyLeases: return deny(open_leases(link, question), *grant.limits.concurrent);
    case Rule::OpenedTooOften:
      return deny(opened_today(link, question), *grant.limits.opened_per_day);
    case Rule::ShareExceeded: {
      const Wide share = Wide{question.asset.detected} * grant.share_percent / kWholeShare;
      return deny(saturating_add(link.use.leased, question.added),
                  static_cast<std::uint64_t>(std::min<Wide>(share, kMost)));
    }
    case Rule::PriceTooHigh:
      return deny(hourly_cost(*request.highest_price, request.quantity),
                  hourly_cost(*price_under(grant, question.asset), request.quantity));
    case Rule::NotEnoughFree: return deny(request.quantity, question.asset.free);
    default: return deny(0, 0);
  }
}

Allow allowance(const GrantView& view, const Question& question) {
  if (question.request.action == Action::Discover) return {view.id, {}, 0};
  return {view.id, *price_under(*view.grant, question.asset), view.grant->notice_ms};
}

// Which of two to choose if both allow. To discover all are alike but for their ids. A grant
// without a price allows no lease.
bool is_better(const GrantView& one, const GrantView& than, const Question& question) {
  if (question.request.action == Action::Lease) {
    const auto& price = price_under(*one.grant, question.asset);
    if (!price) return false;
    const auto order = caesar::compare(*price, *price_under(*than.grant, question.asset));
    if (order != 0) return order < 0;
    if (one.grant->notice_ms != than.grant->notice_ms) {
      return one.grant->notice_ms > than.grant->notice_ms;
    }
  }
  return is_before(one.id, than.id);
}

Decision by_owner(const Question& question) {
  const Request& request = question.request;
  const AssetFacts& asset = question.asset;
  if (request.action == Action::Discover) return Allow{};
  if (!is_available(asset)) {
    return Deny{Rule::AssetUnavailable, std::nullopt, static_cast<std::uint64_t>(asset.state), 0};
  }
  if (request.quantity > asset.free) {
    return Deny{Rule::NotEnoughFree, std::nullopt, request.quantity, asset.free};
  }
  return Allow{};
}

}  // namespace

bool is_within(const Hours& hours, UnixMillis now) {
  return covers(hours, local_minute(hours, minute_of_week(now)));
}

Decision may(const Requester& requester, const Request& request, const AssetFacts& asset,
             std::span<const GrantView> grants, const Moment& moment) {
  const Question question{KnownRequester(requester), request, asset, moment};
  if (requester.owner == asset.owner) return by_owner(question);
  const bool discovers = request.action == Action::Discover;
  if (discovers && asset.level == assets::PrivacyLevel::FullPublic) return Allow{};
  if (grants.empty()) return Deny{};
  if (!discovers && !is_available(asset)) {
    return Deny{Rule::AssetUnavailable, std::nullopt, static_cast<std::uint64_t>(asset.state), 0};
  }
  const GrantView* best = nullptr;
  const GrantView* furthest = nullptr;
  Rule reached{};  // by the furthest
  Rule last{};     // broken by the last one judged whole; grants of one owner are often alike
  for (const GrantView& view : grants) {
    // Once one allows, only a better one matters. Until then a grant that breaks a rule seen before
    // comes no further than that, and at the rule reached only a smaller id would be reported.
    if (best != nullptr) {
      if (!is_better(view, *best, question)) continue;
    } else if (furthest != nullptr) {
      const bool is_later = is_before(furthest->id, view.id);
      if ((is_later || last < reached) && breaks(last, view, question)) continue;
      if (is_later && last < reached && breaks(reached, view, question)) continue;
    }
    const auto rule = first_broken(view, question);
    if (!rule) {
      best = &view;
      continue;
    }
    last = *rule;
    if (furthest == nullptr || last > reached ||
        (last == reached && is_before(view.id, furthest->id))) {
      furthest = &view;
      reached = last;
    }
  }
  if (best != nullptr) return allowance(*best, question);
  return denial(reached, *link_at_fault(reached, *furthest, question), question);
}

}  // namespace hm::privacy
