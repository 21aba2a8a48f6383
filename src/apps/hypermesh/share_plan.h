// SPDX-License-Identifier: Apache-2.0
// What sharing takes besides the grants: a checked command, and assets that offer enough and show
// themselves openly enough for the grants to take effect. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/grant_words.h"
#include "core/assets/record.h"

namespace hm::cli {

// The options of 'hypermesh share', refused by name where they make no sense together.
struct ShareRequest {
  std::optional<assets::AssetKind> kind;  // otherwise an asset is named
  std::vector<GranteeWord> with;  // never empty: what the level stands for, if nobody is named
  std::optional<assets::PrivacyLevel> level;
};
Answer<ShareRequest> check_share(const Share& options, const LocalTime& local);

struct OwnAsset {
  assets::AssetId id;
  identity::NodeId node;
  std::uint64_t version = 0;
  assets::AssetTerms terms;
};

// True iff the machine says that the asset may be lent: neither retired nor failed, and not in use
// by the machine itself.
bool is_lendable(const assets::AssetTerms& terms);

// The part of the asset that the owner's unexpired grants give together, in percent, at most 100.
unsigned granted_percent(std::span<const privacy::Grant> grants, const OwnAsset& asset,
                         UnixMillis now);

// The terms with at least `percent` of what there is offered, and at `level` if one is given.
assets::AssetTerms opened(assets::AssetTerms terms, unsigned percent,
                          std::optional<assets::PrivacyLevel> level);

// Why the grants could never take effect on the asset at `level`, or why it cannot get there.
Outcome check_effect(std::span<const privacy::Grant> grants, const OwnAsset& asset,
                     std::optional<assets::PrivacyLevel> level);

}  // namespace hm::cli
