// SPDX-License-Identifier: Apache-2.0
// How one payment for metered use is divided. Computes only; the caller moves the units.
#pragma once

#include <optional>

#include "core/caesar/amount.h"
#include "core/caesar/economy.h"

namespace hm::caesar {

struct Split {
  Amount provider;  // of the payment
  Amount fee;       // of the payment, to the validators' pool; provider + fee is the payment
  Amount reward;    // on top, out of the providers' pool

  bool operator==(const Split&) const = default;
};

// fee = ⌊payment · fee_ppm / 10⁶⌋. reward = ⌊⌊payment · reward_ppm / 10⁶⌋ · multiplier⌋, at most
// ⌊2/3 fee⌋ and at most the pool; so it is less than the fee, or nothing, also where rounding or a
// small payment would say otherwise.
// Empty if the multiplier is above the whole or its denominator 0. Requires: a valid economy.
std::optional<Split> split(Amount payment, const Economy& economy, Ratio multiplier,
                           Amount providers_pool);

}  // namespace hm::caesar
