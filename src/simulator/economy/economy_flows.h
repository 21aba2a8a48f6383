// SPDX-License-Identifier: Apache-2.0
// Every owner's money, followed from outside: after each block the change of what an owner has must
// be what the applied operations, the leases and the clock explain, to the unit. Knows the rules
// from their description and computes them anew; of the ledger it reads records only.
//   tenant:    − what was put into escrow, + what came back
//   provider:  + paid − fee + reward
//   and transfers, registrations, delegation, demurrage, rewards at the end of an epoch.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/ledger/ledger.h"
#include "simulator/checker.h"

namespace hm::simulator {

// The same unit goes round many times, so that these sums exceed all CAES.
__extension__ using WideAmount = unsigned __int128;

struct Turnover {
  std::uint64_t leases = 0;
  std::uint64_t moves = 0;
  // In units; escrowed = paid + refunded once every lease has ended, fees are part of what is paid.
  WideAmount escrowed = 0;
  WideAmount paid = 0;
  WideAmount fees = 0;
  WideAmount rewards = 0;
  WideAmount refunded = 0;
  WideAmount demurrage = 0;
};

class Flows {
 public:
  explicit Flows(const ledger::Ledger& genesis);

  // The ledger after the block. Checks: "flow", "lease_money".
  std::optional<Violation> after_block(const ledger::Ledger& ledger,
                                       std::span<const ledger::PreparedOperation> operations,
                                       const ledger::BlockOutcome& outcome);

  const Turnover& turnover() const { return turnover_; }

 private:
  struct Seen {
    caesar::Account account;
    std::uint64_t demurrage_day = 0;
    std::vector<ledger::UnbondingEntry> unbonding;
  };
  static std::uint64_t demurrage_between(const Seen& before, std::uint64_t day,
                                         const ledger::ChainRecord& chain);
  static Seen see(const ledger::Tables& tables, const identity::OwnerId& id);
  struct Earned {
    identity::OwnerId provider;
    std::uint64_t paid = 0;
    std::uint64_t fee = 0;
    std::uint64_t reward = 0;
  };
  struct Held {
    identity::OwnerId tenant;
    std::uint64_t funded = 0;  // all that the tenant ever put in
    std::uint64_t outlay = 0;  // what is still there, and what was paid
    bool is_open = true;
    std::vector<Earned> placements;
  };

  void end_epoch(const ledger::Ledger& ledger);
  void follow(const ledger::Ledger& ledger, const ledger::Operation& operation);
  std::optional<Violation> follow_lease(const ledger::LeaseId& id,
                                        const ledger::LeaseRecord* lease);
  std::optional<Violation> compare(const ledger::Ledger& ledger);

  std::map<identity::OwnerId, Seen> owners_;
  std::map<identity::NodeId, ledger::ValidatorRecord> validators_;
  caesar::Pools pools_;
  caesar::Supply supply_;
  std::map<ledger::LeaseId, Held> leases_;
  std::map<identity::OwnerId, std::int64_t> expected_;  // changes within this block
  Turnover turnover_;
};

}  // namespace hm::simulator
