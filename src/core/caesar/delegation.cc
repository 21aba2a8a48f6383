// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/delegation.h"

#include <limits>

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;

// A pool paid out of itself would create shares for nothing.
bool move_stake(Supply& supply, Holding from, Holding to, Amount amount) {
  return &from.amount != &to.amount && transfer(supply, from, to, amount);
}

// What so many shares cost: their part of the total, rounded up. Requires: pool.shares > 0.
Amount price_of(const DelegationPool& pool, std::uint64_t shares) {
  const Wide product = Wide{shares} * pool.total.value;
  return Amount{
      static_cast<std::uint64_t>(product / pool.shares + (product % pool.shares != 0 ? 1 : 0))};
}

}  // namespace

Result<Deposited, DelegationError> deposit(Supply& supply, DelegationPool& pool, Holding from,
                                           Amount amount) {
  using enum DelegationError;
  Deposited bought{amount.value, amount};
  if (pool.shares > 0) {
    if (pool.total == Amount{}) return fail(PoolEmptied);
    const Wide shares = Wide{amount.value} * pool.shares / pool.total.value;
    if (shares > std::numeric_limits<std::uint64_t>::max() - pool.shares) {
      return fail(SharesOverflow);
    }
    bought.shares = static_cast<std::uint64_t>(shares);
    bought.paid = price_of(pool, bought.shares);
  }
  if (bought.shares == 0) return fail(BelowOneShare);
  if (!move_stake(supply, from, as_stake(pool.total), bought.paid)) return fail(TransferRefused);
  pool.shares += bought.shares;
  return bought;
}

Result<Amount, DelegationError> withdraw(Supply& supply, DelegationPool& pool, std::uint64_t shares,
                                         Holding to) {
  using enum DelegationError;
  if (shares == 0) return fail(BelowOneShare);
  if (shares > pool.shares) return fail(NotEnoughShares);
  const Amount worth = *scale(pool.total, shares, pool.shares);
  if (!move_stake(supply, as_stake(pool.total), to, worth)) return fail(TransferRefused);
  pool.shares -= shares;
  return worth;
}

Result<void, DelegationError> reward(Supply& supply, DelegationPool& pool, Holding from,
                                     Amount amount) {
  using enum DelegationError;
  // Units in a pool without shares would go to whoever deposits next.
  if (pool.shares == 0) return fail(NoShares);
  if (!move_stake(supply, from, as_stake(pool.total), amount)) return fail(TransferRefused);
  return {};
}

Result<Amount, DelegationError> slash(Supply& supply, DelegationPool& pool, Ratio part) {
  using enum DelegationError;
  if (!part.is_part()) return fail(BadRatio);
  const Amount burned = *scale(pool.total, part.numerator, part.denominator);
  if (!burn(supply, as_stake(pool.total), burned)) return fail(TransferRefused);
  return burned;
}

}  // namespace hm::caesar
