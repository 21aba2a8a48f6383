// SPDX-License-Identifier: Apache-2.0
// What a node spends on leases for its owner, and that it is never more than it was allowed. The
// same under any operations: economy_model_test.cc.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hm::ledger
