// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/economy.h"

#include "foundation/base/check.h"

namespace hm::caesar {

std::string_view text_of(EconomyError error) {
  switch (error) {
    case EconomyError::EpochWithoutBlocks: return "an epoch needs at least one block";
    case EconomyError::EmissionTooLarge: return "the emission exceeds the largest supply";
    case EconomyError::ProviderPartTooLarge: return "the providers' part exceeds the emission";
    case EconomyError::FeeTooLarge: return "the fee exceeds the payment";
    case EconomyError::RewardTooLarge: return "the reward exceeds two thirds of the fee";
    case EconomyError::CommissionTooLarge: return "the commission exceeds what delegators earn";
    case EconomyError::DemurrageTooLarge: return "demurrage takes a whole balance in a day";
    case EconomyError::StarterPoolTooLarge: return "the starter pool exceeds the largest supply";
    case EconomyError::StarterCreditTooLarge: return "the starter credit exceeds the starter pool";
    case EconomyError::NoUnbonding: return "unbonding takes no time";
  }
  return "unknown";
}

Result<void, EconomyError> validate(const Economy& economy) {
  using enum EconomyError;
  if (economy.epoch_blocks == 0) return fail(EpochWithoutBlocks);
  if (economy.epoch_emission > kMaxSupply) return fail(EmissionTooLarge);
  if (economy.provider_ppm > kPpm) return fail(ProviderPartTooLarge);
  if (economy.fee_ppm > kPpm) return fail(FeeTooLarge);
  if (std::uint64_t{3} * economy.reward_ppm > std::uint64_t{2} * economy.fee_ppm) {
    return fail(RewardTooLarge);
  }
  if (economy.commission_ppm > kPpm) return fail(CommissionTooLarge);
  if (economy.demurrage_ppm_per_day >= kPpm) return fail(DemurrageTooLarge);
  if (economy.starter_pool > kMaxSupply) return fail(StarterPoolTooLarge);
  if (economy.starter_credit > economy.starter_pool) return fail(StarterCreditTooLarge);
  if (economy.unbonding_ms == 0) return fail(NoUnbonding);
  return {};
}

Amount emission(const Economy& economy, std::uint64_t epoch) {
  if (economy.halving_epochs == 0) return economy.epoch_emission;
  const std::uint64_t halvings = epoch / economy.halving_epochs;
  return Amount{halvings < 64 ? economy.epoch_emission.value >> halvings : 0};
}

Amount providers_part(const Economy& economy, Amount emitted) {
  HM_CHECK(economy.provider_ppm <= kPpm);
  return *scale(emitted, economy.provider_ppm, kPpm);
}

std::optional<Amount> sum(const Pools& pools) {
  const auto paid_for_work = checked_add(pools.validators, pools.providers);
  return paid_for_work ? checked_add(*paid_for_work, pools.starter) : std::nullopt;
}

}  // namespace hm::caesar
