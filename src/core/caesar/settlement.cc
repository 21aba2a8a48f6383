// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/settlement.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::caesar {

std::optional<Split> split(Amount payment, const Economy& economy, Ratio multiplier,
                           Amount providers_pool) {
  HM_CHECK(economy.fee_ppm <= kPpm && economy.reward_ppm <= kPpm);
  if (!multiplier.is_part()) return std::nullopt;
  const Amount fee = *scale(payment, economy.fee_ppm, kPpm);
  const Amount earned = *scale(*scale(payment, economy.reward_ppm, kPpm), multiplier.numerator,
                               multiplier.denominator);
  const Amount reward = std::min({earned, *scale(fee, 2, 3), providers_pool});
  return Split{Amount{payment.value - fee.value}, fee, reward};
}

}  // namespace hm::caesar
