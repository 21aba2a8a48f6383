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

bool transfer(Supply& supply, Holding from, Holding to, Amount amount) {
  if (&from.amount == &to.amount) {
    return from.compartment == to.compartment && amount <= from.amount;
  }
  const auto left = checked_sub(from.amount, amount);
  const auto grown = checked_add(to.amount, amount);
  if (!left || !grown) return false;
  if (from.compartment != to.compartment) {
    const auto compartment_left = checked_sub(supply.*from.compartment, amount);
    const auto compartment_grown = checked_add(supply.*to.compartment, amount);
    if (!compartment_left || !compartment_grown) return false;
    supply.*from.compartment = *compartment_left;
    supply.*to.compartment = *compartment_grown;
  }
  from.amount = *left;
  to.amount = *grown;
  return true;
}

Amount mintable(const Supply& supply) {
  return checked_sub(kMaxSupply, supply.minted).value_or(Amount{});
}

bool mint(Supply& supply, Holding to, Amount amount) {
  if (amount > mintable(supply)) return false;
  const auto grown = checked_add(to.amount, amount);
  const auto compartment_grown = checked_add(supply.*to.compartment, amount);
  if (!grown || !compartment_grown) return false;
  supply.minted.value += amount.value;
  supply.*to.compartment = *compartment_grown;
  to.amount = *grown;
  return true;
}

bool burn(Supply& supply, Holding from, Amount amount) {
  const auto left = checked_sub(from.amount, amount);
  const auto compartment_left = checked_sub(supply.*from.compartment, amount);
  const auto burned = checked_add(supply.burned, amount);
  if (!left || !compartment_left || !burned) return false;
  from.amount = *left;
  supply.*from.compartment = *compartment_left;
  supply.burned = *burned;
  return true;
}

}  // namespace hm::caesar
