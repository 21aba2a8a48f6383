// SPDX-License-Identifier: Apache-2.0
// How validators share their pool, and how one validator's reward is divided between its owner and
// its delegators. Computes only; the caller moves the units.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/caesar/amount.h"

namespace hm::caesar {

// ⌊pool · stake / Σ stakes⌋ for each stake, in order. Together at most the pool; what rounding
// leaves stays in it. All 0 if the stakes are.
std::vector<Amount> share_out(Amount pool, std::span<const Amount> stakes);

struct ValidatorReward {
  Amount owner;
  Amount delegators;  // owner + delegators is the reward

  bool operator==(const ValidatorReward&) const = default;
};

// The delegators get their part by stake, rounded down, less the commission, rounded up; the owner
// gets the rest. Everything is the owner's if nothing is delegated. Requires: commission_ppm ≤ 10⁶.
ValidatorReward divide(Amount reward, Amount own_stake, Amount delegated,
                       std::uint32_t commission_ppm);

}  // namespace hm::caesar
