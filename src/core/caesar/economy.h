// SPDX-License-Identifier: Apache-2.0
// The numbers that steer CAES, fixed by a chain's genesis, and the pools that they feed. Parts are
// in ppm, millionths. What is paid out of the pools to whom is in settlement.h and rewards.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#include "core/caesar/amount.h"
#include "foundation/base/result.h"

namespace hm::caesar {

inline constexpr std::uint32_t kPpm = 1'000'000;  // the whole

struct Economy {
  std::uint64_t epoch_blocks = 1;    // length of an epoch
  Amount epoch_emission;             // minted at the end of an epoch, before any halving
  std::uint64_t halving_epochs = 0;  // the emission halves after so many epochs; 0: never
  std::uint32_t provider_ppm = 0;  // of the emission, to the providers' pool; the rest validators'
  std::uint32_t fee_ppm = 0;       // of each settled payment, to the validators' pool
  std::uint32_t reward_ppm = 0;    // of each settled payment, to its provider, from their pool
  std::uint32_t commission_ppm = 0;         // of what delegators earn, to the validator's owner
  std::uint32_t demurrage_ppm_per_day = 0;  // of a balance; 0: none
  Amount starter_credit;                    // to each newly registered owner, from the starter pool
  Amount starter_pool;                      // minted at genesis
  std::uint64_t unbonding_ms = 1;           // from leaving a bond to being balance

  bool operator==(const Economy&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.epoch_blocks, self.epoch_emission, self.halving_epochs, self.provider_ppm,
                    self.fee_ppm, self.reward_ppm, self.commission_ppm, self.demurrage_ppm_per_day,
                    self.starter_credit, self.starter_pool, self.unbonding_ms);
  }
};

enum class EconomyError : std::uint8_t {
  EpochWithoutBlocks,     // epoch_blocks is 0
  EmissionTooLarge,       // epoch_emission exceeds kMaxSupply
  ProviderPartTooLarge,   // provider_ppm exceeds the whole
  FeeTooLarge,            // fee_ppm exceeds the whole
  RewardTooLarge,         // reward_ppm exceeds two thirds of fee_ppm
  CommissionTooLarge,     // commission_ppm exceeds the whole
  DemurrageTooLarge,      // demurrage_ppm_per_day is the whole or more
  StarterPoolTooLarge,    // starter_pool exceeds kMaxSupply
  StarterCreditTooLarge,  // starter_credit exceeds starter_pool
  NoUnbonding,            // unbonding_ms is 0: stake could leave before evidence arrives
};

// The rule in one sentence.
std::string_view text_of(EconomyError error);

// The first broken rule in the order of the enumeration.
//
// Why two thirds: who trades with itself pays the fee and gets back the reward, and, with a part s
// of the stake behind its validators, a part s of the fee. Below a third of the stake, the most
// that the mesh tolerates in one hand, reward ≤ 2/3 fee leaves it with a loss.
Result<void, EconomyError> validate(const Economy& economy);

// What the schedule mints at the end of this epoch; the first is epoch 0. Rounded down at each
// halving. Never above epoch_emission; the caller also minds mintable().
Amount emission(const Economy& economy, std::uint64_t epoch);

// The providers' part of an emission, rounded down; the rest is the validators'. Requires: a valid
// economy.
Amount providers_part(const Economy& economy, Amount emitted);

// Units that belong to nobody yet.
struct Pools {
  Amount validators;
  Amount providers;
  Amount starter;

  bool operator==(const Pools&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.validators, self.providers, self.starter);
  }
};

// Empty on overflow.
std::optional<Amount> sum(const Pools& pools);

}  // namespace hm::caesar
