// SPDX-License-Identifier: Apache-2.0
// Owners' accounts in a layer, brought up to the block's time before they are read or written: the
// demurrage of past days is paid, and stake whose unbonding time is over is balance again, from
// that day on. So it makes no difference how often an account is touched.
#pragma once

#include <optional>

#include "core/ledger/layer.h"
#include "core/ledger/rules.h"

namespace hm::ledger {

// What an account holds at `now` once it is brought up to date; the record itself may lag behind.
caesar::Account account_at(const ChainRecord& chain, const OwnerRecord& owner,
                           const UnbondingRecord* unbonding, UnixMillis now);

class AccountBook {
 public:
  AccountBook(Layer& layer, const Frame& frame) : layer_(layer), frame_(frame) {}

  // Requires: the owner is registered. The account lives until the owner's row is absorbed.
  caesar::Account& at(const identity::OwnerId& owner);

  // False, with nothing changed, if the account or the compartment holds less.
  bool move(caesar::Holding from, caesar::Holding to, caesar::Amount amount);

  // Refuses when too many amounts of the owner are unbonding. Requires: at() was called.
  std::optional<Refused> check_unbondings(const identity::OwnerId& owner) const;
  // An amount that has become `unbonding` of the owner's account returns to its balance after the
  // unbonding time. Requires: check_unbondings() passed.
  void release_later(const identity::OwnerId& owner, caesar::Amount amount,
                     std::optional<identity::NodeId> validator = std::nullopt);

 private:
  Layer& layer_;
  const Frame& frame_;
};

}  // namespace hm::ledger
