// SPDX-License-Identifier: Apache-2.0
// Any sequence of moves over a few accounts, escrows, pools and a delegation pool. After each step
// every holding is what a plain model of it says, and no unit was made or lost.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/caesar/delegation.h"
#include "core/caesar/demurrage.h"
#include "core/caesar/economy.h"
#include "core/caesar/rewards.h"
#include "core/caesar/settlement.h"
#include "core/caesar/slashing.h"
#include "core/caesar/supply.h"
#include "foundation/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace hm::caesar;

constexpr std::size_t kOwners = 3;
// Each owner's balance, bond and unbonding, two escrows, three pools, the delegated total.
constexpr std::size_t kHoldings = 3 * kOwners + 2 + 3 + 1;
constexpr std::size_t kEscrow = 9, kValidators = 11, kProviders = 12, kDelegated = 14;
constexpr std::size_t kMaxSteps = 500;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *at_++;
  }
  std::size_t below(std::size_t bound) { return byte() % bound; }
  // Small, of any size, or just about what is there.
  Amount amount(std::uint64_t there) {
    const std::uint8_t kind = byte();
    if (kind < 128) return Amount{kind};
    if (kind < 192) return Amount{there - 1 + kind % 3};
    std::uint64_t value = 0;
    for (int i = 0; i < kind % 9; ++i) value = value << 8 | byte();
    return Amount{value};
  }

 private:
  const std::uint8_t* at_;
  std::size_t left_;
};

class World {
 public:
  void step(Input& in) {
    const std::uint8_t what = in.byte();
    const std::size_t from = in.below(kHoldings);
    const std::size_t to = in.below(kHoldings);
    const Amount amount = in.amount(expected_[from]);
    const Supply before = supply_;
    if (!act(what % 9, from, to, amount, in)) HM_CHECK(supply_ == before);
    check();
  }

 private:
  Holding holding(std::size_t i) {
    if (i < 3 * kOwners) {
      Account& account = accounts_[i / 3];
      return i % 3 == 0 ? balance_of(account)
                        : (i % 3 == 1 ? bond_of(account) : unbonding_of(account));
    }
    switch (i) {
      case kEscrow: return as_escrow(escrows_[0]);
      case kEscrow + 1: return as_escrow(escrows_[1]);
      case kValidators: return as_pool(pools_.validators);
      case kProviders: return as_pool(pools_.providers);
      case kProviders + 1: return as_pool(pools_.starter);
      default: return as_stake(delegation_.total);
    }
  }

  bool act(int what, std::size_t from, std::size_t to, Amount amount, Input& in) {
    switch (what) {
      case 0: return create(to, amount);
      case 1: return end(from, amount);
      case 2: return buy(from, to % kOwners, amount);
      case 3: return sell(from % kOwners, to, amount.value);
      case 4: return earn(from, amount);
      case 5: return punish({amount.value, std::uint64_t{in.byte()} * in.byte()});
      case 6: return settle(from, to, amount, in);
      case 7: return charge(from % kOwners * 3, in.byte(), in.byte());
      default: return move(from, to, amount);
    }
  }

  // The delegated total changes only through the delegation pool, as in a ledger.
  bool move(std::size_t from, std::size_t to, Amount amount) {
    if (from == kDelegated || to == kDelegated) return false;
    const bool done = transfer(supply_, holding(from), holding(to), amount);
    HM_CHECK(done == (amount.value <= expected_[from]));
    if (done) moved(from, to, amount);
    return done;
  }

  bool create(std::size_t to, Amount amount) {
    if (to == kDelegated) return false;
    const bool done = mint(supply_, holding(to), amount);
    HM_CHECK(done == (amount.value <= kMaxSupply.value - minted_));
    if (!done) return false;
    minted_ += amount.value;
    expected_[to] += amount.value;
    return true;
  }

  bool end(std::size_t from, Amount amount) {
    if (from == kDelegated) return false;
    const Amount slashed =
        slash_amount(Amount{expected_[from]}, Fault::DoubleVote, amount, supply_.bonds);
    HM_CHECK(slashed.value <= expected_[from]);
    HM_CHECK(burn(supply_, holding(from), slashed));
    expected_[from] -= slashed.value;
    burned_ += slashed.value;
    return true;
  }

  bool buy(std::size_t from, std::size_t who, Amount amount) {
    const auto bought = deposit(supply_, delegation_, holding(from), amount);
    if (!bought) return false;
    HM_CHECK(bought->shares > 0 && bought->paid <= amount);
    shares_[who] += bought->shares;
    moved(from, kDelegated, bought->paid);
    return true;
  }

  bool sell(std::size_t who, std::size_t to, std::uint64_t count) {
    const std::uint64_t shares = std::min(count, shares_[who]);
    const auto paid = withdraw(supply_, delegation_, shares, holding(to));
    if (!paid) return false;
    shares_[who] -= shares;
    moved(kDelegated, to, *paid);
    return true;
  }

  bool earn(std::size_t from, Amount amount) {
    if (!reward(supply_, delegation_, holding(from), amount)) return false;
    moved(from, kDelegated, amount);
    return true;
  }

  bool punish(Ratio part) {
    const auto gone = slash(supply_, delegation_, part);
    HM_CHECK(gone.has_value() == part.is_part());
    if (!gone) return false;
    expected_[kDelegated] -= gone->value;
    burned_ += gone->value;
    return true;
  }

  bool settle(std::size_t from, std::size_t to, Amount amount, Input& in) {
    const Amount payment = std::min(amount, Amount{expected_[kEscrow]});
    Economy economy;
    economy.fee_ppm = std::uint32_t{in.byte()} * 3900;
    economy.reward_ppm = economy.fee_ppm * 2 / 3;
    HM_CHECK(validate(economy).has_value());
    const auto parts = split(payment, economy, {from, kHoldings}, pools_.providers);
    HM_CHECK(parts && checked_add(parts->provider, parts->fee) == payment);
    HM_CHECK(parts->reward < parts->fee || parts->reward == Amount{});
    const std::size_t provider = to % kOwners * 3;
    HM_CHECK(move(kEscrow, provider, parts->provider));
    HM_CHECK(move(kEscrow, kValidators, parts->fee));
    HM_CHECK(move(kProviders, provider, parts->reward));
    std::array<Amount, kOwners> bonds;
    for (std::size_t i = 0; i < kOwners; ++i) bonds[i] = accounts_[i].bond;
    const auto shares = share_out(pools_.validators, bonds);
    for (std::size_t i = 0; i < kOwners; ++i) HM_CHECK(move(kValidators, 3 * i + 1, shares[i]));
    return true;
  }

  bool charge(std::size_t balance, std::uint32_t ppm, std::uint64_t days) {
    const Amount left = after_demurrage(Amount{expected_[balance]}, ppm * 100, days);
    HM_CHECK(left.value <= expected_[balance]);
    return move(balance, kProviders, Amount{expected_[balance] - left.value});
  }

  void moved(std::size_t from, std::size_t to, Amount amount) {
    expected_[from] -= amount.value;
    expected_[to] += amount.value;
  }

  void check() {
    Supply sums{Amount{minted_}, Amount{burned_}, {}, {}, {}, {}};
    for (std::size_t i = 0; i < kHoldings; ++i) {
      const Holding held = holding(i);
      HM_CHECK(held.amount.value == expected_[i]);
      (sums.*held.compartment).value += expected_[i];
    }
    HM_CHECK(supply_ == sums && supply_.is_conserved());
    HM_CHECK(delegation_.shares ==
             std::accumulate(shares_.begin(), shares_.end(), std::uint64_t{0}));
    HM_CHECK(delegation_.shares > 0 || delegation_.total == Amount{});
  }

  Supply supply_;
  std::array<Account, kOwners> accounts_;
  std::array<Amount, 2> escrows_;
  Pools pools_;
  DelegationPool delegation_;
  std::array<std::uint64_t, kOwners> shares_{};
  std::array<std::uint64_t, kHoldings> expected_{};
  std::uint64_t minted_ = 0;
  std::uint64_t burned_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  World world;
  for (std::size_t i = 0; i < kMaxSteps && !in.empty(); ++i) world.step(in);
  return 0;
}
