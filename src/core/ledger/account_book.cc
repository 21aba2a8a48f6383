// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/account_book.h"

#include <algorithm>
#include <limits>

#include "core/caesar/demurrage.h"
#include "core/ledger/limits.h"
#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// An account as it is at a later time, and what came about until then.
struct Advanced {
  caesar::Account account;
  caesar::Amount demurrage;
  caesar::Amount released;
  std::size_t entries = 0;  // of what was unbonding, the first so many
};

class Clock {
 public:
  Clock(const ChainRecord& chain, const OwnerRecord& owner)
      : chain_(chain), day_(owner.demurrage_day), result_{.account = owner.account} {}

  Advanced run(const UnbondingRecord* unbonding, UnixMillis now) {
    if (unbonding != nullptr) {
      for (const UnbondingEntry& entry : unbonding->entries) {
        if (entry.release > now) break;  // they stand in the order of their release
        charge_until(entry.release);
        result_.account.unbonding.value -= entry.amount.value;
        result_.account.balance.value += entry.amount.value;
        result_.released.value += entry.amount.value;
        ++result_.entries;
      }
    }
    charge_until(now);
    return result_;
  }

 private:
  void charge_until(UnixMillis time) {
    const std::uint64_t day = caesar::day_of(chain_.genesis_time, time);
    if (day <= day_) return;
    caesar::Amount& balance = result_.account.balance;
    const caesar::Amount left =
        caesar::after_demurrage(balance, chain_.economy.demurrage_ppm_per_day, day - day_);
    result_.demurrage.value += balance.value - left.value;
    balance = left;
    day_ = day;
  }

  const ChainRecord& chain_;
  std::uint64_t day_;
  Advanced result_;
};

}  // namespace

caesar::Account account_at(const ChainRecord& chain, const OwnerRecord& owner,
                           const UnbondingRecord* unbonding, UnixMillis now) {
  return Clock(chain, owner).run(unbonding, now).account;
}

caesar::Account& AccountBook::at(const identity::OwnerId& id) {
  OwnerRecord& owner = layer_.owners.edit(id);
  const ChainRecord& chain = layer_.chain();
  const UnbondingRecord* waiting = layer_.unbondings.find(id);
  const Advanced advanced = Clock(chain, owner).run(waiting, frame_.time);
  owner.demurrage_day =
      std::max(owner.demurrage_day, caesar::day_of(chain.genesis_time, frame_.time));
  if (advanced.entries > 0) {
    HM_CHECK(move(caesar::unbonding_of(owner.account), caesar::balance_of(owner.account),
                  advanced.released));
    if (advanced.entries == waiting->entries.size()) {
      layer_.unbondings.remove(id);
    } else {
      auto& entries = layer_.unbondings.edit(id).entries;
      entries.erase(entries.begin(),
                    entries.begin() + static_cast<std::ptrdiff_t>(advanced.entries));
    }
  }
  if (advanced.demurrage.value > 0) {
    HM_CHECK(move(caesar::balance_of(owner.account),
                  caesar::as_pool(layer_.edit_pools().validators), advanced.demurrage));
  }
  HM_CHECK(owner.account == advanced.account);
  return owner.account;
}

bool AccountBook::move(caesar::Holding from, caesar::Holding to, caesar::Amount amount) {
  return caesar::transfer(layer_.edit_supply(), from, to, amount);
}

std::optional<Refused> AccountBook::check_unbondings(const identity::OwnerId& owner) const {
  const UnbondingRecord* waiting = layer_.unbondings.find(owner);
  if (waiting == nullptr || waiting->entries.size() < kMaxUnbondings) return std::nullopt;
  return Refused{Refusal::TooManyUnbondings, waiting->entries.size(), kMaxUnbondings};
}

void AccountBook::release_later(const identity::OwnerId& owner, caesar::Amount amount,
                                std::optional<identity::NodeId> validator) {
  std::uint64_t release = 0;
  if (__builtin_add_overflow(frame_.time.value, layer_.chain().economy.unbonding_ms, &release)) {
    release = kNever;
  }
  // Block time never goes back, so that a new entry is the last.
  layer_.unbondings.edit_or_add(owner).entries.push_back({amount, UnixMillis{release}, validator});
}

}  // namespace hm::ledger
