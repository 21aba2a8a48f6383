// SPDX-License-Identifier: Apache-2.0
// The five privacy levels: what each shows to whom, and as which grants it is spelled.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/caesar/amount.h"
#include "core/privacy/grant.h"

namespace hm::privacy {

// True iff a grant to such a grantee can take effect on an asset at this level:
//   Private: nobody · PrivateNetwork: owners, groups · P2P: the same ·
//   PublicNetwork: and certificate holders · FullPublic: and anyone.
bool admits(assets::PrivacyLevel level, const Grantee& to);

// What becomes known, to whom, and cannot be taken back, when an asset comes to this level: one
// sentence each, for the question that is asked before. Empty for Private.
std::span<const std::string_view> discloses(assets::PrivacyLevel level);

// Who is named beside the level: the groups of PrivateNetwork, the peers of P2P.
struct Named {
  std::vector<GroupId> groups;
  std::vector<identity::OwnerId> peers;
};

// The grants that the level stands for, each like `base` but for its grantee and number (base's
// number, then counting up). Private gives none; PrivateNetwork one for each group; P2P one for
// each peer; PublicNetwork one for every certificate of a root; FullPublic one for anyone.
std::vector<Grant> preset(assets::PrivacyLevel level, const Grant& base, const Named& named);

// The multiplier of provider rewards: 0, 1/4, 1/2, 3/4, 1.
caesar::Ratio reward_multiplier(assets::PrivacyLevel level);

}  // namespace hm::privacy
