// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/caesar/delegation.h"
#include "core/ledger/execution.h"
#include "foundation/base/check.h"

namespace hm::ledger {

Execution::Checked Execution::act(const TransferCaes& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  if (action.to == acting_.owner) return refuse(Refusal::TransferToSelf);
  if (layer_.owners.find(action.to) == nullptr) return refuse(Refusal::UnknownOwner);
  caesar::Account& from = accounts_.at(acting_.owner);
  if (action.amount > from.balance) {
    return refuse(Refusal::OverBalance, from.balance.value, action.amount.value);
  }
  caesar::Account& to = accounts_.at(action.to);
  HM_CHECK(accounts_.move(caesar::balance_of(from), caesar::balance_of(to), action.amount));
  return std::nullopt;
}

Execution::Checked Execution::act(const Bond& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  caesar::Account& account = accounts_.at(acting_.owner);
  if (!accounts_.move(caesar::balance_of(account), caesar::bond_of(account), action.amount)) {
    return refuse(Refusal::OverBalance, account.balance.value, action.amount.value);
  }
  return std::nullopt;
}

Execution::Checked Execution::act(const Unbond& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  caesar::Account& account = accounts_.at(acting_.owner);
  if (const auto refused = accounts_.check_unbondings(acting_.owner)) return refused;
  const OwnerRecord& owner = *layer_.owners.find(acting_.owner);
  // What backs a validator backs its votes; what backs records keeps the ledger small.
  const auto records =
      caesar::scale(policy_of(layer_.chain().preset).bond_per_record, owner.records_created, 1);
  const caesar::Amount tied = std::max(owner.staked, records.value_or(caesar::Amount{UINT64_MAX}));
  const caesar::Amount bond = owner.account.bond;
  const caesar::Amount loose{bond.value - std::min(bond, tied).value};
  if (action.amount > loose) {
    return refuse(Refusal::BondTied, action.amount.value, loose.value);
  }
  HM_CHECK(accounts_.move(caesar::bond_of(account), caesar::unbonding_of(account), action.amount));
  accounts_.release_later(acting_.owner, action.amount);
  return std::nullopt;
}

Execution::Checked Execution::act(const Delegate& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  if (!layer_.validators.contains(action.validator)) return refuse(Refusal::NotAValidator);
  caesar::Account& account = accounts_.at(acting_.owner);
  if (action.amount > account.balance) {
    return refuse(Refusal::OverBalance, account.balance.value, action.amount.value);
  }
  caesar::DelegationPool& pool = layer_.validators.edit(action.validator).delegated;
  const auto deposited =
      caesar::deposit(layer_.edit_supply(), pool, caesar::balance_of(account), action.amount);
  if (!deposited) return refuse(Refusal::DelegationRefused, action.amount.value);
  layer_.delegations.edit_or_add({action.validator, acting_.owner}).shares += deposited->shares;
  return std::nullopt;
}

Execution::Checked Execution::act(const Undelegate& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  if (!layer_.validators.contains(action.validator)) return refuse(Refusal::NotAValidator);
  caesar::Account& account = accounts_.at(acting_.owner);
  if (const auto refused = accounts_.check_unbondings(acting_.owner)) return refused;
  const DelegationKey key{action.validator, acting_.owner};
  const DelegationRecord* held = layer_.delegations.find(key);
  const std::uint64_t shares = held != nullptr ? held->shares : 0;
  if (action.shares > shares) return refuse(Refusal::NotEnoughShares, action.shares, shares);
  caesar::DelegationPool& pool = layer_.validators.edit(action.validator).delegated;
  const auto paid =
      caesar::withdraw(layer_.edit_supply(), pool, action.shares, caesar::unbonding_of(account));
  if (!paid) return refuse(Refusal::DelegationRefused, action.shares);
  if (paid->value > 0) accounts_.release_later(acting_.owner, *paid, action.validator);
  if (action.shares == shares) {
    layer_.delegations.remove(key);
  } else {
    layer_.delegations.edit(key).shares -= action.shares;
  }
  return std::nullopt;
}

}  // namespace hm::ledger
