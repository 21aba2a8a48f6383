// SPDX-License-Identifier: Apache-2.0
// What the ledger knows, put together as the questions of lending need it: who asks, and under
// which grants of an asset's owner. The ledger decides for itself when a lease is opened; this is
// for whoever wants to know beforehand, and follows the same rules (lease_book.cc): a grant counts
// while it and every grant that it was passed on from stand, each issuer is still meant by what it
// passed on, and the asset's level admits every link.
// It reads one state: not valid after the ledger's next block.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/ledger/layer.h"
#include "core/ledger/ledger.h"
#include "core/privacy/decision.h"

namespace hm::node {

class LendingView {
 public:
  // `now`: as of which certificates and grants are judged.
  LendingView(const ledger::Ledger& ledger, const identity::OwnerId& requester, UnixMillis now);
  LendingView(const LendingView&) = delete;
  LendingView& operator=(const LendingView&) = delete;

  // The standing grants of the asset's owner with what is in use under them, seen from this asset,
  // by id. Valid as long as this.
  std::span<const privacy::GrantView> grants_for(const assets::AssetRecord& asset);
  privacy::AssetFacts facts_of(const assets::AssetRecord& asset) const;
  // Knows the groups that the grants named which were asked for so far. Valid until more are.
  privacy::Requester requester();

  privacy::Decision decide(const assets::AssetRecord& asset, const privacy::Request& request);

  // Views made so far: what a caller bounds.
  std::size_t views() const { return views_; }

 private:
  using Views = std::vector<privacy::GrantView>;

  const Views& standing(const assets::AssetRecord& asset);
  bool stands(const ledger::GrantRecord& record, assets::PrivacyLevel level) const;
  static void link(Views& views);

  const ledger::Ledger& ledger_;
  ledger::Layer layer_;
  identity::OwnerId requester_;
  UnixMillis now_;
  std::vector<privacy::CertifiedName> certificates_;
  std::set<privacy::GroupId> named_groups_;
  std::vector<privacy::GroupId> groups_;
  // Nothing leased on the asset: the same for all assets of an owner at one level.
  std::map<std::pair<identity::OwnerId, assets::PrivacyLevel>, Views> unused_;
  std::map<crypto::Digest, Views> used_;
  std::size_t views_ = 0;
};

}  // namespace hm::node
