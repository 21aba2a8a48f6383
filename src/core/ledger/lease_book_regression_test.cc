// SPDX-License-Identifier: Apache-2.0
// Small cases of what the random economy (simulator/economy.h) found.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/ledger/sample_chain.h"

namespace hm::ledger {
namespace {

using sample::asset_id;
using sample::Chain;
using sample::key;
using sample::node_id;
using sample::owner_id;

bool all_applied(const BlockOutcome& outcome) {
  return std::ranges::none_of(outcome.receipts,
                              [](const Receipt& receipt) { return receipt.refused.has_value(); });
}

BlockOutcome block_at(Chain& chain, UnixMillis time,
                      const std::vector<PreparedOperation>& operations) {
  return chain.ledger().apply({chain.ledger().height() + 1, {}, time}, operations);
}

TEST(LeaseBookRegression, AnAssetThatFailsEndsEachOfItsLeases) {
  Chain chain;
  const auto id = asset_id(chain.id(), 1);
  ASSERT_TRUE(all_applied(
      chain.block({chain.by_owner(0, RegisterAsset{id, node_id(key(1000)), sample::terms()})})));
  for (int i = 0; i < 3; ++i) {
    const OpenLease open{
        .choices = {{id, std::nullopt}}, .quantity = 1, .duration_ms = 60'000, .highest_price = {}};
    ASSERT_TRUE(all_applied(chain.block({chain.by_owner(0, open)})));
  }
  auto failed = sample::terms();
  failed.state = assets::AssetState::Failed;
  ASSERT_TRUE(all_applied(chain.block({chain.by_owner(0, UpdateAsset{id, 1, failed})})));
  ASSERT_EQ(chain.ledger().tables().leases.size(), 3u);
  for (const auto& [lease_id, lease] : chain.ledger().tables().leases) {
    EXPECT_EQ(lease.state, LeaseState::Failed);
    EXPECT_EQ(lease.placement.end, LeaseEnd::AssetGone);
  }
  EXPECT_TRUE(chain.ledger().tables().asset_uses.empty());
}

TEST(LeaseBookRegression, StakeThatIsDueDoesNotCountAsUnbonding) {
  Chain chain;
  // Owner 0's bond backs its validator; what it bonds now does not.
  ASSERT_TRUE(all_applied(chain.block({chain.by_owner(0, Bond{caesar::Amount{100}})})));
  for (std::size_t i = 0; i < kMaxUnbondings; ++i) {
    ASSERT_TRUE(all_applied(chain.block({chain.by_owner(0, Unbond{caesar::Amount{1}})})));
  }
  const auto full = chain.block({chain.by_owner(0, Unbond{caesar::Amount{1}})});
  EXPECT_EQ(full.receipts[0].refused->rule, Refusal::TooManyUnbondings);
  const UnixMillis later{chain.ledger().head().time.value +
                         chain.ledger().chain().economy.unbonding_ms};
  block_at(chain, later, {});
  EXPECT_TRUE(all_applied(block_at(chain, later, {chain.by_owner(0, Unbond{caesar::Amount{1}})})));
  EXPECT_EQ(chain.ledger().tables().unbondings.at(owner_id(0)).entries.size(), 1u);
}

}  // namespace
}  // namespace hm::ledger
