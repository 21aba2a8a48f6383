// SPDX-License-Identifier: Apache-2.0
// LeaseBook: which of a tenant's choices the grants admit.
#include <algorithm>

#include "core/ledger/lease_book.h"
#include "core/ledger/limits.h"
#include "core/ledger/membership.h"
#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

constexpr std::uint64_t kMillisPerDay = 86'400'000;

Refused refuse(Refusal rule, std::uint64_t given = 0, std::uint64_t wanted = 0) {
  return {rule, given, wanted};
}

Refusal refusal_of(privacy::Rule rule) {
  switch (rule) {
    case privacy::Rule::NoGrant: return Refusal::NotGranted;
    case privacy::Rule::AssetUnavailable: return Refusal::AssetUnavailable;
    case privacy::Rule::LevelForbids: return Refusal::LevelForbids;
    case privacy::Rule::NotSelected: return Refusal::GrantForOtherAssets;
    case privacy::Rule::NotTheGrantee: return Refusal::NotTheGrantee;
    case privacy::Rule::Expired: return Refusal::GrantExpired;
    case privacy::Rule::OutsideHours: return Refusal::OutsideHours;
    // The ledger does not know whether a machine is in use; its node does.
    case privacy::Rule::OwnerActive: break;
    case privacy::Rule::NetworkTooOpen: return Refusal::NetworkTooOpen;
    case privacy::Rule::DurationTooLong: return Refusal::LeaseTooLong;
    case privacy::Rule::TooMuchAtOnce: return Refusal::QuantityAboveGrant;
    case privacy::Rule::TooManyLeases: return Refusal::TooManyLeasesOfGrant;
    case privacy::Rule::OpenedTooOften: return Refusal::OpenedTooOften;
    case privacy::Rule::ShareExceeded: return Refusal::ShareExceeded;
    case privacy::Rule::NoPrice: return Refusal::NoPrice;
    case privacy::Rule::PriceTooHigh: return Refusal::PriceTooHigh;
    case privacy::Rule::NotEnoughFree: return Refusal::NotEnoughFree;
  }
  HM_CHECK(false);
}

}  // namespace

privacy::AssetFacts facts_of(const assets::AssetRecord& asset, const AssetUseRecord* use,
                             std::uint64_t own) {
  const std::uint64_t leased = (use != nullptr ? use->leased : 0) - own;
  const std::uint64_t available = asset.terms.quantity.available;
  return {.hash = asset.id.hash,
          .kind = asset.id.kind,
          .owner = asset.owner,
          .node = asset.node,
          .state = asset.terms.state,
          .level = asset.terms.level,
          .detected = asset.terms.quantity.detected,
          .free = available - std::min(available, leased),
          .price = asset.terms.price};
}

privacy::GrantUse use_of(const GrantUseRecord* use, const crypto::Digest& asset, UnixMillis now) {
  if (use == nullptr) return {};
  const auto leased = use->leased.find(asset);
  return {.leased = leased != use->leased.end() ? leased->second : 0,
          .open_leases = use->open_leases,
          .opened_today = use->day == now.value / kMillisPerDay ? use->opened_on_day : 0};
}

Result<LeaseBook::GrantChain, Refused> LeaseBook::chain_of(const GrantKey& key,
                                                           const crypto::Digest& asset) const {
  GrantChain chain;
  for (std::optional<privacy::GrantId> id = key.second; id;) {
    const GrantKey link{key.first, *id};
    const GrantRecord* record = layer_.grants.find(link);
    if (record == nullptr && chain.empty()) return fail(refuse(Refusal::UnknownGrant));
    if (record == nullptr || record->revoked) return fail(refuse(Refusal::GrantRevoked));
    const auto use = use_of(layer_.grant_uses.find(link), asset, frame_.time);
    chain.push_back({*id, &record->grant, use});
    id = record->grant.parent;
  }
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) chain[i].parent = &chain[i + 1];
  return chain;
}

Result<privacy::Allow, Refused> LeaseBook::judge_link(const privacy::GrantView& link,
                                                      const identity::OwnerId& owner,
                                                      const privacy::Request& request,
                                                      const privacy::AssetFacts& facts) const {
  const MembershipOf membership(layer_, frame_, link.grant->to, owner);
  const privacy::Decision decision =
      privacy::may(membership.requester(), request, facts, {&link, 1}, {.now = frame_.time});
  if (decision) return decision.allowed();
  const privacy::Deny& denied = decision.denied();
  return fail(refuse(refusal_of(denied.rule), denied.given, denied.allowed));
}

Result<privacy::Allow, Refused> LeaseBook::judge(const LeaseChoice& choice,
                                                 const Terms& terms) const {
  const assets::AssetRecord* asset = layer_.assets.find(choice.asset.hash);
  if (asset == nullptr) return fail(refuse(Refusal::UnknownAsset));
  if (asset->terms.state == assets::AssetState::Retired) {
    return fail(refuse(Refusal::AssetRetired));
  }
  const AssetUseRecord* use = layer_.asset_uses.find(choice.asset.hash);
  if (!terms.renews && use != nullptr && use->leases.size() >= kMaxLeasesPerAsset) {
    return fail(refuse(Refusal::TooManyLeases, use->leases.size(), kMaxLeasesPerAsset));
  }
  const privacy::AssetFacts facts = facts_of(*asset, use, terms.renews ? terms.quantity : 0);
  privacy::Request request{.quantity = terms.quantity,
                           .duration_ms = terms.duration_ms,
                           .network = terms.network,
                           .highest_price = terms.highest_price,
                           .renews = terms.renews,
                           .held_ms = terms.held_ms};
  if (asset->owner == terms.tenant) {
    if (choice.grant) return fail(refuse(Refusal::OwnNeedsNoGrant));
    const auto decision = privacy::may({.owner = terms.tenant}, request, facts, {}, {frame_.time});
    if (decision) return decision.allowed();
    const privacy::Deny& denied = decision.denied();
    return fail(refuse(refusal_of(denied.rule), denied.given, denied.allowed));
  }
  if (!choice.grant) return fail(refuse(Refusal::NotGranted));

  HM_TRY(const GrantChain chain, chain_of({asset->owner, *choice.grant}, facts.hash));
  HM_TRY(const privacy::Allow allowed, judge_link(chain.front(), terms.tenant, request, facts));
  // Who passed it on must still be meant by the one before, and that one still allow it.
  request.highest_price.reset();
  for (std::size_t i = 1; i < chain.size(); ++i) {
    HM_TRY_VOID(judge_link(chain[i], chain[i - 1].grant->issuer, request, facts));
  }
  return allowed;
}

Result<Placement, Refused> LeaseBook::place(const LeaseChoice& choice, const Terms& terms) const {
  HM_TRY(const privacy::Allow allowed, judge(choice, terms));
  const assets::AssetRecord& asset = *layer_.assets.find(choice.asset.hash);
  return Placement{.choice = choice,
                   .provider = asset.owner,
                   .node = asset.node,
                   .price = allowed.price,
                   .notice_ms = allowed.notice_ms};
}

}  // namespace hm::ledger
