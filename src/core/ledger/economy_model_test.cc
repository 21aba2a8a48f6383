// SPDX-License-Identifier: Apache-2.0
// Random operations of lenders, tenants and stakers, right and wrong, in blocks at random times,
// against plain arithmetic on what was applied: money, capacity, use under grants, and that nodes
// spend no more than they are allowed.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/ledger/sample_lending.h"

namespace hm::ledger {
namespace {

using sample::key;
using sample::Market;
using sample::node_id;
using sample::owner_id;

__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t kOwners = 4;
constexpr std::uint64_t kAssets = 4;  // of each of the first two owners
constexpr std::uint64_t kStart = 1'000 * caesar::kUnitsPerCaes;

enum class Verb : std::uint8_t {
  Open,
  OpenOwn,
  Accept,
  Decline,
  Renew,
  Close,
  Reclaim,
  Meter,
  Settle,
  Update,
  Retire,
  Revoke,
  Regrant,
  Bond,
  Unbond,
  Delegate,
  Undelegate,
  Pay,
  Allow,
};
constexpr std::uint8_t kVerbs = 19;

struct Step {
  std::uint8_t verb = 0;
  std::uint32_t actor = 0;
  std::uint32_t other = 0;
  std::uint32_t pick = 0;    // of a lease or asset
  std::uint64_t number = 0;  // an amount, a quantity or a time
  std::uint64_t pause = 0;   // before the block that this step closes; 0: it closes none
};

rc::Gen<std::uint64_t> any_pause() {
  return rc::gen::weightedOneOf<std::uint64_t>(
      {{12, rc::gen::just<std::uint64_t>(0)},
       {24, rc::gen::inRange<std::uint64_t>(1, 6'000)},
       {2, rc::gen::inRange<std::uint64_t>(6'000, 60'000)},
       {1, rc::gen::inRange<std::uint64_t>(60'000, 3 * sample::kDay)}});
}

// Readings and acceptances more often than the rest: they are what leases live by.
rc::Gen<std::uint8_t> any_verb() {
  const auto just = [](Verb verb) { return rc::gen::just(static_cast<std::uint8_t>(verb)); };
  return rc::gen::weightedOneOf<std::uint8_t>({{12, rc::gen::inRange<std::uint8_t>(0, kVerbs)},
                                               {6, just(Verb::Meter)},
                                               {4, just(Verb::Accept)},
                                               {2, just(Verb::Open)},
                                               {1, just(Verb::Allow)}});
}

rc::Gen<Step> any_step() {
  using rc::gen::inRange;
  return rc::gen::build<Step>(rc::gen::set(&Step::verb, any_verb()),
                              rc::gen::set(&Step::actor, inRange<std::uint32_t>(0, kOwners)),
                              rc::gen::set(&Step::other, inRange<std::uint32_t>(0, kOwners)),
                              rc::gen::set(&Step::pick, inRange<std::uint32_t>(0, 4)),
                              rc::gen::set(&Step::number, inRange<std::uint64_t>(1, 12)),
                              rc::gen::set(&Step::pause, any_pause()));
}

// The chain, a mirror of it, and what plain arithmetic says of them.
class Economy {
 public:
  // With epochs and demurrage, money moves that the arithmetic here does not follow.
  explicit Economy(bool has_epochs)
      : follows_money_(!has_epochs), market_(document(has_epochs)), mirror_(document(has_epochs)) {
    for (std::uint32_t owner = 0; owner < 2; ++owner) {
      grants_.push_back(market_.open_grant(owner));
      grants_[owner].delegations = 1;
      grants_[owner].notice_ms = owner * 7'000;
      submit(owner, market_.signed_grant(grants_[owner], owner));
      close(1);
      for (std::uint64_t i = 0; i < kAssets; ++i) {
        submit(owner,
               RegisterAsset{asset(owner, i), node_id(key(1000 + owner)), sample::lent_terms()});
        close(1);
      }
    }
    // Owner 2 passes owner 0's grant on to owner 3, for half of it.
    passed_on_ = market_.passed_on(grants_[0], 2, 3);
    passed_on_.share_percent = 50;
    submit(2, market_.signed_grant(passed_on_, 2));
    close(1);
  }

  void step(Step step) {
    aim(step);
    const bool is_node = step.number % 3 == 0 && acts_by_node(static_cast<Verb>(step.verb));
    const Actor actor =
        is_node ? Actor(node_id(key(1000 + step.actor))) : Actor(owner_id(step.actor));
    const bool allows = static_cast<Verb>(step.verb) == Verb::Allow;
    // What was left of an allowance when it was replaced is known if it is the first of its block.
    if (allows || waiting_.contains(actor)) close(1);
    if (allows) left_ = left_of(std::get<SetAllowance>(action_of(step)).node);
    waiting_.insert(actor);
    submit(is_node ? 1000 + step.actor : step.actor, action_of(step));
    if (step.pause > 0) close(step.pause);
  }

  // After so long everything has ended and is forgotten.
  void run_out() {
    for (int i = 0; i < 4; ++i) close(40 * sample::kDay);
    const Tables& tables = ledger().tables();
    RC_ASSERT(tables.leases.empty());
    RC_ASSERT(tables.asset_uses.empty());
    RC_ASSERT(tables.supply.escrows == caesar::Amount{});
    RC_ASSERT(!ledger().lease_index().next_due());
    for (const auto& [grant, use] : tables.grant_uses) {
      RC_ASSERT(use.open_leases == 0u && use.leased.empty());
    }
    for (const auto& [owner, record] : tables.owners) RC_ASSERT(record.leases == 0u);
    const auto restored = Ledger::restore(ledger().export_state(), ledger().root());
    RC_ASSERT(restored.has_value());
    RC_ASSERT(restored->tables() == tables);
  }

  // Which ways of a placement to end came about, and whether anything was paid.
  std::set<LeaseEnd> ends() const {
    std::set<LeaseEnd> all;
    for (const auto& [id, lease] : seen_) {
      for (const Placement* placement : placements_of(lease)) all.insert(placement->end);
    }
    return all;
  }
  bool has_spent_by_node() const {
    return std::ranges::any_of(seen_, [](const auto& row) {
      return row.second.opened_by && row.second.placement.paid.value > 0;
    });
  }
  bool has_paid() const {
    return std::ranges::any_of(seen_,
                               [](const auto& row) { return row.second.placement.paid.value > 0; });
  }

  void close(std::uint64_t pause) {
    market_.pass(pause);
    const auto outcome = market_.block(block_);
    const auto mirrored = mirror_.block_at(market_.now(), block_);
    RC_ASSERT(outcome.root == mirrored.root);
    RC_ASSERT(outcome.receipts == mirrored.receipts);
    for (std::size_t i = 0; i < block_.size(); ++i) {
      if (!outcome.receipts[i].refused) follow(block_[i]);
    }
    block_.clear();
    waiting_.clear();
    compare();
  }

 private:
  static Genesis document(bool has_epochs) {
    static const Genesis base = sample::genesis(kOwners);
    Genesis genesis = base;
    if (has_epochs) {
      genesis.economy.epoch_blocks = 3;
      genesis.economy.demurrage_ppm_per_day = 10'000;
    } else {
      genesis.economy.epoch_blocks = UINT64_MAX;
    }
    return genesis;
  }

  const Ledger& ledger() const { return market_.ledger(); }
  assets::AssetId asset(std::uint32_t owner, std::uint64_t number) const {
    return market_.id(100 * owner + number + 1);
  }
  static bool acts_by_node(Verb verb) {
    return verb == Verb::Accept || verb == Verb::Decline || verb == Verb::Close ||
           verb == Verb::Reclaim || verb == Verb::Meter || verb == Verb::Settle ||
           verb == Verb::Open || verb == Verb::OpenOwn || verb == Verb::Renew;
  }
  void submit(std::uint32_t seed, Action action) {
    block_.push_back(seed < 1000 ? market_.chain().by_owner(seed, std::move(action))
                                 : market_.chain().by_node(seed, std::move(action)));
  }

  Action action_of(const Step& step) const {
    switch (static_cast<Verb>(step.verb)) {
      case Verb::Open:
      case Verb::OpenOwn: return opening(step);
      case Verb::Accept: return AcceptLease{lease(step)};
      case Verb::Decline: return DeclineLease{lease(step)};
      case Verb::Renew: return RenewLease{lease(step), step.number * 1'000};
      case Verb::Close: return CloseLease{lease(step)};
      case Verb::Reclaim:
        return ReclaimLease{lease(step), step.number % 2 == 0 ? Notice::None : Notice::AsGranted};
      case Verb::Meter: return reading(step);
      case Verb::Settle: return SettleLease{lease(step)};
      case Verb::Update:
      case Verb::Retire: return update(step);
      case Verb::Revoke:
        return RevokeGrant{owner_id(step.actor % 2),
                           market_.id_of(step.actor == 2 ? passed_on_ : grants_[step.actor % 2])};
      case Verb::Regrant: return market_.signed_grant(grants_[step.actor % 2], step.actor % 2);
      case Verb::Bond: return Bond{caesar::caes(step.number)};
      case Verb::Unbond: return Unbond{caesar::caes(step.number)};
      case Verb::Delegate:
        return Delegate{node_id(key(1000 + step.other)), caesar::caes(step.number)};
      case Verb::Undelegate:
        return Undelegate{node_id(key(1000 + step.other)), step.number * 100'000'000};
      case Verb::Allow:
        return SetAllowance{node_id(key(1000 + (step.number == 7 ? step.other : step.actor))),
                            caesar::caes(4 * (step.number % 12))};
      case Verb::Pay: break;
    }
    return TransferCaes{owner_id(step.other), caesar::caes(step.number * 50)};
  }

  // Mostly by who may do it, or little would ever happen.
  void aim(Step& step) const {
    const Verb verb = static_cast<Verb>(step.verb);
    const LeaseRecord* found = ledger().lease(lease(step));
    if (step.number == 7 || found == nullptr) return;
    const bool is_by_tenant = verb == Verb::Renew || verb == Verb::Close;
    const bool is_by_provider =
        verb == Verb::Accept || verb == Verb::Decline || verb == Verb::Reclaim;
    if (is_by_tenant) step.actor = seed_of(found->tenant);
    if (is_by_provider) step.actor = seed_of(found->placement.provider);
  }

  LeaseId lease(const Step& step) const {
    return leases_.empty() ? LeaseId{} : leases_[leases_.size() - 1 - step.pick % leases_.size()];
  }
  OpenLease opening(const Step& step) const {
    const bool is_own = static_cast<Verb>(step.verb) == Verb::OpenOwn;
    OpenLease action = Market::request({});
    for (std::uint32_t i = 0; i < 2; ++i) {
      const std::uint32_t owner = (step.other + i) % 2;
      const privacy::Grant& grant = owner == 0 && step.actor == 3 ? passed_on_ : grants_[owner];
      action.choices.push_back({asset(owner, step.pick % kAssets),
                                is_own ? std::nullopt : std::optional(market_.id_of(grant))});
    }
    action.quantity = std::min<std::uint64_t>(step.number, 9);
    action.duration_ms = step.number * 6'000;
    return action;
  }
  Action reading(const Step& step) const {
    const LeaseId id = lease(step);
    const LeaseRecord* record = ledger().lease(id);
    const Placement placement = record != nullptr ? record->placement : Placement{};
    const auto now = market_.now().value;
    const std::uint64_t passed = now - std::min(now, placement.accepted.value);
    const std::uint64_t interval = passed / market_.policy().meter_interval_ms;
    const auto index = static_cast<std::uint32_t>(std::min<std::uint64_t>(interval, 100'000));
    const std::uint32_t tenant = record != nullptr ? seed_of(record->tenant) : 0;
    const std::uint32_t provider = record != nullptr ? seed_of(placement.provider) : 0;
    const std::uint64_t advance = step.number * 400;
    return MeterLease{market_.reading(
        id, index, placement.provider_ms + advance,
        placement.tenant_ms + (step.other == 0 ? advance / 2 : advance), 1000 + provider,
        1000 + tenant, record != nullptr ? static_cast<std::uint32_t>(record->past.size()) : 0)};
  }
  Action update(const Step& step) const {
    const auto id = asset(step.actor % 2, step.pick % kAssets);
    const assets::AssetRecord* found = ledger().asset(id.hash);
    const std::uint64_t version = found != nullptr ? found->version : 1;
    // Rarely, or there would soon be nothing left to lease.
    if (static_cast<Verb>(step.verb) == Verb::Retire && step.number == 1) {
      return RetireAsset{id, version};
    }
    auto terms = sample::lent_terms();
    terms.quantity.offered = std::min<std::uint64_t>(step.number, 8);
    terms.quantity.available = terms.quantity.offered;
    if (step.number == 12) terms.state = assets::AssetState::Failed;
    return UpdateAsset{id, version, terms};
  }
  static std::uint32_t seed_of(const identity::OwnerId& id) {
    for (std::uint32_t i = 0; i < kOwners; ++i) {
      if (owner_id(i) == id) return i;
    }
    return 0;
  }

  // What an applied operation means for money outside of leases.
  void follow(const PreparedOperation& prepared) {
    const auto* actor = std::get_if<identity::OwnerId>(&prepared.operation.actor);
    const Action& action = prepared.operation.action;
    follow_escrow(LeaseId{prepared.id.bytes}, actor, action);
    if (actor == nullptr) return;
    std::uint64_t& spent = spent_[*actor];
    if (const auto* pay = std::get_if<TransferCaes>(&action)) {
      spent += pay->amount.value;
      spent_[pay->to] -= pay->amount.value;
    } else if (const auto* bond = std::get_if<Bond>(&action)) {
      spent += bond->amount.value;
      bonded_[*actor] += bond->amount.value;
    } else if (const auto* unbond = std::get_if<Unbond>(&action)) {
      bonded_[*actor] -= unbond->amount.value;
      wait_for(*actor, unbond->amount.value);
    } else if (const auto* delegate = std::get_if<Delegate>(&action)) {
      spent += delegate->amount.value;  // without rewards a share is a unit
      delegated_[delegate->validator] += delegate->amount.value;
    } else if (const auto* undelegate = std::get_if<Undelegate>(&action)) {
      delegated_[undelegate->validator] -= undelegate->shares;
      wait_for(*actor, undelegate->shares);
    }
  }
  // What an owner itself puts into escrows, and what its nodes had of allowances that were
  // replaced.
  void follow_escrow(const LeaseId& id, const identity::OwnerId* owner, const Action& action) {
    if (const auto* open = std::get_if<OpenLease>(&action)) {
      leases_.push_back(id);
      Asked& asked = asked_[id];
      asked = {open->highest_price, open->quantity, open->duration_ms};
      if (owner != nullptr) asked.by_owner = asked.cost();
    } else if (const auto* renew = std::get_if<RenewLease>(&action)) {
      Asked& asked = asked_.at(renew->lease);
      const std::uint64_t before = asked.cost();
      asked.duration_ms += renew->extra_ms;
      if (owner != nullptr) asked.by_owner += asked.cost() - before;
    } else if (const auto* allow = std::get_if<SetAllowance>(&action)) {
      used_[*owner] += allowed_[allow->node] - left_;
      allowed_[allow->node] = allow->amount.value;
    }
  }
  std::uint64_t left_of(const identity::NodeId& node) const {
    return ledger().node(node)->allowance.value;
  }
  void wait_for(const identity::OwnerId& owner, std::uint64_t amount) {
    releases_[owner].push_back({market_.now().value + 60'000, amount});
  }

  void compare() {
    const Tables& tables = ledger().tables();
    RC_ASSERT(tables.supply.is_conserved());
    RC_ASSERT(ledger().recount() == std::optional(tables.supply));
    for (const auto& [id, lease] : tables.leases) seen_[id] = lease;
    compare_capacity(tables);
    compare_payments();
    compare_allowances();
    if (follows_money_) compare_money(tables);
  }

  // What is leased is the sum of the open leases, at most what is offered; and so under each grant.
  static void compare_capacity(const Tables& tables) {
    std::map<crypto::Digest, std::uint64_t> leased;
    std::map<GrantKey, GrantUseRecord> uses;
    for (const auto& [id, lease] : tables.leases) {
      if (!lease.is_open()) {
        RC_ASSERT(lease.escrow == caesar::Amount{});
        continue;
      }
      const LeaseChoice& choice = lease.placement.choice;
      leased[choice.asset.hash] += lease.quantity;
      for (auto grant = choice.grant; grant;) {
        const GrantKey at{lease.placement.provider, *grant};
        ++uses[at].open_leases;
        uses[at].leased[choice.asset.hash] += lease.quantity;
        grant = tables.grants.at(at).grant.parent;
      }
    }
    for (const auto& [asset, sum] : leased) {
      RC_ASSERT(sum <= tables.assets.at(asset).terms.quantity.offered);
      RC_ASSERT(tables.asset_uses.at(asset).leased == sum);
    }
    RC_ASSERT(tables.asset_uses.size() == leased.size());
    for (const auto& [grant, use] : tables.grant_uses) {
      RC_ASSERT(uses[grant].open_leases == use.open_leases);
      RC_ASSERT(uses[grant].leased == use.leased);
      RC_ASSERT(tables.grants.contains(grant));
      uses.erase(grant);
    }
    RC_ASSERT(
        std::ranges::all_of(uses, [](const auto& row) { return row.second.open_leases == 0; }));
  }

  void compare_payments() const {
    for (const auto& [id, lease] : seen_) {
      Wide paid = 0;
      for (const Placement* placement : placements_of(lease)) {
        const caesar::Price& price = placement->price;
        const Wide earned = Wide{price.amount.value} * lease.quantity * placement->counted_ms /
                            (Wide{price.quantity} * 3'600'000);
        RC_ASSERT(earned >= placement->paid.value);
        if (!lease.is_open() || placement != &lease.placement) {
          RC_ASSERT(earned == placement->paid.value);
        }
        RC_ASSERT(placement->fee.value <= placement->paid.value / 100);
        RC_ASSERT(placement->reward.value * 3 <= placement->fee.value * 2);
        RC_ASSERT(placement->counted_ms <= std::min(placement->provider_ms, placement->tenant_ms));
        paid += placement->paid.value;
      }
      const Wide whole =
          Wide{lease.highest_price.amount.value} * lease.quantity * lease.duration_ms / 3'600'000;
      RC_ASSERT(paid <= whole);
      if (lease.is_open()) RC_ASSERT(paid + lease.escrow.value == whole);
    }
  }
  // What a lease holds and has paid above what its tenant put there itself came out of what the
  // tenant's nodes were allowed.
  void compare_allowances() const {
    std::map<identity::OwnerId, std::uint64_t> used = used_;
    for (const auto& [node, allowed] : allowed_) {
      RC_ASSERT(left_of(node) <= allowed);
      used[ledger().node(node)->binding.owner] += allowed - left_of(node);
    }
    std::map<identity::OwnerId, std::uint64_t> spent;
    for (const auto& [id, lease] : seen_) {
      std::uint64_t outlay = lease.escrow.value;
      for (const Placement* placement : placements_of(lease)) outlay += placement->paid.value;
      const std::uint64_t by_owner = asked_.at(id).by_owner;
      spent[lease.tenant] += outlay - std::min(outlay, by_owner);
    }
    for (const auto& [owner, amount] : spent) RC_ASSERT(amount <= used[owner]);
  }
  static std::vector<const Placement*> placements_of(const LeaseRecord& lease) {
    std::vector<const Placement*> all = {&lease.placement};
    for (const Placement& past : lease.past) all.push_back(&past);
    return all;
  }

  void compare_money(const Tables& tables) const {
    std::map<identity::OwnerId, std::uint64_t> balance;
    std::map<identity::OwnerId, std::uint64_t> unbonding;
    for (std::uint32_t i = 0; i < kOwners; ++i) balance[owner_id(i)] = kStart;
    for (const auto& [owner, spent] : spent_) balance[owner] -= spent;
    for (const auto& [owner, entries] : releases_) {
      for (const auto& [release, amount] : entries) {
        (release <= ledger().head().time.value ? balance : unbonding)[owner] += amount;
      }
    }
    for (const auto& [id, lease] : seen_) {
      balance[lease.tenant] -= lease.escrow.value;
      for (const Placement* placement : placements_of(lease)) {
        balance[lease.tenant] -= placement->paid.value;
        balance[placement->provider] +=
            placement->paid.value - placement->fee.value + placement->reward.value;
      }
    }
    for (const auto& [owner, amount] : balance) {
      const caesar::Account account = ledger().account(owner);
      RC_ASSERT(account.balance.value == amount);
      const auto bonded = bonded_.find(owner);
      RC_ASSERT(account.bond.value == kStart + (bonded != bonded_.end() ? bonded->second : 0));
      RC_ASSERT(account.unbonding.value == unbonding[owner]);
    }
    for (const auto& [validator, amount] : delegated_) {
      RC_ASSERT(tables.validators.at(validator).delegated.total.value == amount);
    }
  }

  bool follows_money_;
  Market market_;
  sample::Chain mirror_;
  std::vector<privacy::Grant> grants_;
  privacy::Grant passed_on_;
  std::vector<PreparedOperation> block_;
  std::set<Actor> waiting_;
  std::vector<LeaseId> leases_;
  std::map<LeaseId, LeaseRecord> seen_;  // as last seen: once ended they do not change
  // Of the tenant's request, renewals included.
  struct Asked {
    caesar::Price price;
    std::uint64_t quantity = 0;
    std::uint64_t duration_ms = 0;
    std::uint64_t by_owner = 0;  // of the escrow
    std::uint64_t cost() const {
      return static_cast<std::uint64_t>(Wide{price.amount.value} * quantity * duration_ms /
                                        (Wide{price.quantity} * 3'600'000));
    }
  };
  std::map<LeaseId, Asked> asked_;
  std::map<identity::OwnerId, std::uint64_t> used_;
  std::map<identity::NodeId, std::uint64_t> allowed_;
  std::uint64_t left_ = 0;  // of the allowance that is about to be replaced
  // Sums modulo 2⁶⁴, so that what came in is negative spending.
  std::map<identity::OwnerId, std::uint64_t> spent_;
  std::map<identity::OwnerId, std::uint64_t> bonded_;
  std::map<identity::NodeId, std::uint64_t> delegated_;
  std::map<identity::OwnerId, std::vector<std::pair<std::uint64_t, std::uint64_t>>> releases_;
};

void check_any_sequence(bool has_epochs) {
  EXPECT_TRUE(rc::check("any sequence of operations", [has_epochs] {
    const auto steps = *rc::gen::scale(3.0, rc::gen::container<std::vector<Step>>(any_step()));
    Economy economy(has_epochs);
    for (const Step& step : steps) economy.step(step);
    economy.run_out();
    for (const LeaseEnd end : economy.ends()) RC_CLASSIFY(true, std::string(name_of(end)));
    RC_CLASSIFY(economy.has_paid(), std::string("paid"));
    RC_CLASSIFY(economy.has_spent_by_node(), std::string("paid out of an allowance"));
  }));
}

TEST(EconomyModel, MoneyAndCapacityAreWhatArithmeticSaysUnderAnyOperations) {
  check_any_sequence(false);
}

TEST(EconomyModel, EpochsAndDemurrageConserveEveryUnitUnderAnyOperations) {
  check_any_sequence(true);
}

}  // namespace
}  // namespace hm::ledger
