// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/supply.h"

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;

}  // namespace

bool Supply::is_conserved() const {
  if (burned > minted) return false;
  const Wide held = Wide{balances.value} + escrows.value + Wide{bonds.value} + pools.value;
  return held == Wide{minted.value - burned.value};
}

bool mint(Supply& supply, Account& account, Amount balance, Amount bond) {
  const auto created = checked_add(balance, bond);
  if (!created) return false;
  const auto minted = checked_add(supply.minted, *created);
  if (!minted || *minted > kMaxSupply) return false;
  // No sum below can overflow: each is at most what was minted.
  supply.minted = *minted;
  supply.balances.value += balance.value;
  supply.bonds.value += bond.value;
  account.balance.value += balance.value;
  account.bond.value += bond.value;
  return true;
}

bool transfer(Account& from, Account& to, Amount amount) {
  const auto left = checked_sub(from.balance, amount);
  if (!left) return false;
  if (&from == &to) return true;
  const auto grown = checked_add(to.balance, amount);
  if (!grown) return false;
  from.balance = *left;
  to.balance = *grown;
  return true;
}

bool endow(Supply& supply, Account& sponsor, Account& to, Amount credit, Amount bond) {
  const auto cost = checked_add(credit, bond);
  if (!cost) return false;
  const auto left = checked_sub(sponsor.balance, *cost);
  if (!left) return false;
  // What moves was minted, so no sum below can overflow kMaxSupply.
  sponsor.balance = *left;
  to.balance.value += credit.value;
  to.bond.value += bond.value;
  supply.balances.value -= bond.value;
  supply.bonds.value += bond.value;
  return true;
}

}  // namespace hm::caesar
