// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/rewards.h"

#include "core/caesar/economy.h"
#include "foundation/base/check.h"

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;

}  // namespace

std::vector<Amount> share_out(Amount pool, std::span<const Amount> stakes) {
  Wide total = 0;
  for (const Amount stake : stakes) total += stake.value;
  std::vector<Amount> shares(stakes.size());
  if (total == 0) return shares;
  for (std::size_t i = 0; i < stakes.size(); ++i) {
    shares[i].value = static_cast<std::uint64_t>(Wide{pool.value} * stakes[i].value / total);
  }
  return shares;
}

ValidatorReward divide(Amount reward, Amount own_stake, Amount delegated,
                       std::uint32_t commission_ppm) {
  HM_CHECK(commission_ppm <= kPpm);
  const Amount stakes[] = {own_stake, delegated};
  const Amount earned = share_out(reward, stakes)[1];
  // What is left after a commission rounded up is the complement rounded down.
  const Amount kept = *scale(earned, kPpm - commission_ppm, kPpm);
  return {Amount{reward.value - kept.value}, kept};
}

}  // namespace hm::caesar
