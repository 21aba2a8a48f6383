// SPDX-License-Identifier: Apache-2.0
// Where every unit of CAES is. The conservation law
//   minted − burned = Σ balances + escrows + bonds + pools
// is checked after every block in every build. The sums are kept incrementally; a full recount over
// the records (Ledger::recount) must give the same supply.
//
// Each unit lies in a *holding*: an amount in some record, counted by one of the four compartments.
// Units come into being in mint(), end in burn(), and move from holding to holding in transfer();
// nothing else changes an amount, so neither side of a move can be forgotten. Which moves an
// operation may make is not decided here.
#pragma once

#include <tuple>

#include "core/caesar/amount.h"

namespace hm::caesar {

// What one owner holds.
struct Account {
  Amount balance;    // free to transfer
  Amount bond;       // bonded stake: backs operations and validators, cannot be transferred
  Amount unbonding;  // stake that waits to become balance; can still be slashed

  bool operator==(const Account&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.balance, self.bond, self.unbonding);
  }
};

struct Supply {
  Amount minted;
  Amount burned;
  Amount balances;
  Amount escrows;
  Amount bonds;  // bonds, what is unbonding, and the totals of delegation pools
  Amount pools;

  bool operator==(const Supply&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.minted, self.burned, self.balances, self.escrows, self.bonds, self.pools);
  }

  // True iff the conservation law holds, computed over 128 bits.
  bool is_conserved() const;
};

// An amount in a record, and the compartment that counts it. Lives no longer than the record.
struct Holding {
  Amount& amount;
  Amount Supply::* compartment;
};

inline Holding balance_of(Account& account) { return {account.balance, &Supply::balances}; }
inline Holding bond_of(Account& account) { return {account.bond, &Supply::bonds}; }
inline Holding unbonding_of(Account& account) { return {account.unbonding, &Supply::bonds}; }
// The escrow of a lease, a pool, stake outside an account.
inline Holding as_escrow(Amount& amount) { return {amount, &Supply::escrows}; }
inline Holding as_pool(Amount& amount) { return {amount, &Supply::pools}; }
inline Holding as_stake(Amount& amount) { return {amount, &Supply::bonds}; }

// Moves units. False, with nothing changed, if `from` or its compartment holds less, `to` or its
// compartment would overflow, or both are one amount under two compartments. From a holding to
// itself changes nothing.
bool transfer(Supply& supply, Holding from, Holding to, Amount amount);

// What can still be minted before kMaxSupply is reached. What was burned does not come back.
Amount mintable(const Supply& supply);

// Creates units: at genesis, and as emission. False, with nothing changed, if more than mintable().
bool mint(Supply& supply, Holding to, Amount amount);

// Ends units: slashing. False, with nothing changed, if `from` or its compartment holds less.
bool burn(Supply& supply, Holding from, Amount amount);

}  // namespace hm::caesar
