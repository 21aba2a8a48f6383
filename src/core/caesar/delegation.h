// SPDX-License-Identifier: Apache-2.0
// Stake that others put behind a validator. A pool holds one total; a delegator holds shares of it,
// so a reward or a slashing changes everybody's part in one step.
//
// What one share is worth, total / shares, falls only by slash(): a deposit pays for its shares
// rounded up, a withdrawal gets paid rounded down. So nobody gains by any sequence of deposits and
// withdrawals, and together delegators take out at most what came in and was rewarded.
//
// Making a share dear does not steal from the next depositor (the "inflation attack" on pools of
// shares): a deposit takes only what its whole shares cost and leaves the rest where it is, so the
// depositor loses less than one unit, and is refused when the amount does not buy one share. The
// first depositor gets one share for one unit, and a pool without shares holds nothing.
//
// The total counts in Supply::bonds. Who holds how many shares is the caller's record.
#pragma once

#include <cstdint>
#include <tuple>

#include "core/caesar/amount.h"
#include "core/caesar/supply.h"
#include "foundation/base/result.h"

namespace hm::caesar {

struct DelegationPool {
  Amount total;
  std::uint64_t shares = 0;

  bool operator==(const DelegationPool&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.total, self.shares); }
};

enum class DelegationError : std::uint8_t {
  BelowOneShare,    // the amount does not buy a share, or no share is withdrawn
  PoolEmptied,      // slashed to nothing: its shares are to be withdrawn before anyone deposits
  SharesOverflow,   // more shares than 64 bits hold
  NotEnoughShares,  // the pool has fewer
  NoShares,         // a reward for nobody
  BadRatio,         // above the whole, or nothing as the denominator
  TransferRefused,  // see transfer() and burn()
};

struct Deposited {
  std::uint64_t shares = 0;
  Amount paid;  // at most the amount offered; less by less than the price of a share
  bool operator==(const Deposited&) const = default;
};

// Each changes nothing if it fails.

// Buys shares from a holding, for at most `amount`.
Result<Deposited, DelegationError> deposit(Supply& supply, DelegationPool& pool, Holding from,
                                           Amount amount);

// Sells shares into a holding. What rounding leaves stays with the pool; who withdraws the last
// shares gets all. The result is what was paid, 0 if the shares are worth less than a unit.
Result<Amount, DelegationError> withdraw(Supply& supply, DelegationPool& pool, std::uint64_t shares,
                                         Holding to);

// Adds to what everybody's shares are worth.
Result<void, DelegationError> reward(Supply& supply, DelegationPool& pool, Holding from,
                                     Amount amount);

// Burns a part of the total, rounded down. The result is what was burned.
Result<Amount, DelegationError> slash(Supply& supply, DelegationPool& pool, Ratio part);

}  // namespace hm::caesar
