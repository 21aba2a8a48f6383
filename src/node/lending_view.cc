// SPDX-License-Identifier: Apache-2.0
#include "node/lending_view.h"

#include <algorithm>

#include "core/ledger/lease_book.h"
#include "core/ledger/membership.h"
#include "core/privacy/level.h"

namespace hm::node {

LendingView::LendingView(const ledger::Ledger& ledger, const identity::OwnerId& requester,
                         UnixMillis now)
    : ledger_(ledger),
      layer_(ledger.tables()),
      requester_(requester),
      now_(now),
      certificates_(ledger::certified_names(layer_, requester, now)) {}

std::span<const privacy::GrantView> LendingView::grants_for(const assets::AssetRecord& asset) {
  const Views& unused = standing(asset);
  const auto& uses = ledger_.tables().asset_uses;
  if (!uses.contains(asset.id.hash)) return unused;
  const auto [place, is_new] = used_.try_emplace(asset.id.hash, unused);
  if (!is_new) return place->second;
  Views& views = place->second;
  views_ += views.size();
  for (privacy::GrantView& view : views) {
    const auto use = ledger_.tables().grant_uses.find({asset.owner, view.id});
    if (use == ledger_.tables().grant_uses.end()) continue;
    view.use = ledger::use_of(&use->second, asset.id.hash, now_);
  }
  link(views);
  return views;
}

privacy::AssetFacts LendingView::facts_of(const assets::AssetRecord& asset) const {
  return ledger::facts_of(asset, layer_.asset_uses.find(asset.id.hash));
}

privacy::Requester LendingView::requester() {
  groups_.clear();
  for (const privacy::GroupId& id : named_groups_) {
    const ledger::GroupRecord* record = layer_.groups.find(id);
    if (record != nullptr && privacy::is_member(record->group, requester_, certificates_)) {
      groups_.push_back(id);
    }
  }
  return {.owner = requester_, .groups = groups_, .certificates = certificates_};
}

privacy::Decision LendingView::decide(const assets::AssetRecord& asset,
                                      const privacy::Request& request) {
  const auto grants = grants_for(asset);
  return privacy::may(requester(), request, facts_of(asset), grants, {.now = now_});
}

const LendingView::Views& LendingView::standing(const assets::AssetRecord& asset) {
  const auto [place, is_new] = unused_.try_emplace({asset.owner, asset.terms.level});
  Views& views = place->second;
  if (!is_new) return views;
  const ledger::Tables& tables = ledger_.tables();
  for (auto row = tables.grants.lower_bound({asset.owner, {}});
       row != tables.grants.end() && row->first.first == asset.owner; ++row) {
    const auto& [key, record] = *row;
    if (!stands(record, asset.terms.level)) continue;
    if (const auto* to = std::get_if<privacy::ToGroup>(&record.grant.to)) {
      named_groups_.insert(to->group);
    }
    const auto use = tables.grant_uses.find(key);
    views.push_back({.id = key.second,
                     .grant = &record.grant,
                     .use = ledger::use_of(use != tables.grant_uses.end() ? &use->second : nullptr,
                                           asset.id.hash, now_)});
    views.back().use.leased = 0;
  }
  link(views);
  views_ += views.size();
  return views;
}

bool LendingView::stands(const ledger::GrantRecord& record, assets::PrivacyLevel level) const {
  if (record.revoked) return false;
  const ledger::Frame frame{.height = ledger_.height() + 1, .time = now_};
  // No longer than kMaxDelegations: each link has fewer further ones than the one before.
  for (const privacy::Grant* grant = &record.grant; grant->parent;) {
    const ledger::GrantRecord* parent = layer_.grants.find({grant->owner, *grant->parent});
    if (parent == nullptr || parent->revoked || !privacy::admits(level, parent->grant.to)) {
      return false;
    }
    const ledger::MembershipOf issuer(layer_, frame, parent->grant.to, grant->issuer);
    if (!privacy::means(parent->grant.to, issuer.requester())) return false;
    grant = &parent->grant;
  }
  return true;
}

// Whatever a standing grant was passed on from stands, too, and is in the list, which is by id.
void LendingView::link(Views& views) {
  for (privacy::GrantView& view : views) {
    if (!view.grant->parent) continue;
    view.parent =
        &*std::ranges::lower_bound(views, *view.grant->parent, {}, &privacy::GrantView::id);
  }
}

}  // namespace hm::node
