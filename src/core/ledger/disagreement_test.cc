// SPDX-License-Identifier: Apache-2.0
// One run with several owners: what it costs a provider that most others contradict, and what it
// takes to show it.
#include <gtest/gtest.h>

#include "core/ledger/job_result.h"
#include "core/ledger/limits.h"
#include "core/ledger/sample_lending.h"
#include "core/trust/score.h"

namespace hm::ledger {
namespace {

using caesar::Amount;
using caesar::caes;
using sample::key;
using sample::Market;
using sample::node_id;
using sample::owner_id;

std::optional<Refusal> rule(const std::optional<Refused>& refused) {
  return refused ? std::optional(refused->rule) : std::nullopt;
}

// Owner 1 runs one purpose with the owners 0, 2 and 3 and its own node 1001.
class Disagreement : public ::testing::Test {
 protected:
  trust::Behaviour behaviour(std::uint32_t node) const {
    const auto found = m.ledger().tables().behaviours.find(node_id(key(node)));
    return found != m.ledger().tables().behaviours.end() ? found->second : trust::Behaviour{};
  }
  std::uint64_t leased_of(const LeaseId& id) const {
    const auto& uses = m.ledger().tables().asset_uses;
    const auto found = uses.find(m.lease(id).placement.choice.asset.hash);
    return found != uses.end() ? found->second.leased : 0;
  }
  // Owner 3's node gives another result.
  std::vector<SignedResult> results(std::uint8_t exit_code = 0) const {
    return {m.result(runs[0], 1000, 1, exit_code), m.result(runs[1], 1002, 1, exit_code),
            m.result(runs[2], 1003, 2, exit_code)};
  }

  Market m;
  std::vector<LeaseId> runs = m.runs(1, {0, 2, 3});
};

TEST_F(Disagreement, EndsTheLeaseOfWhoDiffersUnpaidAndIsRemembered) {
  m.wait(m.policy().meter_interval_ms);
  ASSERT_FALSE(m.by_owner(3, MeterLease{m.reading(runs[2], 0, 5'000, 5'000, 1003)}));
  const Amount provider = m.balance(3);
  const Amount tenant = m.balance(1);
  ASSERT_FALSE(m.by_node(1001, Market::disagreement(results())));
  const LeaseRecord& wrong = m.lease(runs[2]);
  EXPECT_EQ(wrong.state, LeaseState::Failed);
  EXPECT_EQ(wrong.placement.end, LeaseEnd::WrongResult);
  EXPECT_EQ(wrong.placement.counted_ms, 5'000u);
  EXPECT_EQ(wrong.placement.paid, Amount{}) << "what was read and not settled is not paid";
  EXPECT_EQ(wrong.escrow, Amount{});
  EXPECT_EQ(wrong.ends, m.now());
  EXPECT_EQ(m.balance(3), provider);
  EXPECT_EQ(m.balance(1), Amount{tenant.value + caes(4).value});
  EXPECT_EQ(leased_of(runs[2]), 0u);
  EXPECT_EQ(behaviour(1003).disagreements, trust::kCountScale);
  EXPECT_EQ(behaviour(1003).leases_failed, 0u);
  EXPECT_LT(trust::score(behaviour(1003), m.now()), trust::kNeutralScore);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(m.lease(runs[i]).state, LeaseState::Active);
    EXPECT_EQ(m.lease(runs[i]).placement.evidence, wrong.placement.evidence);
  }
  EXPECT_EQ(behaviour(1000), trust::Behaviour{});
  EXPECT_EQ(wrong.placement.evidence,
            evidence_hash(m.chain().id(), Market::disagreement(results()).results));
  EXPECT_EQ(m.ledger().recount(), m.ledger().tables().supply);
  const auto restored = Ledger::restore(m.ledger().export_state(), m.ledger().root());
  EXPECT_TRUE(restored.has_value());
}

TEST_F(Disagreement, WhatWasPaidBeforeStaysPaid) {
  m.wait(m.policy().meter_interval_ms);
  ASSERT_FALSE(m.by_owner(3, MeterLease{m.reading(runs[2], 0, 5'000, 5'000, 1003)}));
  ASSERT_FALSE(m.by_owner(3, SettleLease{runs[2]}));
  const Amount provider = m.balance(3);
  ASSERT_FALSE(m.by_owner(1, Market::disagreement(results())));
  EXPECT_EQ(m.balance(3), provider);
  EXPECT_EQ(m.lease(runs[2]).placement.paid, Amount{2'777'777});
}

TEST_F(Disagreement, ALeaseThatHasEndedFailsAfterwards) {
  for (const LeaseId& id : runs) ASSERT_FALSE(m.by_owner(1, CloseLease{id}));
  const UnixMillis ended = m.now();
  m.wait(m.policy().evidence_window_ms);
  const Amount tenant = m.balance(1);
  const auto operation = m.chain().by_owner(1, Market::disagreement(results()));
  const auto outcome = m.block({operation});
  ASSERT_FALSE(outcome.receipts.at(0).refused);
  ASSERT_EQ(outcome.lease_changes.size(), 1u);
  EXPECT_EQ(outcome.lease_changes[0].event, LeaseEvent::Ended);
  EXPECT_EQ(outcome.lease_changes[0].end, LeaseEnd::WrongResult);
  EXPECT_EQ(m.lease(runs[2]).state, LeaseState::Failed);
  EXPECT_EQ(m.lease(runs[2]).ends, ended);
  EXPECT_EQ(m.lease(runs[0]).state, LeaseState::Closed);
  EXPECT_EQ(m.balance(1), tenant);
  EXPECT_EQ(behaviour(1003).disagreements, trust::kCountScale);
  m.wait(m.policy().lease_retention_ms);
  EXPECT_EQ(m.ledger().lease(runs[2]), nullptr) << "and is forgotten as all are";
}

TEST_F(Disagreement, TheExitCodeIsPartOfTheAnswer) {
  auto differing = results();
  differing[2] = m.result(runs[2], 1003, 1, 1);
  ASSERT_FALSE(m.by_owner(1, Market::disagreement(differing)));
  EXPECT_EQ(m.lease(runs[2]).placement.end, LeaseEnd::WrongResult);
}

TEST_F(Disagreement, EachResultIsJudgedOnceOnWhicheverSideItWas) {
  ASSERT_FALSE(m.by_owner(1, Market::disagreement(results())));
  EXPECT_EQ(rule(m.by_owner(1, Market::disagreement(results()))), Refusal::ResultsKnown);
  // Those that agreed can not be turned against each other later.
  auto turned = results();
  turned[0] = m.result(runs[0], 1000, 2);
  EXPECT_EQ(rule(m.by_owner(1, Market::disagreement(turned))), Refusal::ResultsKnown);
  EXPECT_EQ(behaviour(1003).disagreements, trust::kCountScale);
  EXPECT_EQ(behaviour(1000).disagreements, 0u);
}

TEST_F(Disagreement, OnlyTheTenantReportsItOfLeasesThatWereAccepted) {
  EXPECT_EQ(rule(m.by_owner(2, Market::disagreement(results()))), Refusal::NotTheTenant);
  auto waiting = Market::request({{m.lend(9), m.id_of(m.open_grant())}});
  waiting.purpose = m.lease(runs[0]).purpose;
  auto early = results();
  early[0] = m.result(m.open(1, waiting), 1000, 1);
  EXPECT_EQ(rule(m.by_owner(1, Market::disagreement(early))), Refusal::LeaseNotActive);
  auto without = waiting;
  without.purpose.reset();
  early[0] = m.result(m.accepted(1, without), 1000, 1);
  EXPECT_EQ(rule(m.by_owner(1, Market::disagreement(early))), Refusal::ResultsOfOtherRuns);
}

TEST_F(Disagreement, AnAssetGivenAwaySpeaksThroughNoNodeOfItsOldOwner) {
  const auto asset = m.lend(9);
  ASSERT_FALSE(m.by_owner(0, TransferAsset{asset, 1, owner_id(2)}));
  auto request = Market::request({{asset, m.id_of(m.open_grant(2))}});
  request.purpose = m.lease(runs[0]).purpose;
  const LeaseId id = m.open(1, request);
  ASSERT_FALSE(m.by_owner(2, AcceptLease{id}));
  auto by_others_node = results();
  by_others_node[1] = m.result(id, 1000, 1);
  EXPECT_EQ(rule(m.by_owner(1, Market::disagreement(by_others_node))), Refusal::ResultNotByNode);
}

TEST_F(Disagreement, TheFormIsBoundedAndCanonical) {
  const auto form = [&](ReportDisagreement action) {
    const auto made =
        prepare(sign(m.chain().operation(owner_id(1), std::move(action)), key(1)), m.chain().id());
    return made ? std::nullopt : std::optional(made.error().rule);
  };
  const ReportDisagreement good = Market::disagreement(results());
  EXPECT_EQ(form(good), std::nullopt);
  for (const std::uint8_t quorum : std::initializer_list<std::uint8_t>{0, 1, 4}) {
    EXPECT_EQ(form({good.results, quorum}), Refusal::ResultsInvalid);
  }
  EXPECT_EQ(form({{good.results[0], good.results[1]}, 2}), Refusal::ResultsInvalid);
  EXPECT_EQ(form({{good.results[1], good.results[0], good.results[2]}, 2}),
            Refusal::ResultsInvalid);
  std::vector<SignedResult> many;
  for (std::uint8_t i = 0; i <= kMaxResults; ++i) {
    LeaseId lease;
    lease.bytes[0] = i;
    many.push_back(m.result(lease, 1000, 1));
  }
  EXPECT_EQ(form({many, 2}), Refusal::ResultsInvalid);
  many.pop_back();
  EXPECT_EQ(form({many, 2}), std::nullopt);
}

TEST(Tally, MostAgreeOnlyAboveHalf) {
  const auto of = [](std::initializer_list<int> answers) {
    std::vector<SignedResult> results;
    for (const int answer : answers) {
      SignedResult result;
      result.output.bytes[0] = static_cast<std::uint8_t>(answer);
      results.push_back(result);
    }
    return tally(results);
  };
  EXPECT_EQ(of({1, 2, 1}), (Tally{2, true, {1}}));
  EXPECT_EQ(of({1, 1, 1}), (Tally{3, true, {}}));
  EXPECT_FALSE(of({1, 1, 2, 2}).has_majority);
  EXPECT_FALSE(of({1, 2, 3}).has_majority);
  EXPECT_FALSE(of({1, 1, 2, 3}).has_majority) << "half is not most";
  EXPECT_EQ(of({2, 1, 2, 3, 2}), (Tally{3, true, {1, 3}}));
}

TEST(SignedResult, IsTheWordOfItsKeyOnOneLeaseOfOneChain) {
  identity::ChainId chain;
  LeaseId lease;
  const SignedResult good = sign_result(chain, lease, {}, 7, ResultSalt{1, 2}, key(5));
  EXPECT_FALSE(check_result(chain, good));
  SignedResult bad = good;
  bad.salt[0] ^= 1;
  EXPECT_EQ(check_result(chain, bad), ResultFault::NotCommitted);
  bad = good;
  bad.lease.bytes[0] ^= 1;
  EXPECT_EQ(check_result(chain, bad), ResultFault::NotCommitted);
  bad = good;
  bad.key = key(6).public_key();
  EXPECT_EQ(check_result(chain, bad), ResultFault::BadSignature);
  chain.bytes[0] ^= 1;
  EXPECT_EQ(check_result(chain, good), ResultFault::NotCommitted);
}

}  // namespace
}  // namespace hm::ledger
