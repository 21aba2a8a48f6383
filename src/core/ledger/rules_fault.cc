// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/caesar/delegation.h"
#include "core/ledger/execution.h"
#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

bool is_within_window(const ValidatorRecord& validator, UnixMillis now, std::uint64_t window_ms) {
  return validator.faulted && now.value - std::min(now, *validator.faulted).value < window_ms;
}

caesar::Amount staked_now(const ValidatorRecord& validator) {
  return caesar::Amount{validator.stake.value - validator.slashed.value};
}

}  // namespace

Execution::Checked Execution::act(const ReportFault& action) {
  const auto& validators = layer_.genesis_validators();
  const auto proven = frame_.judge != nullptr
                          ? frame_.judge(action.evidence, layer_.chain().chain_id, validators)
                          : std::nullopt;
  if (!proven || !layer_.validators.contains(proven->validator)) {
    return refuse(Refusal::EvidenceProvesNothing);
  }
  const std::uint64_t window = layer_.chain().economy.unbonding_ms;
  // One punishment for what one machine does within a window, however often it did it.
  if (is_within_window(*layer_.validators.find(proven->validator), frame_.time, window)) {
    return refuse(Refusal::FaultKnown);
  }
  caesar::Amount also_at_fault;
  caesar::Amount total;
  for (const auto& [node, row] : validators) {
    const ValidatorRecord& validator = *layer_.validators.find(node);
    total.value += staked_now(validator).value;
    if (node != proven->validator && is_within_window(validator, frame_.time, window)) {
      also_at_fault.value += staked_now(validator).value;
    }
  }
  slash(proven->validator,
        caesar::slash_amount(staked_now(*layer_.validators.find(proven->validator)), proven->fault,
                             also_at_fault, total));
  return std::nullopt;
}

// Burns the amount of the validator's own stake and the same part of what was, and lately had been,
// delegated to it. Its voting weight stays as it is.
void Execution::slash(const identity::NodeId& node, caesar::Amount amount) {
  ValidatorRecord& validator = layer_.validators.edit(node);
  const caesar::Amount stake = staked_now(validator);
  const identity::OwnerId owner = layer_.nodes.find(node)->binding.owner;
  caesar::Supply& supply = layer_.edit_supply();
  HM_CHECK(caesar::burn(supply, caesar::bond_of(accounts_.at(owner)), amount));
  layer_.owners.edit(owner).staked.value -= amount.value;
  validator.slashed.value += amount.value;
  validator.faulted = frame_.time;
  if (stake.value == 0) return;
  if (validator.delegated.shares > 0) {
    HM_CHECK(caesar::slash(supply, validator.delegated, {amount.value, stake.value}).has_value());
  }
  for (const identity::OwnerId& delegator : layer_.unbondings.keys()) {
    const auto leaves_it = [&node](const UnbondingEntry& entry) { return entry.validator == node; };
    const auto& waiting = layer_.unbondings.find(delegator)->entries;
    if (std::ranges::none_of(waiting, leaves_it)) continue;
    // What was released by now is balance, out of reach.
    caesar::Account& account = accounts_.at(delegator);
    if (!layer_.unbondings.contains(delegator)) continue;
    for (UnbondingEntry& entry : layer_.unbondings.edit(delegator).entries) {
      if (!leaves_it(entry)) continue;
      const caesar::Amount part = *caesar::scale(entry.amount, amount.value, stake.value);
      HM_CHECK(caesar::burn(supply, caesar::unbonding_of(account), part));
      entry.amount.value -= part.value;
    }
  }
}

}  // namespace hm::ledger
