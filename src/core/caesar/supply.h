// SPDX-License-Identifier: Apache-2.0
// Where every unit of CAES is. The conservation law
//   minted − burned = Σ balances + escrows + bonds + pools
// is checked after every block in every build. The sums are kept incrementally; a full recount over
// the accounts (Ledger::recount) must give the same supply.
#pragma once

#include <tuple>

#include "core/caesar/amount.h"

namespace hm::caesar {

// What one owner holds.
struct Account {
  Amount balance;  // free to transfer
  Amount bond;     // bonded stake: backs operations and validators, cannot be transferred

  bool operator==(const Account&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.balance, self.bond); }
};

struct Supply {
  Amount minted;
  Amount burned;
  Amount balances;
  Amount escrows;
  Amount bonds;
  Amount pools;

  bool operator==(const Supply&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.minted, self.burned, self.balances, self.escrows, self.bonds, self.pools);
  }

  // True iff the conservation law holds, computed over 128 bits.
  bool is_conserved() const;
};

// Creates `balance` and `bond` out of nothing into an account; only genesis does this. False if
// the supply would pass kMaxSupply; then nothing changed.
bool mint(Supply& supply, Account& account, Amount balance, Amount bond);

// Moves free units. False if `from` holds less or `to` would overflow; then nothing changed.
bool transfer(Account& from, Account& to, Amount amount);

// Takes credit + bond from the sponsor's balance: credit becomes the other's balance, bond its
// bond. False if the sponsor holds less; then nothing changed.
bool endow(Supply& supply, Account& sponsor, Account& to, Amount credit, Amount bond);

}  // namespace hm::caesar
