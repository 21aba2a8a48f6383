// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/epoch.h"

#include <algorithm>

#include "core/caesar/delegation.h"
#include "core/caesar/rewards.h"
#include "core/ledger/account_book.h"
#include "foundation/base/check.h"

namespace hm::ledger {

bool ends_epoch(const caesar::Economy& economy, std::uint64_t height) {
  return height > 0 && height % economy.epoch_blocks == 0;
}

void end_epoch(Layer& layer, const Frame& frame,
               const std::map<identity::NodeId, ValidatorRecord>& validators) {
  const caesar::Economy& economy = layer.chain().economy;
  caesar::Supply& supply = layer.edit_supply();
  caesar::Pools& pools = layer.edit_pools();
  const std::uint64_t epoch = frame.height / economy.epoch_blocks - 1;
  const caesar::Amount emitted =
      std::min(caesar::emission(economy, epoch), caesar::mintable(supply));
  const caesar::Amount for_providers = caesar::providers_part(economy, emitted);
  HM_CHECK(caesar::mint(supply, caesar::as_pool(pools.providers), for_providers));
  HM_CHECK(caesar::mint(supply, caesar::as_pool(pools.validators),
                        caesar::Amount{emitted.value - for_providers.value}));

  std::vector<caesar::Amount> stakes;
  stakes.reserve(validators.size());
  for (const auto& [node, validator] : validators) {
    // Both are parts of the bonds, so that no sum overflows.
    stakes.push_back(caesar::Amount{validator.stake.value - validator.slashed.value +
                                    validator.delegated.total.value});
  }
  const auto rewards = caesar::share_out(pools.validators, stakes);
  AccountBook accounts(layer, frame);
  auto reward = rewards.begin();
  for (const auto& [node, before] : validators) {
    const caesar::ValidatorReward parts =
        caesar::divide(*reward++, caesar::Amount{before.stake.value - before.slashed.value},
                       before.delegated.total, economy.commission_ppm);
    const auto pool = caesar::as_pool(pools.validators);
    if (parts.owner.value > 0) {
      caesar::Account& account = accounts.at(layer.nodes.find(node)->binding.owner);
      HM_CHECK(accounts.move(pool, caesar::balance_of(account), parts.owner));
    }
    if (parts.delegators.value > 0) {
      HM_CHECK(caesar::reward(supply, layer.validators.edit(node).delegated, pool, parts.delegators)
                   .has_value());
    }
  }
}

}  // namespace hm::ledger
