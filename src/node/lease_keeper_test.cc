// SPDX-License-Identifier: Apache-2.0
#include "node/lease_keeper.h"

#include <gtest/gtest.h>

#include "node/limits.h"
#include "node/memory_mesh.h"

namespace hm::node {
namespace {

using ledger::LeaseEnd;
using ledger::LeaseId;
using ledger::LeaseRecord;
using ledger::LeaseState;
namespace sample = ledger::sample;

constexpr std::uint32_t kProvider = 1;
constexpr std::uint32_t kTenant = 2;
const std::uint64_t kInterval = ledger::policy_of(ledger::Preset::Localhost).meter_interval_ms;

activity::ActivityVerdict verdict(activity::Activity activity) {
  activity::ActivityVerdict made;
  made.activity = activity;
  made.cause =
      activity == activity::Activity::Idle ? activity::Cause::Calm : activity::Cause::Input;
  return made;
}

// Owner 1 lends a CPU on its node to owner 2; both nodes keep leases.
class Leases : public ::testing::Test {
 protected:
  Leases() : mesh(3) {
    make_keeper(kProvider);
    make_keeper(kTenant);
    asset = sample::asset_id(mesh.node(0).chain_id(), 1);
    EXPECT_FALSE(
        mesh.submit(kProvider, ledger::RegisterAsset{asset, mesh.id(kProvider), sample::terms(8)}));
  }

  void make_keeper(std::uint32_t i, LeaseKeeperConfig config = {}) {
    keepers[i].reset();
    keepers[i] = std::make_unique<LeaseKeeper>(mesh.node(i), mesh.operations(i), std::move(config));
    mesh.world().settle();
  }
  LeaseKeeper& keeper(std::uint32_t i) { return *keepers[i]; }

  privacy::GrantId grant(privacy::When when = privacy::When::Always, std::uint64_t notice_ms = 0) {
    privacy::Grant made;
    made.owner = made.issuer = sample::owner_id(kProvider);
    made.number = ++grants_made;
    made.to = privacy::ToOwner{sample::owner_id(kTenant)};
    made.share_percent = 100;
    made.price = caesar::Price{caesar::Amount{3'600'000}, 1};
    made.when = when;
    made.notice_ms = notice_ms;
    const auto id = privacy::grant_id(mesh.node(0).chain_id(), made);
    const auto signature =
        sample::owner(kProvider).sign(privacy::grant_statement(id), sample::fixed_randomness());
    EXPECT_FALSE(mesh.submit(kProvider, ledger::AddGrant{made, signature}));
    return id;
  }

  LeaseId open(const privacy::GrantId& under, std::uint64_t duration_ms = 3'600'000) {
    ledger::OpenLease action;
    action.choices = {{asset, under}};
    action.quantity = 1;
    action.duration_ms = duration_ms;
    action.highest_price = {caesar::Amount{3'600'000}, 1};
    crypto::Digest id;
    EXPECT_FALSE(mesh.submit(kTenant, action, &id));
    return LeaseId{id.bytes};
  }

  const LeaseRecord& lease(const LeaseId& id) { return *mesh.ledger().lease(id); }

  memory::MemoryMesh mesh;
  std::map<std::uint32_t, std::unique_ptr<LeaseKeeper>> keepers;
  assets::AssetId asset;
  std::uint64_t grants_made = 0;
};

TEST_F(Leases, ARequestIsAcceptedWithoutAnyTimePassing) {
  const MonoTime before = mesh.world().now();
  const LeaseId id = open(grant());
  EXPECT_EQ(lease(id).state, LeaseState::Active);
  EXPECT_EQ(mesh.world().now(), before);
  EXPECT_EQ(keeper(kProvider).counters().accepted, 1U);
}

TEST_F(Leases, EachIntervalIsReadByBothSidesAndBothSayTheSame) {
  const LeaseId id = open(grant());
  mesh.run(5 * kInterval + 2'000);
  const auto& placement = lease(id).placement;
  EXPECT_EQ(placement.next_interval, 5U);
  EXPECT_EQ(placement.counted_intervals, 5U);
  EXPECT_EQ(placement.disputed_intervals, 0U);
  EXPECT_EQ(placement.counted_ms, 5 * kInterval);
  EXPECT_EQ(keeper(kProvider).counters().readings, 5U);
  EXPECT_EQ(keeper(kProvider).counters().readings_refused, 0U);
  EXPECT_EQ(keeper(kTenant).counters().readings_signed, 5U);
}

TEST_F(Leases, AnExpiredLeaseIsPaidToItsLastMillisecond) {
  const LeaseId id = open(grant(), 2 * kInterval + 1'234);
  mesh.run(5 * kInterval);
  ASSERT_FALSE(mesh.submit(kTenant, ledger::Bond{caesar::Amount{1}}));
  EXPECT_EQ(lease(id).state, LeaseState::Closed);
  EXPECT_EQ(lease(id).placement.end, LeaseEnd::Expired);
  EXPECT_EQ(lease(id).placement.counted_ms, 2 * kInterval + 1'234);
}

TEST_F(Leases, ATenantThatIsNotThereIsGivenUpBeforeTheLeaseCountsAsDark) {
  const LeaseId id = open(grant());
  mesh.run(2 * kInterval + 1'000);
  keepers[kTenant].reset();
  mesh.run(5 * kInterval);
  EXPECT_EQ(lease(id).state, LeaseState::Closed);
  EXPECT_EQ(lease(id).placement.end, LeaseEnd::ByOwner);
  EXPECT_EQ(lease(id).placement.counted_intervals, 2U);
  EXPECT_EQ(keeper(kProvider).counters().reclaimed_unsigned, 1U);
}

TEST_F(Leases, WhatTheTenantDidNotSeeIsNotCounted) {
  const LeaseId id = open(grant());
  mesh.run(1'000);
  mesh.disconnect(kProvider, kTenant);
  mesh.run(2'000);
  mesh.connect(kProvider, kTenant);
  mesh.run(kInterval);
  EXPECT_EQ(lease(id).placement.counted_intervals, 1U);
  EXPECT_EQ(lease(id).placement.disputed_intervals, 1U);
  EXPECT_EQ(lease(id).placement.provider_ms, kInterval);
  EXPECT_EQ(lease(id).placement.tenant_ms, kInterval - 2'000);
  EXPECT_EQ(lease(id).placement.counted_ms, kInterval - 2'000);
}

TEST_F(Leases, WhatWasUsedIsSignedByBothSidesAsFarAsItCanHaveBeen) {
  const LeaseId id = open(grant());
  keeper(kProvider).set_usage(id, 3);
  mesh.run(kInterval + 1'000);
  EXPECT_EQ(lease(id).placement.provider_used, 3U);
  EXPECT_EQ(lease(id).placement.tenant_used, 3U) << "the provider's word, which can be true";
  keeper(kProvider).set_usage(id, 1);
  keeper(kTenant).set_usage_bound(id, 4);
  mesh.run(kInterval);
  EXPECT_EQ(lease(id).placement.provider_used, 3U) << "a total does not go back";
  keeper(kProvider).set_usage(id, 6);
  mesh.run(kInterval);
  EXPECT_EQ(lease(id).placement.provider_used, 6U);
  EXPECT_EQ(lease(id).placement.tenant_used, 4U) << "what the tenant was told";
  keeper(kProvider).set_usage(id, UINT64_MAX);
  mesh.run(kInterval);
  const auto& placement = lease(id).placement;
  // One thread for four intervals, and one more.
  EXPECT_EQ(placement.provider_used, 5 * kInterval / 1'000);
  EXPECT_EQ(placement.used(), 4U);
  EXPECT_EQ(placement.counted_intervals, 4U);
  EXPECT_EQ(placement.disputed_intervals, 0U);
  EXPECT_EQ(keeper(kProvider).counters().readings_refused, 0U);
}

TEST_F(Leases, OfALeaseThatNobodySpeaksForNothingWasUsed) {
  const LeaseId id = open(grant());
  keeper(kProvider).set_usage(LeaseId{}, 7);
  keeper(kTenant).set_usage_bound(LeaseId{}, 7);
  keeper(kTenant).set_delivery(LeaseId{}, Delivered::No);
  mesh.run(2 * kInterval + 1'000);
  EXPECT_EQ(lease(id).placement.used(), 0U);
  EXPECT_EQ(lease(id).placement.counted_ms, 2 * kInterval);
}

TEST_F(Leases, AProviderDoesNotClaimTheTimeInWhichNothingRan) {
  const LeaseId id = open(grant());
  mesh.run(1'000);
  keeper(kProvider).set_delivery(id, Delivered::No);
  mesh.run(1'500);
  keeper(kProvider).set_delivery(id, Delivered::Yes);
  mesh.run(kInterval);
  EXPECT_EQ(lease(id).placement.provider_ms, kInterval - 1'500);
  EXPECT_EQ(lease(id).placement.tenant_ms, kInterval);
  EXPECT_EQ(lease(id).placement.counted_ms, kInterval - 1'500);
}

TEST_F(Leases, ATenantDoesNotSignForTheTimeInWhichItsStreamWasDown) {
  const LeaseId id = open(grant());
  mesh.run(1'000);
  keeper(kTenant).set_delivery(id, Delivered::No);
  mesh.disconnect(kProvider, kTenant);
  mesh.run(500);
  mesh.connect(kProvider, kTenant);
  mesh.run(1'000);
  keeper(kTenant).set_delivery(id, Delivered::Yes);
  mesh.run(kInterval);
  EXPECT_EQ(lease(id).placement.tenant_ms, kInterval - 1'500);
  EXPECT_EQ(lease(id).placement.provider_ms, kInterval);
}

TEST_F(Leases, ARestartedProviderClaimsNothingForTheTimeItWasAway) {
  const LeaseId id = open(grant());
  mesh.run(kInterval + 1'000);
  keepers[kProvider].reset();
  mesh.stop(kProvider);
  mesh.run(1'500);
  mesh.start(kProvider);
  make_keeper(kProvider);
  mesh.run(kInterval);
  const auto& placement = lease(id).placement;
  EXPECT_EQ(placement.counted_intervals, 2U);
  // The interval began a second before it went.
  EXPECT_LE(placement.provider_ms, 2 * kInterval - 2'490);
  EXPECT_GE(placement.provider_ms, 2 * kInterval - 2'600);
  EXPECT_EQ(placement.tenant_ms, 2 * kInterval - 1'500);
  mesh.run(kInterval);
  EXPECT_EQ(lease(id).placement.counted_intervals, 3U);
}

TEST_F(Leases, AGrantForIdleTimesIsHonouredOnlyByAnIdleMachine) {
  const auto under = grant(privacy::When::Idle);
  const LeaseId unknown = open(under);
  EXPECT_EQ(lease(unknown).placement.end, LeaseEnd::Declined) << "nobody has looked yet";
  keeper(kProvider).set_activity(verdict(activity::Activity::Active));
  const LeaseId active = open(under);
  EXPECT_EQ(lease(active).placement.end, LeaseEnd::Declined);
  keeper(kProvider).set_activity(verdict(activity::Activity::Idle));
  const LeaseId idle = open(under);
  EXPECT_EQ(lease(idle).state, LeaseState::Active);
  keeper(kProvider).set_activity(verdict(activity::Activity::Active));
  mesh.world().settle();
  EXPECT_EQ(lease(idle).placement.end, LeaseEnd::ByOwner);
  EXPECT_EQ(lease(idle).state, LeaseState::Closed);
  EXPECT_EQ(keeper(kProvider).counters().reclaimed_for_owner, 1U);
}

TEST_F(Leases, NoticeIsGivenAndTheTimeUpToItsEndIsRead) {
  const LeaseId id = open(grant(privacy::When::Idle, 20'000));
  EXPECT_EQ(lease(id).placement.end, LeaseEnd::Declined);
  keeper(kProvider).set_activity(verdict(activity::Activity::Idle));
  const LeaseId held = open(grant(privacy::When::Idle, 7'000));
  keeper(kProvider).set_activity(verdict(activity::Activity::Active));
  mesh.world().settle();
  EXPECT_EQ(lease(held).state, LeaseState::Draining);
  mesh.run(9'000);
  ASSERT_FALSE(mesh.submit(kTenant, ledger::Bond{caesar::Amount{1}}));
  EXPECT_EQ(lease(held).state, LeaseState::Closed);
  EXPECT_EQ(lease(held).placement.counted_intervals, 1U + 1U);
  EXPECT_GE(lease(held).placement.counted_ms, 7'000 - kLastReadingLeadMillis);
}

TEST_F(Leases, APauseDeclinesAndPutsTheAssetsIntoMaintenanceAndResumeSetsThemBack) {
  const auto kept = sample::asset_id(mesh.node(0).chain_id(), 2);
  auto terms = sample::terms(4);
  terms.state = assets::AssetState::Maintenance;
  ASSERT_FALSE(mesh.submit(kProvider, ledger::RegisterAsset{kept, mesh.id(kProvider), terms}));
  std::optional<Pause> remembered;
  LeaseKeeperConfig config;
  config.remember = [&](const std::optional<Pause>& pause) {
    remembered = pause;
    return Result<void>();
  };
  make_keeper(kProvider, config);
  ASSERT_TRUE(keeper(kProvider).pause());
  mesh.world().settle();
  EXPECT_TRUE(remembered.has_value());
  EXPECT_EQ(mesh.ledger().asset(asset.hash)->terms.state, assets::AssetState::Maintenance);

  // A restart keeps the pause; so does one while it ends.
  config.pause = remembered;
  make_keeper(kProvider, config);
  EXPECT_TRUE(keeper(kProvider).is_paused());
  ASSERT_TRUE(keeper(kProvider).resume());
  EXPECT_FALSE(keeper(kProvider).is_paused());
  config.pause = remembered;
  make_keeper(kProvider, config);
  mesh.run(2'000);
  EXPECT_EQ(mesh.ledger().asset(asset.hash)->terms.state, assets::AssetState::Available);
  EXPECT_EQ(mesh.ledger().asset(kept.hash)->terms.state, assets::AssetState::Maintenance);
  EXPECT_FALSE(remembered.has_value());
}

TEST_F(Leases, APauseThatCannotBeRememberedIsNone) {
  LeaseKeeperConfig config;
  config.remember = [](const std::optional<Pause>&) -> Result<void> {
    return fail(ErrorCode::Io, "the disk is full");
  };
  make_keeper(kProvider, config);
  EXPECT_FALSE(keeper(kProvider).pause());
  EXPECT_FALSE(keeper(kProvider).is_paused());
}

TEST_F(Leases, ATenantSignsForTheLeasesNodeOnlyAndOnlyOnce) {
  const LeaseId id = open(grant());
  mesh.run(kInterval + 100);
  MeterRequest request{.lease = id,
                       .placement = 0,
                       .interval = 0,
                       .up_to = UnixMillis(lease(id).placement.accepted.value + kInterval),
                       .provider = {}};
  const auto sign_as = [&](std::uint32_t node, std::uint64_t total) {
    const auto key = sample::key(1000 + node);
    const auto statement = meter_statement(mesh.node(0).chain_id(), id, 0, 0, total, 0);
    request.provider = {total, 0, key.public_key(), key.sign(statement.bytes)};
  };
  TenantMeter meter(mesh.node(kTenant));
  meter.handle_lease(id, lease(id), lease(id).placement.accepted);
  sign_as(0, 1);
  EXPECT_FALSE(meter.handle_request(mesh.id(0), request)) << "another node";
  EXPECT_FALSE(meter.handle_request(mesh.id(kProvider), request)) << "another node's signature";
  sign_as(kProvider, 1);
  const auto answer = meter.handle_request(mesh.id(kProvider), request);
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->tenant.delivered_ms, 1U);
  EXPECT_EQ(meter.handle_request(mesh.id(kProvider), request), answer);
  sign_as(kProvider, 2);
  EXPECT_FALSE(meter.handle_request(mesh.id(kProvider), request)) << "repeated in other words";
  request.interval = 7;
  EXPECT_FALSE(meter.handle_request(mesh.id(kProvider), request)) << "not over yet";
  TenantMeter stranger(mesh.node(0));
  stranger.handle_lease(id, lease(id), lease(id).placement.accepted);
  request.interval = 0;
  EXPECT_FALSE(stranger.handle_request(mesh.id(kProvider), request)) << "not the tenant's node";
}

TEST_F(Leases, AProviderThatWasAwayAcceptsLeasesAgainWhateverItSaidMeanwhile) {
  const auto under = grant();
  const auto first = open(under);
  mesh.run(2 * kInterval);
  ASSERT_EQ(lease(first).state, LeaseState::Active);
  mesh.disconnect(kProvider, 0);
  // It goes on reading with the tenant's node, and nobody takes that into a block.
  mesh.run(10 * kInterval);
  EXPECT_EQ(lease(first).placement.end, LeaseEnd::Dark);
  mesh.disconnect(kProvider, kTenant);
  mesh.connect(kProvider, 0);
  mesh.connect(kProvider, kTenant);
  mesh.run(5'000);
  const auto second = open(under);
  mesh.run(1'000);
  EXPECT_EQ(lease(second).state, LeaseState::Active);
}

TEST_F(Leases, APeerThatSaysTooMuchIsNotHeard) {
  const Bytes noise(10, 0xff);
  for (std::uint64_t i = 0; i < kMeterMessageBurst + 50; ++i) {
    keeper(kProvider).on_lease_message(mesh.id(kTenant), noise);
  }
  EXPECT_EQ(keeper(kProvider).counters().messages_dropped, 50U);
  EXPECT_EQ(keeper(kProvider).counters().messages_malformed, kMeterMessageBurst);
  keeper(kProvider).on_lease_message(mesh.id(0), noise);
  EXPECT_EQ(keeper(kProvider).counters().messages_dropped, 50U) << "others are heard";
  mesh.run(100);
  keeper(kProvider).on_lease_message(mesh.id(kTenant), noise);
  EXPECT_EQ(keeper(kProvider).counters().messages_dropped, 50U) << "and so is it, later";
}

}  // namespace
}  // namespace hm::node
