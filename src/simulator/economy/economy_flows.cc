// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy_flows.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/caesar/demurrage.h"
#include "core/caesar/rewards.h"
#include "core/caesar/settlement.h"

namespace hm::simulator {
namespace {

using ledger::LeaseRecord;
using ledger::Ledger;

__extension__ using Wide = unsigned __int128;

// No sum exceeds all CAES, which is 2^60.
std::int64_t as_signed(std::uint64_t amount) { return static_cast<std::int64_t>(amount); }

std::int64_t wealth(const caesar::Account& account) {
  return as_signed(account.balance.value) + as_signed(account.bond.value) +
         as_signed(account.unbonding.value);
}

std::optional<ledger::LeaseId> lease_of(const ledger::StateWrite& write) {
  if (write.key.empty() || write.key[0] != static_cast<std::uint8_t>(ledger::Table::Lease)) {
    return std::nullopt;
  }
  ledger::LeaseId id;
  std::copy(write.key.begin() + 1, write.key.end(), id.bytes.begin());
  return id;
}

Violation money(const ledger::LeaseId& id, std::string_view what) {
  return {"lease_money", fmt::format("lease {}: {}", to_hex(ByteView(id.bytes).first(6)), what)};
}

// What must hold of one placement, whatever happened.
std::optional<std::string_view> wrong_placement(const LeaseRecord& lease,
                                                const ledger::Placement& placement, bool is_over) {
  const auto earned = caesar::cost(placement.price, lease.quantity, placement.counted_ms);
  if (!earned || placement.paid > *earned) return "more is paid than was delivered";
  // Whose result was outvoted is paid nothing more.
  const bool is_outvoted = placement.end == ledger::LeaseEnd::WrongResult;
  if (is_over && !is_outvoted && placement.paid != *earned) {
    return "what was delivered is not all paid";
  }
  if (placement.fee > placement.paid) return "the fee exceeds the payment";
  if (3 * Wide{placement.reward.value} > 2 * Wide{placement.fee.value}) {
    return "the reward exceeds two thirds of the fee";
  }
  return std::nullopt;
}

std::optional<std::string_view> wrong_lease(const LeaseRecord& lease) {
  std::uint64_t counted = lease.placement.counted_ms;
  std::uint64_t paid = lease.placement.paid.value;
  if (const auto wrong = wrong_placement(lease, lease.placement, !lease.is_open())) return wrong;
  for (const ledger::Placement& placement : lease.past) {
    counted += placement.counted_ms;
    paid += placement.paid.value;
    if (const auto wrong = wrong_placement(lease, placement, true)) return wrong;
  }
  if (counted > lease.duration_ms) return "more time is counted than was asked for";
  const auto funded = caesar::cost(lease.highest_price, lease.quantity, lease.duration_ms);
  if (!funded || paid > funded->value) return "more is paid than was put in escrow";
  const std::uint64_t rest = lease.is_open() ? funded->value - paid : 0;
  if (lease.escrow.value != rest) return "the escrow is not what is left";
  return std::nullopt;
}

}  // namespace

Flows::Flows(const Ledger& genesis) {
  for (const auto& [id, owner] : genesis.tables().owners) {
    owners_[id] = see(genesis.tables(), id);
  }
  validators_ = genesis.tables().validators;
  pools_ = genesis.tables().pools;
  supply_ = genesis.tables().supply;
}

std::optional<Violation> Flows::after_block(const Ledger& ledger,
                                            std::span<const ledger::PreparedOperation> operations,
                                            const ledger::BlockOutcome& outcome) {
  expected_.clear();
  if (ledger.height() % ledger.chain().economy.epoch_blocks == 0) end_epoch(ledger);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (!outcome.receipts[i].refused) follow(ledger, operations[i].operation);
  }
  for (const ledger::StateWrite& write : outcome.writes) {
    const auto id = lease_of(write);
    if (!id) continue;
    if (auto finding = follow_lease(*id, ledger.lease(*id))) return finding;
  }
  return compare(ledger);
}

// New units and the validators' pool, as they stood before the block.
void Flows::end_epoch(const Ledger& ledger) {
  const caesar::Economy& economy = ledger.chain().economy;
  const caesar::Amount emitted =
      std::min(caesar::emission(economy, ledger.height() / economy.epoch_blocks - 1),
               caesar::mintable(supply_));
  const caesar::Amount for_validators{emitted.value -
                                      caesar::providers_part(economy, emitted).value};
  std::vector<caesar::Amount> stakes;
  for (const auto& [node, validator] : validators_) {
    stakes.push_back(caesar::Amount{validator.stake.value + validator.delegated.total.value});
  }
  const auto shares =
      caesar::share_out(caesar::Amount{pools_.validators.value + for_validators.value}, stakes);
  auto share = shares.begin();
  for (auto& [node, validator] : validators_) {
    const auto parts = caesar::divide(*share++, validator.stake, validator.delegated.total,
                                      economy.commission_ppm);
    expected_[ledger.node(node)->binding.owner] += as_signed(parts.owner.value);
    validator.delegated.total.value += parts.delegators.value;
  }
}

void Flows::follow(const Ledger& ledger, const ledger::Operation& operation) {
  const auto* actor = std::get_if<identity::OwnerId>(&operation.actor);
  if (actor == nullptr) return;  // a machine moves no money but by leases
  if (const auto* transfer = std::get_if<ledger::TransferCaes>(&operation.action)) {
    expected_[*actor] -= as_signed(transfer->amount.value);
    expected_[transfer->to] += as_signed(transfer->amount.value);
  } else if (const auto* newcomer = std::get_if<ledger::RegisterOwner>(&operation.action)) {
    const std::int64_t given = as_signed(newcomer->credit.value + newcomer->bond.value);
    const std::uint64_t starter = ledger.chain().economy.starter_credit.value;
    const bool is_welcomed = pools_.starter.value >= starter;
    if (is_welcomed) pools_.starter.value -= starter;
    expected_[*actor] -= given;
    expected_[identity::owner_id_of(newcomer->bundle)] +=
        given + (is_welcomed ? as_signed(starter) : 0);
  } else if (const auto* delegate = std::get_if<ledger::Delegate>(&operation.action)) {
    caesar::DelegationPool& pool = validators_.at(delegate->validator).delegated;
    std::uint64_t shares = delegate->amount.value;
    std::uint64_t paid = shares;
    if (pool.shares > 0) {
      shares = static_cast<std::uint64_t>(Wide{shares} * pool.shares / pool.total.value);
      paid = static_cast<std::uint64_t>((Wide{shares} * pool.total.value + pool.shares - 1) /
                                        pool.shares);
    }
    pool.shares += shares;
    pool.total.value += paid;
    expected_[*actor] -= as_signed(paid);
  } else if (const auto* undelegate = std::get_if<ledger::Undelegate>(&operation.action)) {
    caesar::DelegationPool& pool = validators_.at(undelegate->validator).delegated;
    const auto worth =
        static_cast<std::uint64_t>(Wide{undelegate->shares} * pool.total.value / pool.shares);
    pool.shares -= undelegate->shares;
    pool.total.value -= worth;
    expected_[*actor] += as_signed(worth);
  }
}

std::optional<Violation> Flows::follow_lease(const ledger::LeaseId& id, const LeaseRecord* lease) {
  const auto found = leases_.find(id);
  if (lease == nullptr) {
    if (found == leases_.end()) return money(id, "forgotten before it was seen");
    if (found->second.is_open) return money(id, "forgotten while it was open");
    leases_.erase(found);
    return std::nullopt;
  }
  if (const auto wrong = wrong_lease(*lease)) return money(id, *wrong);
  if (found == leases_.end()) ++turnover_.leases;
  Held& held = leases_[id];
  held.tenant = lease->tenant;
  std::vector<const ledger::Placement*> placements;
  for (const ledger::Placement& past : lease->past) placements.push_back(&past);
  placements.push_back(&lease->placement);
  turnover_.moves += placements.size() - std::max<std::size_t>(held.placements.size(), 1);
  held.placements.resize(placements.size());
  std::uint64_t outlay = lease->escrow.value;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    const ledger::Placement& now = *placements[i];
    Earned& before = held.placements[i];
    const std::uint64_t paid = now.paid.value - before.paid;
    const std::uint64_t fee = now.fee.value - before.fee;
    const std::uint64_t reward = now.reward.value - before.reward;
    expected_[now.provider] += as_signed(paid - fee + reward);
    turnover_.paid += paid;
    turnover_.fees += fee;
    turnover_.rewards += reward;
    before = {now.provider, now.paid.value, now.fee.value, now.reward.value};
    outlay += now.paid.value;
  }
  expected_[lease->tenant] -= as_signed(outlay) - as_signed(held.outlay);
  held.outlay = outlay;
  const std::uint64_t funded =
      caesar::cost(lease->highest_price, lease->quantity, lease->duration_ms)->value;
  turnover_.escrowed += funded - held.funded;
  held.funded = funded;
  if (held.is_open && !lease->is_open()) turnover_.refunded += funded - outlay;
  held.is_open = lease->is_open();
  return std::nullopt;
}

Flows::Seen Flows::see(const ledger::Tables& tables, const identity::OwnerId& id) {
  const ledger::OwnerRecord& owner = tables.owners.at(id);
  const auto waiting = tables.unbondings.find(id);
  if (waiting == tables.unbondings.end()) return {owner.account, owner.demurrage_day, {}};
  return {owner.account, owner.demurrage_day, waiting->second.entries};
}

// Day by day: a day takes its part of what was balance when it began; stake released on a day is
// balance from the next one on.
std::uint64_t Flows::demurrage_between(const Seen& before, std::uint64_t day,
                                       const ledger::ChainRecord& chain) {
  caesar::Amount balance = before.account.balance;
  std::uint64_t sum = 0;
  auto entry = before.unbonding.begin();
  for (std::uint64_t next = before.demurrage_day + 1; next <= day; ++next) {
    while (entry != before.unbonding.end() &&
           caesar::day_of(chain.genesis_time, entry->release) < next) {
      balance.value += entry++->amount.value;
    }
    const caesar::Amount left =
        caesar::after_demurrage(balance, chain.economy.demurrage_ppm_per_day, 1);
    sum += balance.value - left.value;
    balance = left;
  }
  return sum;
}

std::optional<Violation> Flows::compare(const Ledger& ledger) {
  const ledger::Tables& tables = ledger.tables();
  for (const auto& [id, owner] : tables.owners) {
    const auto found = owners_.find(id);
    const bool is_new = found == owners_.end();
    const Seen before = is_new ? Seen{{}, owner.demurrage_day, {}} : found->second;
    std::int64_t change = expected_[id];
    const std::uint64_t due = demurrage_between(before, owner.demurrage_day, ledger.chain());
    change -= as_signed(due);
    turnover_.demurrage += due;
    const std::int64_t actual = wealth(owner.account) - wealth(before.account);
    if (actual != change) {
      return Violation{"flow", fmt::format("owner {} has {} units more, {} are explained",
                                           owner.name, actual, change)};
    }
    owners_[id] = see(tables, id);
  }
  for (const auto& [node, validator] : tables.validators) {
    if (validators_.at(node) != validator) {
      return Violation{"flow", "a validator's delegation pool is not what was put in and rewarded"};
    }
  }
  if (pools_.starter != tables.pools.starter) {
    return Violation{"flow", "the starter pool is not what newcomers left"};
  }
  pools_ = tables.pools;
  supply_ = tables.supply;
  return std::nullopt;
}

}  // namespace hm::simulator
