// SPDX-License-Identifier: Apache-2.0
// What a node spends on leases for its owner, and that it is never more than it was allowed. The
// same under any operations: economy_model_test.cc.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "core/ledger/rows.h"
#include "core/ledger/sample_lending.h"

namespace hm::ledger {
namespace {

using caesar::Amount;
using caesar::caes;
using sample::key;
using sample::kHour;
using sample::Market;
using sample::node_id;
using sample::owner_id;

std::optional<Refusal> rule(const std::optional<Refused>& refused) {
  return refused ? std::optional(refused->rule) : std::nullopt;
}

// Owner 1's node 1001 leases from owner 0. A request costs 4 CAES at most, an hour more of it too.
class Allowances : public ::testing::Test {
 protected:
  void allow(Amount amount) { ASSERT_FALSE(m.by_owner(1, SetAllowance{node, amount})); }
  Amount left() const { return m.ledger().node(node)->allowance; }
  LeaseId opened_by_node() {
    HM_CHECK(!m.by_node(1001, request));
    return m.last();
  }
  LeaseId accepted_of_node() {
    const LeaseId id = opened_by_node();
    HM_CHECK(!m.by_node(1000, AcceptLease{id}));
    return id;
  }
  Amount paid(const LeaseId& id) const { return m.lease(id).placement.paid; }
  // Written to rows after a change, the state does not come back.
  bool restores_with(const std::function<void(Tables&)>& change) const {
    Tables tables = m.ledger().tables();
    change(tables);
    return tables_of(entries_of(tables)).has_value();
  }

  Market m;
  identity::NodeId node = node_id(key(1001));
  assets::AssetId asset = m.lend(1);
  OpenLease request = Market::request({{asset, m.grant(m.open_grant())}});
};

TEST_F(Allowances, ANodeLeasesForItsOwnerOutOfWhatItIsAllowed) {
  allow(caes(5));
  const LeaseId id = opened_by_node();
  const LeaseRecord& lease = m.lease(id);
  EXPECT_EQ(lease.tenant, owner_id(1));
  EXPECT_EQ(lease.opened_by, node);
  EXPECT_EQ(lease.escrow, caes(4));
  EXPECT_EQ(m.balance(1), caes(996));
  EXPECT_EQ(left(), caes(1));

  const auto refused = m.by_node(1001, request);
  EXPECT_EQ(refused, (Refused{Refusal::AllowanceTooSmall, caes(1).value, caes(4).value}));
  EXPECT_EQ(explain(*refused), "the node may still spend 1 CAES for its owner; this takes 4 CAES");
  EXPECT_EQ(m.balance(1), caes(996));
}

TEST_F(Allowances, WhatWasNotPaidComesBackAndWhatWasPaidDoesNot) {
  allow(caes(5));
  const LeaseId id = accepted_of_node();
  m.serve(id, 7);
  ASSERT_FALSE(m.by_owner(3, SettleLease{id}));
  EXPECT_EQ(left(), caes(1)) << "not before the lease has ended";
  m.serve(id, 1);
  ASSERT_FALSE(m.by_node(1001, CloseLease{id}));
  EXPECT_EQ(paid(id), Amount{22'222'222});
  EXPECT_EQ(left(), Amount{caes(5).value - 22'222'222});
  EXPECT_EQ(m.balance(1), Amount{caes(1'000).value - 22'222'222});
  EXPECT_EQ(m.lease(id).allowance_held, Amount{});
}

TEST_F(Allowances, ARequestThatNobodyTakesCostsNothing) {
  allow(caes(4));
  const LeaseId id = opened_by_node();
  EXPECT_EQ(left(), Amount{});
  ASSERT_FALSE(m.by_node(1000, DeclineLease{id}));
  EXPECT_EQ(left(), caes(4));
}

TEST_F(Allowances, WithoutOneANodeTakesOnlyWhatIsFree) {
  EXPECT_EQ(m.by_node(1001, request), (Refused{Refusal::AllowanceTooSmall, 0, caes(4).value}));
  const auto own = m.lend(2, sample::lent_terms(), 1);
  OpenLease free = Market::request({{own, std::nullopt}});
  EXPECT_EQ(rule(m.by_node(1001, free)), Refusal::AllowanceTooSmall) << "the escrow counts";
  free.highest_price.amount = {};
  ASSERT_FALSE(m.by_node(1001, free));
  const LeaseId id = m.last();
  EXPECT_EQ(m.lease(id).opened_by, node);
  ASSERT_FALSE(m.by_node(1001, AcceptLease{id}));
  ASSERT_FALSE(m.by_node(1001, RenewLease{id, kHour}));
}

TEST_F(Allowances, ANodeRenewsWhatItOpened) {
  allow(caes(6));
  const LeaseId id = accepted_of_node();
  EXPECT_EQ(m.by_node(1001, RenewLease{id, kHour}),
            (Refused{Refusal::AllowanceTooSmall, caes(2).value, caes(4).value}));
  ASSERT_FALSE(m.by_node(1001, RenewLease{id, kHour / 2}));
  EXPECT_EQ(left(), Amount{});
  EXPECT_EQ(m.lease(id).escrow, caes(6));
  ASSERT_FALSE(m.by_owner(1, CloseLease{id}));
  EXPECT_EQ(left(), caes(6));
}

TEST_F(Allowances, WhatANodePutsIntoItsOwnersLeaseDoesNotComeBack) {
  const LeaseId id = m.accepted(1, request);
  allow(caes(5));
  ASSERT_FALSE(m.by_node(1001, RenewLease{id, kHour}));
  EXPECT_FALSE(m.lease(id).opened_by);
  EXPECT_EQ(left(), caes(1));
  ASSERT_FALSE(m.by_node(1001, CloseLease{id}));
  EXPECT_EQ(left(), caes(1));
  EXPECT_EQ(m.balance(1), caes(1'000)) << "to the owner it does";
}

TEST_F(Allowances, WhatTheOwnerAddsIsNotTheNodes) {
  allow(caes(4));
  const LeaseId id = accepted_of_node();
  ASSERT_FALSE(m.by_owner(1, RenewLease{id, 2 * kHour}));
  EXPECT_EQ(m.lease(id).escrow, caes(12));
  m.serve(id, 9);
  ASSERT_FALSE(m.by_node(1001, CloseLease{id}));
  EXPECT_EQ(paid(id), Amount{25'000'000});
  EXPECT_EQ(left(), Amount{caes(4).value - 25'000'000}) << "the node's part is spent first";
}

TEST_F(Allowances, SetAnewNothingOfEarlierLeasesComesBackToIt) {
  allow(caes(4));
  const LeaseId first = accepted_of_node();
  allow(caes(6));
  EXPECT_EQ(left(), caes(6));
  const LeaseId second = accepted_of_node();
  ASSERT_FALSE(m.by_node(1001, CloseLease{first}));
  EXPECT_EQ(left(), caes(2)) << "the first was opened under another allowance";
  ASSERT_FALSE(m.by_node(1001, CloseLease{second}));
  EXPECT_EQ(left(), caes(6));
}

TEST_F(Allowances, ARenewalUnderANewOneComesBackWithoutWhatWasPutInBefore) {
  allow(caes(4));
  const LeaseId id = accepted_of_node();
  allow(caes(3));
  ASSERT_FALSE(m.by_node(1001, RenewLease{id, kHour / 2}));
  EXPECT_EQ(left(), caes(1));
  ASSERT_FALSE(m.by_node(1001, CloseLease{id}));
  EXPECT_EQ(left(), caes(3));
}

TEST_F(Allowances, TakenAwayItStaysAwayAndOpenLeasesGoOn) {
  allow(caes(9));
  const LeaseId id = accepted_of_node();
  allow({});
  EXPECT_EQ(rule(m.by_node(1001, RenewLease{id, kHour})), Refusal::AllowanceTooSmall);
  m.serve(id, 2);
  EXPECT_EQ(m.lease(id).state, LeaseState::Active);
  ASSERT_FALSE(m.by_node(1001, CloseLease{id}));
  EXPECT_EQ(left(), Amount{});
}

TEST_F(Allowances, TheBalanceBoundsTheNodeToo) {
  allow(caes(2'000));
  ASSERT_FALSE(m.by_owner(1, TransferCaes{owner_id(0), caes(998)}));
  EXPECT_EQ(m.by_node(1001, request),
            (Refused{Refusal::OverBalance, caes(2).value, caes(4).value}));
  EXPECT_EQ(left(), caes(2'000));
}

TEST_F(Allowances, OnlyTheOwnersKeySetsOneAndOnlyOfItsOwnNodes) {
  EXPECT_EQ(rule(m.by_node(1001, SetAllowance{node, caes(1)})), Refusal::NodeMayNot);
  EXPECT_EQ(rule(m.by_owner(0, SetAllowance{node, caes(1)})), Refusal::NodeNotOwned);
  EXPECT_EQ(rule(m.by_owner(1, SetAllowance{node_id(key(99)), caes(1)})), Refusal::UnknownNode);
  EXPECT_EQ(left(), Amount{});
}

TEST_F(Allowances, EachNodeHasItsOwn) {
  allow(caes(4));
  const LeaseId id = accepted_of_node();
  EXPECT_EQ(rule(m.by_node(1002, RenewLease{id, kHour})), Refusal::NotTheTenant);
  ASSERT_FALSE(m.by_owner(
      1, RegisterNode{sample::binding(1, 1050, identity::binding_context(m.chain().id()), "n")}));
  const auto other = node_id(key(1050));
  EXPECT_EQ(rule(m.by_node(1050, RenewLease{id, kHour})), Refusal::AllowanceTooSmall);
  ASSERT_FALSE(m.by_owner(1, SetAllowance{other, caes(7)}));
  ASSERT_FALSE(m.by_node(1050, RenewLease{id, kHour}));
  ASSERT_FALSE(m.by_node(1050, CloseLease{id}));
  EXPECT_EQ(left(), caes(4));
  EXPECT_EQ(m.ledger().node(other)->allowance, caes(3));
}

TEST_F(Allowances, AStateRestoresOnlyIfWhatCanComeBackIsThere) {
  allow(caes(5));
  const LeaseId id = opened_by_node();
  const auto restored = Ledger::restore(m.ledger().export_state(), m.ledger().root());
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ(restored->node(node)->allowance, caes(1));
  EXPECT_EQ(restored->lease(id)->allowance_held, caes(4));

  EXPECT_TRUE(restores_with([](Tables&) {}));
  EXPECT_FALSE(restores_with([&](Tables& t) { t.leases.at(id).opened_by.reset(); }));
  EXPECT_FALSE(restores_with([&](Tables& t) { t.leases.at(id).opened_by = node_id(key(1000)); }));
  EXPECT_FALSE(restores_with([&](Tables& t) { t.leases.at(id).opened_by = node_id(key(99)); }));
  EXPECT_FALSE(restores_with([&](Tables& t) { ++t.leases.at(id).allowance_held.value; }));
  EXPECT_FALSE(restores_with([&](Tables& t) { t.nodes.at(node).allowance.value = UINT64_MAX; }));
  EXPECT_TRUE(restores_with([&](Tables& t) {
    t.nodes.at(node).allowance.value = UINT64_MAX;
    ++t.nodes.at(node).allowance_version;
  })) << "then it does not come back";
}

// One owner and its node lease, renew and close in any order while the allowance is set again and
// again. What is left of it is what plain arithmetic says; and what was spent above what the owner
// put in itself is no more than what the allowances have gone down by.
class Spending {
 public:
  struct Step {
    std::uint8_t verb = 0;
    bool by_node = false;
    std::uint32_t pick = 0;
    std::uint64_t number = 0;
  };

  Spending() {
    request_ = Market::request({{m_.lend(1), m_.grant(m_.open_grant())}});
    request_.quantity = 1;
    request_.duration_ms = 60'000;
    request_.highest_price = {caesar::caes(60), 1};  // a unit a minute
  }

  void step(const Step& step) {
    switch (step.verb) {
      case 0:
      case 1: open(step); break;
      case 2:
      case 3: renew(step); break;
      case 4: submit(step.by_node, CloseLease{newest(step).id}); break;
      case 5: serve(newest(step).id); break;
      default: set(Amount{step.number * caesar::kUnitsPerCaes / 4}); break;
    }
    follow();
    check();
  }
  bool has_paid() const { return has_paid_; }

 private:
  struct Lease {
    LeaseId id;
    bool is_nodes = false;
    std::uint64_t by_owner = 0;
    std::uint64_t returns = 0;  // to the node's allowance, if it ended now
    std::uint64_t paid = 0;
    bool is_open = true;
  };

  // One of the last two.
  Lease& newest(const Step& step) {
    if (leases_.empty()) return none_;
    return leases_[leases_.size() - 1 - step.pick % std::min<std::size_t>(leases_.size(), 2)];
  }
  std::uint64_t left() const { return m_.ledger().node(node_)->allowance.value; }
  bool submit(bool by_node, Action action) {
    return !(by_node ? m_.by_node(1001, std::move(action)) : m_.by_owner(1, std::move(action)));
  }
  void set(Amount amount) {
    used_ += set_ - left_;
    RC_ASSERT(submit(false, SetAllowance{node_, amount}));
    set_ = left_ = amount.value;
    for (Lease& lease : leases_) lease.returns = 0;
  }
  void open(const Step& step) {
    if (!submit(step.by_node, request_)) return;
    leases_.push_back({.id = m_.last(), .is_nodes = step.by_node});
    put(leases_.back(), step.by_node, m_.lease(m_.last()).escrow.value);
    RC_ASSERT(!m_.by_node(1000, AcceptLease{leases_.back().id}));
  }
  void renew(const Step& step) {
    Lease& lease = newest(step);
    const LeaseRecord* record = m_.ledger().lease(lease.id);
    const std::uint64_t escrow = record != nullptr ? record->escrow.value : 0;
    if (!submit(step.by_node, RenewLease{lease.id, step.number * 10'000})) return;
    put(lease, step.by_node, m_.lease(lease.id).escrow.value - escrow);
  }
  void put(Lease& lease, bool by_node, std::uint64_t amount) {
    if (!by_node) lease.by_owner += amount;
    if (by_node) left_ -= amount;
    if (by_node && lease.is_nodes) lease.returns += amount;
  }
  // An interval of each is read; one is paid.
  void serve(const LeaseId& id) {
    m_.pass(m_.policy().meter_interval_ms);
    for (const Lease& lease : leases_) {
      const LeaseRecord* record = m_.ledger().lease(lease.id);
      if (record == nullptr || record->state != LeaseState::Active) continue;
      const Placement& placement = record->placement;
      const std::uint64_t total = placement.provider_ms + m_.policy().meter_interval_ms;
      m_.meter(lease.id, placement.next_interval, total, total);
    }
    if (!m_.by_owner(3, SettleLease{id})) has_paid_ = true;
  }
  void follow() {
    for (Lease& lease : leases_) {
      const LeaseRecord* record = m_.ledger().lease(lease.id);
      if (record == nullptr || !lease.is_open) continue;
      const std::uint64_t paid = record->placement.paid.value - lease.paid;
      lease.paid += paid;
      lease.returns -= std::min(lease.returns, paid);
      lease.is_open = record->is_open();
      if (!lease.is_open) left_ += lease.returns;
    }
  }
  void check() const {
    RC_ASSERT(left() == left_);
    RC_ASSERT(left() <= set_);
    std::uint64_t spent = 0;
    for (const Lease& lease : leases_) {
      const LeaseRecord* record = m_.ledger().lease(lease.id);
      const std::uint64_t outlay = lease.paid + (record != nullptr ? record->escrow.value : 0);
      spent += outlay - std::min(outlay, lease.by_owner);
    }
    RC_ASSERT(spent <= used_ + set_ - left());
    RC_ASSERT(m_.ledger().recount() == std::optional(m_.ledger().tables().supply));
  }

  Market m_;
  identity::NodeId node_ = node_id(key(1001));
  OpenLease request_;
  std::vector<Lease> leases_;
  Lease none_;
  std::uint64_t set_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t used_ = 0;  // of the allowances that were replaced
  bool has_paid_ = false;
};

rc::Gen<Spending::Step> any_step() {
  using rc::gen::inRange;
  using Step = Spending::Step;
  return rc::gen::build<Step>(rc::gen::set(&Step::verb, inRange<std::uint8_t>(0, 7)),
                              rc::gen::set(&Step::by_node, rc::gen::arbitrary<bool>()),
                              rc::gen::set(&Step::pick, inRange<std::uint32_t>(0, 4)),
                              rc::gen::set(&Step::number, inRange<std::uint64_t>(1, 17)));
}

TEST(AllowanceProperty, ANodeNeverSpendsMoreThanItWasAllowedWhateverItsOwnerDoesMeanwhile) {
  EXPECT_TRUE(rc::check("any sequence of openings, renewals, payments and allowances", [] {
    const auto steps = *rc::gen::container<std::vector<Spending::Step>>(any_step());
    Spending spending;
    for (const auto& step : steps) spending.step(step);
    RC_CLASSIFY(spending.has_paid(), std::string("paid"));
  }));
}

}  // namespace
}  // namespace hm::ledger
