// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/ledger/lease_book.h"
#include "core/ledger/limits.h"
#include "simulator/economy/economy_audit.h"
#include "simulator/signature_memory.h"

namespace hm::simulator {
namespace {

constexpr std::uint64_t kMostOperations = 1'000;  // in one block
constexpr std::uint64_t kStepsBetweenCounts = 500;
constexpr std::uint32_t kTickPermille = 800;
// Of meter intervals.
constexpr std::uint64_t kLongStep = 12;
constexpr std::uint64_t kShortestLeap = 100;
constexpr std::uint64_t kLongestLeap = 2'000;
constexpr std::uint64_t kDay = 86'400'000;
// Blocks that a state with so many leases may need until it has forgotten them all: each lease is
// changed by the clock a few times for each of its choices, in blocks that have limited room.
constexpr std::uint64_t kMostTicks = 4 * ledger::kMaxLeaseChoices;

}  // namespace

std::string repeat_command(const std::string& program, const EconomyPlan& plan) {
  return fmt::format("{} --economy --operations {} --seed {}", program, plan.operations, plan.seed);
}

Economy::Economy(const EconomyPlan& plan)
    : plan_(plan),
      random_(plan.seed),
      cast_(plan.seed),
      ledger_(ledger::Ledger::from_genesis(cast_.genesis(random_))),
      draw_(cast_, ledger_, random_, std::max<std::uint64_t>(plan.operations, 1)),
      flows_(ledger_) {}

void Economy::fail(std::string check, std::string what) {
  if (has_failed()) return;
  violation_ = Violation{std::move(check),
                         fmt::format("after block {}: {}", ledger_.height(), std::move(what))};
}

// Mostly a part of a meter interval, so that leases live; leaps end them by the thousand.
UnixMillis Economy::next_time() {
  const std::uint64_t interval = ledger_.policy().meter_interval_ms;
  const std::uint64_t now = ledger_.head().time.value;
  const std::uint64_t ticket = random_.below(10'000);
  if (ticket < 300) return UnixMillis{now - random_.below(interval)};
  if (ticket < 9'000) return UnixMillis{now + random_.below(interval)};
  if (ticket < 9'850) return UnixMillis{now + random_.below(kLongStep * interval)};
  if (ticket < 9'980)
    return UnixMillis{now + interval * random_.between(kShortestLeap, kLongestLeap)};
  return UnixMillis{now + random_.below(9 * kDay)};
}

// A block of this time does nothing but execute its operations, just as the pool did.
bool Economy::has_nothing_due(UnixMillis time) const {
  const UnixMillis now = ledger_.head().time;
  const auto next = ledger_.lease_index().next_due();
  const bool ends_epoch = (ledger_.height() + 1) % ledger_.chain().economy.epoch_blocks == 0;
  return time <= now && !ends_epoch && (!next || *next > now);
}

ledger::BlockOutcome Economy::apply(UnixMillis time,
                                    const std::vector<ledger::PreparedOperation>& operations) {
  const UnixMillis now = std::max(time, ledger_.head().time);
  const std::size_t due = ledger_.lease_index().due(now, ledger::kMaxDueLeasesPerBlock).size();
  crypto::Digest hash;
  random_.fill(hash.bytes);
  auto outcome = ledger_.apply({ledger_.height() + 1, hash, time}, operations);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    coverage_.note(operations[i].operation.action, outcome.receipts[i].refused);
  }
  trace_.add(outcome.root.view());
  trace_.add(outcome.receipts_root.view());
  draw_.follow(outcome);
  if (auto finding = flows_.after_block(ledger_, operations, outcome)) {
    fail(finding->check, finding->what);
  }
  if (!ledger_.tables().supply.is_conserved()) fail("conservation", "units came or went");
  const auto next = ledger_.lease_index().next_due();
  if (due < ledger::kMaxDueLeasesPerBlock && next && *next <= now) {
    fail("stuck_lease", "a lease is due and the block left it");
  }
  most_leases_ = std::max<std::uint64_t>(most_leases_, ledger_.tables().leases.size());
  return outcome;
}

void Economy::count_anew() {
  ++counts_;
  forget_signatures();
  if (auto finding = audit(ledger_.tables())) fail(finding->check, finding->what);
  if (ledger_.recount() != std::optional(ledger_.tables().supply)) {
    fail("conservation", "the recount differs from the supply");
  }
  std::optional<UnixMillis> earliest;
  std::uint64_t open = 0;
  for (const auto& [id, lease] : ledger_.tables().leases) {
    const UnixMillis due = ledger::due_of(ledger_.policy(), lease);
    if (!earliest || due < *earliest) earliest = due;
    if (lease.is_open()) ++open;
  }
  most_open_ = std::max(most_open_, open);
  if (earliest != ledger_.lease_index().next_due()) {
    fail("stuck_lease", "the index does not know which lease is due next");
  }
  const auto restored = ledger::Ledger::restore(ledger_.export_state(), ledger_.root());
  if (!restored) {
    fail("restore", std::string(ledger::name_of(restored.error())));
  } else if (restored->tables() != ledger_.tables() || restored->root() != ledger_.root()) {
    fail("restore", "the state restored from its export is another");
  }
}

bool Economy::step() {
  if (is_over_) return false;
  if (done_ >= plan_.operations) {
    finish();
    is_over_ = true;
    return false;
  }
  UnixMillis time = next_time();
  // Mostly the clock goes on in a block of its own, and who acts then knows the time; otherwise it
  // goes on in the very block that they act in.
  if (random_.chance(kTickPermille)) {
    apply(time, {});
    time = ledger_.head().time;
  }
  draw_.begin();
  const std::uint64_t count =
      std::min(random_.between(1, kMostOperations), plan_.operations - done_);
  std::vector<ledger::PreparedOperation> operations;
  std::vector<ledger::Receipt> expected;
  for (std::uint64_t i = 0; i < count; ++i) {
    Proposed proposed = draw_.next();
    expected.push_back({proposed.operation.id, proposed.expected});
    operations.push_back(std::move(proposed.operation));
  }
  const bool is_timeless = has_nothing_due(time);
  const auto outcome = apply(time, operations);
  if (is_timeless && outcome.receipts != expected) {
    fail("precheck", "the pool said another thing than the block");
  }
  done_ += count;
  if (++steps_ % kStepsBetweenCounts == 0) count_anew();
  is_over_ = has_failed();
  return !is_over_;
}

void Economy::finish() {
  count_anew();
  end_leases();
  if (!has_failed()) release_stake();
  if (!has_failed()) count_anew();
  const std::string gaps = coverage_.gaps();
  if (!gaps.empty()) fail("coverage", gaps);
}

// Nobody acts any more.
void Economy::end_leases() {
  const std::uint64_t leases = ledger_.tables().leases.size();
  const std::uint64_t most =
      leases * kMostTicks / ledger::kMaxDueLeasesPerBlock + kMostTicks * leases + 1;
  for (std::uint64_t i = 0; !ledger_.tables().leases.empty(); ++i) {
    if (i > most) return fail("stuck_lease", "time alone does not end a lease");
    apply(std::max(*ledger_.lease_index().next_due(), ledger_.head().time), {});
    if (has_failed()) return;
  }
  const ledger::Tables& tables = ledger_.tables();
  if (tables.supply.escrows.value != 0) fail("stuck_lease", "an escrow is left without a lease");
  if (!tables.asset_uses.empty()) fail("asset_use", "something is leased without a lease");
  const Turnover& sums = flows_.turnover();
  if (sums.escrowed != sums.paid + sums.refunded) {
    fail("flow", "what was put in escrow was not all paid or given back");
  }
}

// After the unbonding time an account holds everything again, and its next touch writes it down.
void Economy::release_stake() {
  const UnixMillis time{ledger_.head().time.value + ledger_.chain().economy.unbonding_ms};
  apply(time, {});
  std::size_t richest = 0;
  for (std::size_t i = 0; i < cast_.people.size(); ++i) {
    const identity::OwnerId& id = cast_.people[i].id;
    if (ledger_.owner(id) == nullptr) continue;
    if (ledger_.account(id).unbonding.value != 0) fail("unbonding", "stake is not released");
    if (ledger_.account(id).balance > ledger_.account(cast_.people[richest].id).balance)
      richest = i;
  }
  for (std::size_t i = 0; i < cast_.people.size(); ++i) {
    const identity::OwnerId& id = cast_.people[i].id;
    if (i == richest || ledger_.owner(id) == nullptr) continue;
    apply(time, {draw_.by_owner(richest, ledger::TransferCaes{id, caesar::Amount{1}})});
  }
  if (!ledger_.tables().unbondings.empty()) fail("unbonding", "released stake still waits");
}

std::string Economy::report() const {
  const ledger::Tables& tables = ledger_.tables();
  const caesar::Economy& terms = tables.chain.economy;
  const Turnover& sums = flows_.turnover();
  const auto caes = [](WideAmount units) {
    return static_cast<std::uint64_t>(units / caesar::kUnitsPerCaes);
  };
  return fmt::format(
      "chain              {}, epoch {} blocks, emission {}, fee {} ppm, reward {} ppm, demurrage "
      "{} ppm a day, starter credit {}\n"
      "operations         {} in {} blocks: {} applied, {} refused\n"
      "simulated time     {} days\n"
      "people, machines   {}, {}; assets {}, grants {}\n"
      "leases             {} opened, {} moved on, at most {} kept and {} seen open at a time\n"
      "escrowed           {} CAES = {} paid + {} given back + {} left\n"
      "fees, rewards      {}, {}; demurrage {}\n"
      "supply             {} CAES minted, {} burned\n"
      "counted anew       {} times\n"
      "final root         {}\n\n{}",
      ledger::name_of(tables.chain.preset), terms.epoch_blocks,
      caesar::to_string(terms.epoch_emission), terms.fee_ppm, terms.reward_ppm,
      terms.demurrage_ppm_per_day, caesar::to_string(terms.starter_credit), done_, ledger_.height(),
      coverage_.applied(), coverage_.refused(),
      (ledger_.head().time.value - tables.chain.genesis_time.value) / kDay, tables.owners.size(),
      tables.nodes.size(), tables.assets.size(), tables.grants.size(), sums.leases, sums.moves,
      most_leases_, most_open_, caes(sums.escrowed), caes(sums.paid), caes(sums.refunded),
      caes(tables.supply.escrows.value), caes(sums.fees), caes(sums.rewards), caes(sums.demurrage),
      caes(tables.supply.minted.value), caes(tables.supply.burned.value), counts_,
      to_hex(ledger_.root().bytes), coverage_.table());
}

}  // namespace hm::simulator
