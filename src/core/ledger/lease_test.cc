// SPDX-License-Identifier: Apache-2.0
// The life of a lease: from the request to when it is forgotten, with every unit accounted for.
#include "core/ledger/lease.h"

#include <gtest/gtest.h>

#include "core/ledger/limits.h"
#include "core/ledger/sample_lending.h"
#include "core/trust/score.h"

namespace hm::ledger {
namespace {

using caesar::Amount;
using caesar::caes;
using sample::kDay;
using sample::key;
using sample::kHour;
using sample::lent_terms;
using sample::Market;
using sample::node_id;
using sample::owner_id;

std::optional<Refusal> rule(const std::optional<Refused>& refused) {
  return refused ? std::optional(refused->rule) : std::nullopt;
}

// Owner 0's asset `first` on its node 1000 and owner 2's `second` on node 1002, both lent to
// anyone.
class Leases : public ::testing::Test {
 protected:
  explicit Leases(const Genesis& document = sample::genesis()) : m(document) {}

  trust::Behaviour behaviour(std::uint32_t node = 1000) const {
    const auto found = m.ledger().tables().behaviours.find(node_id(key(node)));
    return found != m.ledger().tables().behaviours.end() ? found->second : trust::Behaviour{};
  }
  std::uint64_t leased(const assets::AssetId& id) const {
    const auto found = m.ledger().tables().asset_uses.find(id.hash);
    return found != m.ledger().tables().asset_uses.end() ? found->second.leased : 0;
  }
  std::uint64_t interval() const { return m.policy().meter_interval_ms; }

  Market m;
  assets::AssetId first = m.lend(1);
  assets::AssetId second = m.lend(2, lent_terms(), 2);
  privacy::GrantId grant = m.grant(m.open_grant());
  privacy::GrantId other_grant = m.grant(m.open_grant(2), 2);
  OpenLease request = Market::request({{first, grant}});
  OpenLease request_of_two = Market::request({{first, grant}, {second, other_grant}});
};

TEST_F(Leases, HoldTheEscrowPayWhatWasReadAndGiveBackTheRest) {
  const LeaseId id = m.open(1, request);
  EXPECT_EQ(m.balance(1), caes(996));
  EXPECT_EQ(m.lease(id).escrow, caes(4));
  EXPECT_EQ(m.lease(id).state, LeaseState::Requested);
  EXPECT_EQ(m.lease(id).until, UnixMillis{});
  EXPECT_EQ(leased(first), 2u);

  m.wait(3'000);
  ASSERT_FALSE(m.by_node(1000, AcceptLease{id}));
  EXPECT_EQ(m.lease(id).until, UnixMillis{m.now().value + kHour});
  m.serve(id, 7);
  EXPECT_EQ(m.lease(id).escrow, caes(4)) << "readings alone pay nothing";

  // 2 threads · 35 s · 1 CAES/h = 19 444 444.4…, of which 1 % is the fee.
  ASSERT_FALSE(m.by_owner(3, SettleLease{id}));
  EXPECT_EQ(m.lease(id).placement.paid, Amount{19'444'444});
  EXPECT_EQ(m.lease(id).placement.fee, Amount{194'444});
  EXPECT_EQ(m.balance(0), Amount{caes(1'000).value + 19'444'444 - 194'444});
  EXPECT_EQ(m.ledger().tables().pools.validators, Amount{194'444});
  EXPECT_EQ(rule(m.by_owner(3, SettleLease{id})), Refusal::NothingToSettle);

  m.serve(id, 1);
  ASSERT_FALSE(m.by_node(1001, CloseLease{id}));
  const LeaseRecord& lease = m.lease(id);
  EXPECT_EQ(lease.state, LeaseState::Closed);
  EXPECT_EQ(lease.placement.end, LeaseEnd::ByTenant);
  EXPECT_EQ(lease.escrow, Amount{});
  EXPECT_EQ(lease.placement.counted_ms, 40'000u);
  // The cumulative cost is charged: 22 222 222, no rounding lost on the way.
  EXPECT_EQ(lease.placement.paid, Amount{22'222'222});
  EXPECT_EQ(m.balance(1), Amount{caes(1'000).value - 22'222'222});
  EXPECT_EQ(leased(first), 0u);
  EXPECT_EQ(behaviour().witnessed, 8 * trust::kCountScale);
  EXPECT_EQ(behaviour().leases_kept, trust::kCountScale);
}

class Rewarded : public Leases {
 protected:
  static Genesis document() {
    Genesis genesis = sample::genesis();
    genesis.economy.epoch_blocks = 3;
    genesis.economy.provider_ppm = 1'000'000;
    return genesis;
  }
  Rewarded() : Leases(document()) {}
};

TEST_F(Rewarded, ProvidersGetTheirRewardOutOfTheProvidersPool) {
  const LeaseId id = m.accepted(1, request);
  m.serve(id, 10);
  while (m.ledger().height() % 3 != 0) m.wait(1);
  const Amount before = m.balance(0);
  const auto pools = m.ledger().tables().pools;
  ASSERT_FALSE(m.by_owner(3, SettleLease{id}));
  const Placement& placement = m.lease(id).placement;
  // Half a percent of 27 777 777 at the most open level.
  EXPECT_EQ(placement.paid, Amount{27'777'777});
  EXPECT_EQ(placement.reward, Amount{138'888});
  EXPECT_EQ(m.ledger().tables().pools.providers, Amount{pools.providers.value - 138'888});
  EXPECT_EQ(m.ledger().tables().pools.validators, Amount{pools.validators.value + 277'777});
  EXPECT_EQ(m.balance(0), Amount{before.value + 27'777'777 - 277'777 + 138'888});
}

TEST_F(Leases, ADisputedReadingCountsTheSmallerAndKeepsBoth) {
  const LeaseId id = m.accepted(1, request);
  m.wait(interval());
  ASSERT_FALSE(m.meter(id, 0, 5'000, 3'000));
  m.wait(interval());
  ASSERT_FALSE(m.meter(id, 1, 7'000, 8'000));
  const Placement& placement = m.lease(id).placement;
  EXPECT_EQ(placement.provider_ms, 7'000u);
  EXPECT_EQ(placement.tenant_ms, 8'000u);
  EXPECT_EQ(placement.counted_ms, 5'000u) << "3 000 of the first, 2 000 of the second";
  EXPECT_EQ(placement.disputed_intervals, 2u);
  EXPECT_EQ(behaviour().disputed, 2 * trust::kCountScale);
  EXPECT_EQ(behaviour().witnessed, 0u);
  EXPECT_EQ(trust::score(behaviour(), m.now()), 500u);
}

TEST_F(Leases, WhatWasUsedIsKeptAsEachSideSaysItAndPaysNothing) {
  const LeaseId id = m.accepted(1, request);
  const auto read = [&](std::uint32_t index, std::uint64_t total, std::uint64_t by_provider,
                        std::uint64_t by_tenant) {
    return m.by_owner(0, MeterLease{m.reading_of_use(id, index, total, by_provider, by_tenant)});
  };
  m.wait(interval());
  ASSERT_FALSE(read(0, 5'000, 9, 7));
  const Placement& placement = m.lease(id).placement;
  EXPECT_EQ(placement.provider_used, 9u);
  EXPECT_EQ(placement.tenant_used, 7u);
  EXPECT_EQ(placement.used(), 7u);
  EXPECT_EQ(placement.disputed_intervals, 0u) << "only time is disputed";
  m.wait(interval());
  EXPECT_EQ(rule(read(1, 10'000, 8, 9)), Refusal::MeterBackwards);
  EXPECT_EQ(rule(read(1, 10'000, 9, 6)), Refusal::MeterBackwards);
  EXPECT_EQ(rule(read(1, 10'000, 31, 9)), Refusal::MeterUsedTooMuch);
  ASSERT_FALSE(read(1, 10'000, 30, 30)) << "2 threads for 10 s, and an interval of 5 s";
  ASSERT_FALSE(m.by_owner(3, SettleLease{id}));
  EXPECT_EQ(m.lease(id).placement.paid, Amount{5'555'555}) << "10 s of what was reserved";
  EXPECT_EQ(m.lease(id).placement.used(), 30u);
}

TEST(Used, IsBoundedByQuantityAndTimeWithoutOverflow) {
  EXPECT_EQ(most_used(2, 999), 1u);
  EXPECT_EQ(most_used(2'000, 500), 1'000u);
  EXPECT_EQ(most_used(0, UINT64_MAX), 0u);
  EXPECT_EQ(most_used(UINT64_MAX, 1'000), UINT64_MAX);
  EXPECT_EQ(most_used(UINT64_MAX, 2'000), UINT64_MAX);
  const Policy& policy = policy_of(Preset::Localhost);
  EXPECT_EQ(used_limit(policy, 1'000, 0), policy.meter_interval_ms);
  EXPECT_EQ(used_limit(policy, 1'000, UINT64_MAX), UINT64_MAX);
}

TEST_F(Leases, ReadingsComeInOrderInTimeAndWithinWhatHasPassed) {
  const LeaseId id = m.accepted(1, request);
  EXPECT_EQ(rule(m.meter(id, 0, 1, 0)), Refusal::MeterTooMuch) << "no time has passed";
  m.wait(interval() / 2);
  EXPECT_EQ(rule(m.meter(id, 0, 2'501, 2'500)), Refusal::MeterTooMuch);
  EXPECT_EQ(rule(m.meter(id, 1, 0, 0)), Refusal::MeterTooEarly);
  ASSERT_FALSE(m.meter(id, 0, 2'500, 2'500));
  EXPECT_EQ(rule(m.meter(id, 0, 2'500, 2'500)), Refusal::MeterBackwards) << "the same again";
  m.wait(interval() * 2 + interval() / 2);
  // Interval 1 ended exactly one interval ago: the last moment.
  ASSERT_FALSE(m.meter(id, 1, 7'500, 7'500));
  m.wait(interval() * 2);
  EXPECT_EQ(rule(m.meter(id, 2, 8'000, 8'000)), Refusal::MeterTooLate);
  EXPECT_EQ(rule(m.meter(id, 3, 7'499, 7'500)), Refusal::MeterBackwards);
  EXPECT_EQ(rule(m.meter(id, 3, 12'501, 12'500)), Refusal::MeterTooMuch)
      << "what was not read is not made up for";
  ASSERT_FALSE(m.meter(id, 3, 12'500, 12'500));
  EXPECT_EQ(m.lease(id).placement.counted_intervals, 3u);
}

TEST_F(Leases, ALeaseEndsWithItsTimeAndIsReadOnceMore) {
  request.duration_ms = 12'000;
  const LeaseId id = m.accepted(1, request);
  const std::uint64_t start = m.now().value;
  m.serve(id, 2);
  m.wait(2'000);
  EXPECT_EQ(m.lease(id).state, LeaseState::Draining);
  EXPECT_EQ(m.lease(id).ends.value, start + 12'000 + interval());
  EXPECT_EQ(rule(m.meter(id, 2, 12'001, 12'000)), Refusal::MeterTooMuch);
  EXPECT_EQ(rule(m.meter(id, 3, 12'000, 12'000)), Refusal::MeterBeyondEnd);
  ASSERT_FALSE(m.meter(id, 2, 12'000, 12'000));
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{id, 1'000})), Refusal::LeaseNotActive);
  m.wait(interval());
  EXPECT_EQ(m.lease(id).state, LeaseState::Closed);
  EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::Expired);
  EXPECT_EQ(m.lease(id).placement.counted_ms, 12'000u);
  EXPECT_EQ(m.balance(1), Amount{caes(1'000).value - 6'666'666});
  EXPECT_EQ(behaviour().leases_kept, trust::kCountScale);

  m.wait(m.policy().lease_retention_ms - 1);
  EXPECT_NE(m.ledger().lease(id), nullptr);
  EXPECT_EQ(m.ledger().owner(owner_id(1))->leases, 1u);
  m.wait(1);
  EXPECT_EQ(m.ledger().lease(id), nullptr);
  EXPECT_EQ(m.ledger().owner(owner_id(1))->leases, 0u);
  EXPECT_FALSE(m.ledger().lease_index().next_due());
}

TEST_F(Leases, ARenewalTakesExactlyTheEscrowForTheWholeTime) {
  request.duration_ms = 10'001;
  request.highest_price = {Amount{1'000'000'007}, 3};
  request.choices = {{m.lend(3,
                             [] {
                               auto cheap = lent_terms();
                               cheap.price = caesar::Price{Amount{1'000'000'001}, 7};
                               return cheap;
                             }()),
                      grant}};
  const LeaseId id = m.accepted(1, request);
  const std::uint64_t until = m.lease(id).until.value;
  m.wait(4'000);
  ASSERT_FALSE(m.by_owner(1, RenewLease{id, 9'998}));
  EXPECT_EQ(m.lease(id).until.value, until + 9'998);
  EXPECT_EQ(m.lease(id).duration_ms, 19'999u);
  EXPECT_EQ(m.lease(id).escrow, *caesar::cost(request.highest_price, 2, 19'999));
  const auto longest = m.policy().longest_lease_ms;
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{id, longest - 19'998})), Refusal::LeaseTooLong);
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{id, UINT64_MAX})), Refusal::LeaseTooLong);
  EXPECT_EQ(rule(m.by_owner(2, RenewLease{id, 1})), Refusal::NotTheTenant);
}

TEST_F(Leases, ARenewalBeyondTheBalanceIsRefused) {
  const LeaseId id = m.accepted(1, request);
  ASSERT_FALSE(m.by_owner(1, TransferCaes{owner_id(3), caes(996)}));
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{id, kHour})), Refusal::OverBalance);
  EXPECT_EQ(m.lease(id).duration_ms, kHour);
}

TEST_F(Leases, ALeaseThatTheBalanceDoesNotCoverIsRefused) {
  ASSERT_FALSE(m.by_owner(1, TransferCaes{owner_id(3), caes(997)}));
  EXPECT_EQ(rule(m.by_owner(1, request)), Refusal::OverBalance);
  EXPECT_EQ(leased(first), 0u);
}

TEST_F(Leases, TheOwnerTakesAnAssetBackAfterTheNoticeThatItGranted) {
  privacy::Grant noticed = m.open_grant();
  noticed.notice_ms = 20'000;
  request.choices = {{first, m.grant(noticed)}};
  const LeaseId id = m.accepted(1, request);
  m.serve(id, 1);
  ASSERT_FALSE(m.by_node(1000, ReclaimLease{id, Notice::AsGranted}));
  EXPECT_EQ(m.lease(id).state, LeaseState::Draining);
  EXPECT_EQ(rule(m.by_node(1000, ReclaimLease{id, Notice::AsGranted})), Refusal::LeaseNotActive);
  m.serve(id, 3);
  m.wait(4'999);
  EXPECT_EQ(m.lease(id).state, LeaseState::Draining);
  m.wait(1);
  EXPECT_EQ(m.lease(id).state, LeaseState::Closed);
  EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::ByOwner);
  EXPECT_EQ(behaviour().leases_kept, trust::kCountScale);
  EXPECT_EQ(behaviour().leases_failed, 0u);
}

TEST_F(Leases, TakingBackWithoutTheNoticeIsALeaseFailed) {
  privacy::Grant noticed = m.open_grant();
  noticed.notice_ms = 20'000;
  request.choices = {{first, m.grant(noticed)}};
  for (const bool is_draining : {false, true}) {
    const LeaseId id = m.accepted(1, request);
    if (is_draining) {
      ASSERT_FALSE(m.by_owner(0, ReclaimLease{id, Notice::AsGranted}));
    }
    ASSERT_FALSE(m.by_owner(0, ReclaimLease{id, Notice::None}));
    EXPECT_EQ(m.lease(id).state, LeaseState::Closed);
    EXPECT_EQ(behaviour().leases_failed, (is_draining ? 2 : 1) * trust::kCountScale);
  }
  EXPECT_EQ(m.balance(1), caes(1'000));
}

TEST_F(Leases, WhereNoNoticeWasGrantedTakingBackIsNoFault) {
  const LeaseId id = m.accepted(1, request);
  ASSERT_FALSE(m.by_owner(0, ReclaimLease{id, Notice::AsGranted}));
  EXPECT_EQ(m.lease(id).state, LeaseState::Closed);
  EXPECT_EQ(behaviour(), trust::Behaviour{});
}

TEST_F(Leases, ADeclinedLeaseGoesToTheNextChoice) {
  const LeaseId id = m.open(1, request_of_two);
  ASSERT_FALSE(m.by_node(1000, DeclineLease{id}));
  EXPECT_EQ(m.lease(id).state, LeaseState::Requested);
  EXPECT_EQ(m.lease(id).placement.provider, owner_id(2));
  EXPECT_EQ(m.lease(id).past.at(0).end, LeaseEnd::Declined);
  EXPECT_EQ(leased(first), 0u);
  EXPECT_EQ(leased(second), 2u);
  EXPECT_EQ(m.ledger().lease_index().on_node(node_id(key(1000))).size(), 0u);
  EXPECT_EQ(rule(m.by_node(1000, AcceptLease{id})), Refusal::NotTheProvider);
  ASSERT_FALSE(m.by_node(1002, DeclineLease{id}));
  EXPECT_EQ(m.lease(id).state, LeaseState::Failed);
  EXPECT_EQ(m.balance(1), caes(1'000));
  EXPECT_EQ(behaviour().leases_failed, 0u) << "an offer that was not accepted is no promise";
}

TEST_F(Leases, AMoveTakesTheNextChoiceUnderTheSameGrantThatAllowsOneLease) {
  privacy::Grant one = m.open_grant();
  one.limits.concurrent = 1;
  one.share_percent = 25;
  const auto third = m.lend(3);
  const auto id_of_one = m.grant(one);
  const LeaseId id = m.open(1, Market::request({{first, id_of_one}, {third, id_of_one}}));
  ASSERT_FALSE(m.by_node(1000, DeclineLease{id}));
  EXPECT_EQ(m.lease(id).state, LeaseState::Requested) << "it does not stand in its own way";
  EXPECT_EQ(m.lease(id).placement.choice.asset, third);
  EXPECT_EQ(m.ledger().tables().grant_uses.at({owner_id(0), id_of_one}).open_leases, 1u);
}

TEST_F(Leases, ARequestThatNobodyAcceptsInTimeMovesOnByTheClock) {
  const LeaseId id = m.open(1, request_of_two);
  m.wait(m.policy().accept_window_ms - 1);
  EXPECT_EQ(m.lease(id).placement.provider, owner_id(0));
  const auto outcome = m.wait(1);
  ASSERT_EQ(outcome.lease_changes.size(), 1u);
  EXPECT_EQ(outcome.lease_changes[0].event, LeaseEvent::Moved);
  EXPECT_FALSE(outcome.lease_changes[0].operation);
  EXPECT_EQ(m.lease(id).past.at(0).end, LeaseEnd::NotAccepted);
  EXPECT_EQ(m.lease(id).placement.provider, owner_id(2));
  m.wait(m.policy().accept_window_ms);
  EXPECT_EQ(m.lease(id).state, LeaseState::Failed);
  EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::NotAccepted);
  EXPECT_EQ(m.balance(1), caes(1'000));
}

TEST_F(Leases, ADarkProviderIsPaidForWhatWasReadAndLosesTheLease) {
  const LeaseId id = m.accepted(1, request_of_two);
  m.serve(id, 2);
  const std::uint64_t dark = m.policy().dark_after_intervals + 1;
  m.wait(dark * interval() - 1);
  EXPECT_EQ(m.lease(id).state, LeaseState::Active);
  m.wait(1);
  EXPECT_EQ(m.lease(id).state, LeaseState::Requested);
  EXPECT_EQ(m.lease(id).past.at(0).end, LeaseEnd::Dark);
  EXPECT_EQ(m.lease(id).past.at(0).paid, Amount{5'555'555});
  EXPECT_EQ(behaviour().leases_failed, trust::kCountScale);
  const std::uint64_t until = m.lease(id).until.value;

  // The second provider accepts; its own intervals count from then, and the end does not move.
  ASSERT_FALSE(m.by_node(1002, AcceptLease{id}));
  EXPECT_EQ(m.lease(id).until.value, until);
  EXPECT_EQ(rule(m.by_owner(2, MeterLease{m.reading(id, 0, 0, 0, 1002)})),
            Refusal::MeterOfOtherPlacement);
  m.wait(interval());
  ASSERT_FALSE(m.by_owner(2, MeterLease{m.reading(id, 0, 5'000, 5'000, 1002, 1001, 1)}));
  m.wait(dark * interval());
  EXPECT_EQ(m.lease(id).state, LeaseState::Failed);
  EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::Dark);
  EXPECT_EQ(behaviour(1002).leases_failed, trust::kCountScale);
  EXPECT_EQ(m.balance(1), Amount{caes(1'000).value - 5'555'555 - 2'777'777});
  EXPECT_EQ(leased(first) + leased(second), 0u);
}

TEST_F(Leases, WhoWentDarkBeforeTheEndIsDarkAlsoIfNoBlockSawItInTime) {
  request.duration_ms = kHour;
  const LeaseId id = m.accepted(1, request);
  m.serve(id, 1);
  m.wait(kDay);
  EXPECT_EQ(m.lease(id).state, LeaseState::Failed);
  EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::Dark);
  EXPECT_EQ(behaviour().leases_kept, 0u);
}

TEST_F(Leases, AnAssetThatShrinksFailsOrRetiresLosesTheNewestLeases) {
  const LeaseId older = m.accepted(1, request);
  const LeaseId newer = m.accepted(3, request_of_two);
  auto smaller = lent_terms();
  smaller.quantity = {8, 3, 3, "threads"};
  ASSERT_FALSE(m.by_node(1000, UpdateAsset{first, 1, smaller}));
  EXPECT_EQ(m.lease(older).state, LeaseState::Active);
  EXPECT_EQ(m.lease(newer).placement.provider, owner_id(2));
  EXPECT_EQ(m.lease(newer).past.at(0).end, LeaseEnd::AssetGone);
  EXPECT_EQ(behaviour().leases_failed, trust::kCountScale);

  smaller.state = assets::AssetState::Failed;
  ASSERT_FALSE(m.by_node(1000, UpdateAsset{first, 2, smaller}));
  EXPECT_EQ(m.lease(older).state, LeaseState::Failed);
  EXPECT_EQ(m.lease(older).placement.end, LeaseEnd::AssetGone);
  EXPECT_EQ(leased(first), 0u);

  ASSERT_FALSE(m.by_owner(2, RetireAsset{second, 1}));
  EXPECT_EQ(m.lease(newer).state, LeaseState::Failed);
  EXPECT_EQ(m.balance(1), caes(1'000));
  EXPECT_EQ(m.balance(3), caes(1'000));
}

TEST_F(Leases, ARetiredAssetLosesEveryOneOfItsLeases) {
  std::vector<LeaseId> all;
  for (const std::uint32_t tenant : {1u, 3u, 1u, 3u}) all.push_back(m.accepted(tenant, request));
  ASSERT_FALSE(m.by_owner(0, RetireAsset{first, 1}));
  for (const LeaseId& id : all) EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::AssetGone);
  EXPECT_EQ(leased(first), 0u);
  EXPECT_EQ(behaviour().leases_failed, 4 * trust::kCountScale);
}

TEST_F(Leases, PauseEndsNoLeaseButTakesNoNewOneAndNoRenewal) {
  const LeaseId id = m.accepted(1, request);
  auto paused = lent_terms();
  paused.state = assets::AssetState::Maintenance;
  ASSERT_FALSE(m.by_owner(0, UpdateAsset{first, 1, paused}));
  EXPECT_EQ(m.lease(id).state, LeaseState::Active);
  EXPECT_EQ(rule(m.by_owner(3, request)), Refusal::AssetUnavailable);
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{id, kHour})), Refusal::AssetUnavailable);
}

TEST_F(Leases, WhatIsLeasedIsMeasuredInTheUnitInWhichItWasLeased) {
  const LeaseId id = m.accepted(1, request);
  auto concealed = sample::concealed_terms(assets::PrivacyLevel::P2P);
  ASSERT_FALSE(m.by_owner(0, UpdateAsset{first, 1, concealed}));
  EXPECT_EQ(m.lease(id).state, LeaseState::Failed) << "two threads are not two basis points";
  EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::AssetGone);
}

TEST_F(Leases, AnAssetInUseIsNotGivenAway) {
  const LeaseId id = m.accepted(1, request);
  EXPECT_EQ(rule(m.by_owner(0, TransferAsset{first, 1, owner_id(3)})), Refusal::AssetLeased);
  ASSERT_FALSE(m.by_owner(1, CloseLease{id}));
  EXPECT_FALSE(m.by_owner(0, TransferAsset{first, 1, owner_id(3)}));
}

// Asset `first` lies on owner 0's node and belongs to owner 3.
class Sold : public Leases {
 protected:
  Sold() {
    HM_CHECK(!m.by_owner(0, TransferAsset{first, 1, owner_id(3)}));
    request.choices = {{first, m.grant(m.open_grant(3), 3)}};
  }
};

TEST_F(Sold, ItsNewOwnerAloneSpeaksForIt) {
  const LeaseId id = m.open(1, request);
  EXPECT_EQ(rule(m.by_node(1000, AcceptLease{id})), Refusal::NotTheProvider);
  EXPECT_EQ(rule(m.by_node(1003, AcceptLease{id})), Refusal::NotOnThisNode);
  ASSERT_FALSE(m.by_owner(3, AcceptLease{id}));
  EXPECT_EQ(rule(m.meter(id, 0, 0, 0)), Refusal::MeterNotByProvider)
      << "the node on which it lies belongs to another owner";
  m.wait(interval());
  EXPECT_FALSE(m.by_owner(3, MeterLease{m.reading(id, 0, 5'000, 5'000, 3)}));
}

TEST_F(Sold, WhatItsNewOwnerDoesIsNotHeldAgainstTheNodeOfTheOldOne) {
  const LeaseId id = m.open(1, request);
  ASSERT_FALSE(m.by_owner(3, AcceptLease{id}));
  m.wait(kDay);
  EXPECT_EQ(m.lease(id).placement.end, LeaseEnd::Dark);
  EXPECT_EQ(behaviour(), trust::Behaviour{});
}

TEST_F(Leases, OnesOwnAssetIsFreeAndReservedAsForOthers) {
  request.choices = {{first, std::nullopt}};
  const LeaseId id = m.accepted(0, request);
  EXPECT_EQ(m.balance(0), caes(996));
  EXPECT_EQ(leased(first), 2u);
  m.wait(kHour - 1);
  EXPECT_EQ(m.lease(id).state, LeaseState::Active) << "nobody signs readings, and it is not dark";
  m.wait(kDay);
  EXPECT_EQ(m.ledger().lease(id) == nullptr || !m.lease(id).is_open(), true);
  EXPECT_EQ(m.balance(0), caes(1'000));
  EXPECT_EQ(behaviour(), trust::Behaviour{});
}

TEST_F(Leases, OfTwoTenantsForTheLastOfItTheFirstInTheBlockGetsIt) {
  privacy::Grant another = m.open_grant();
  another.number = 1;
  const auto id_of_another = m.grant(another);
  for (const bool reversed : {false, true}) {
    OpenLease all = request;
    all.quantity = 8;
    OpenLease last = Market::request({{first, id_of_another}});
    last.quantity = 1;
    std::vector<PreparedOperation> operations = {m.chain().by_owner(1, all),
                                                 m.chain().by_owner(3, last)};
    if (reversed) std::swap(operations[0], operations[1]);
    const auto receipts = m.block(operations).receipts;
    EXPECT_FALSE(receipts[0].refused);
    EXPECT_EQ(rule(receipts[1].refused), Refusal::NotEnoughFree);
    EXPECT_EQ(leased(first), reversed ? 1u : 8u);
    EXPECT_FALSE(m.by_owner(reversed ? 3 : 1, CloseLease{LeaseId{receipts[0].operation.bytes}}));
  }
}

TEST_F(Leases, TheFirstChoiceThatAdmitsIsTakenAndTheFirstRefusalTold) {
  request_of_two.quantity = 9;
  EXPECT_EQ(rule(m.by_owner(1, request_of_two)), Refusal::ShareExceeded);
  request_of_two.quantity = 2;
  request_of_two.choices[0].grant = other_grant;
  const LeaseId id = m.open(1, request_of_two);
  EXPECT_EQ(m.lease(id).placement.provider, owner_id(2));
  EXPECT_TRUE(m.lease(id).choices_left.empty());
  request.choices[0].grant = other_grant;
  EXPECT_EQ(rule(m.by_owner(1, request)), Refusal::UnknownGrant);
}

TEST_F(Leases, AnAssetTakesNoMoreLeasesThanItsRowHolds) {
  auto wide = lent_terms(1'000);
  request.choices = {{m.lend(4, wide), grant}};
  request.quantity = 1;
  request.highest_price = {caes(1), 1};
  for (std::size_t i = 0; i < kMaxLeasesPerAsset; ++i) m.open(1, request);
  EXPECT_EQ(rule(m.by_owner(1, request)), Refusal::TooManyLeases);
}

TEST_F(Leases, AStateWithLeasesOfEveryKindIsRestored) {
  m.accepted(1, request_of_two);
  m.open(3, request);
  const LeaseId closed = m.open(3, request);
  ASSERT_FALSE(m.by_owner(3, CloseLease{closed}));
  const auto restored = Ledger::restore(m.ledger().export_state(), m.ledger().root());
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->tables(), m.ledger().tables());
  EXPECT_EQ(restored->lease_index().next_due(), m.ledger().lease_index().next_due());
}

}  // namespace
}  // namespace hm::ledger
