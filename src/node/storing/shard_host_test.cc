// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "node/storing/limits.h"
#include "node/storing/no_shards.h"
#include "node/storing/storing_fixture.h"

namespace hm::storing {
namespace {

class ShardHosts : public Storing {};

TEST_F(ShardHosts, AShardIsKeptAndComesBackWhole) {
  const LeaseId id = lease();
  const PutOrder made = order(id, bytes(7));
  ASSERT_TRUE(put(made).is_good());
  const auto whole = get(made.root);
  ASSERT_TRUE(whole.is_good());
  EXPECT_EQ(whole.value().bytes, *made.shard);
  EXPECT_EQ(whole.value().shard_bytes, made.shard->size());
  const auto part = get(made.root, 99'990, 100);
  ASSERT_TRUE(part.is_good());
  EXPECT_EQ(part.value().bytes.size(), 10U) << "fewer at the end";
  const auto counters = host().counters();
  EXPECT_EQ(counters.puts, 1U);
  EXPECT_EQ(counters.put_bytes, 100'000U);
  EXPECT_EQ(counters.gets, 2U);
  EXPECT_EQ(counters.got_bytes, 100'010U);
}

TEST_F(ShardHosts, AnybodyWhoNamesTheRootReadsAndProves) {
  const auto root = kept(lease(), 1, 200'000);
  EXPECT_TRUE(get(root, 0, ports::kMaxShardBytes, kStranger).is_good());
  Heard<ports::ProvenPage> proof;
  machine(kStranger).client.prove(provider(), root, 3, proof.ear());
  Heard<std::vector<std::optional<ports::ShardState>>> states;
  machine(kStranger).client.has(provider(), {ports::ShardRoot{}, root}, states.ear());
  mesh.world().settle();
  ASSERT_TRUE(proof.is_good());
  EXPECT_EQ(proof.value().page.size(), 200'000U - 3 * blake3::kPageSize);
  ASSERT_TRUE(states.is_good());
  EXPECT_FALSE(states.value()[0]);
  EXPECT_EQ(states.value()[1], (ports::ShardState{200'000, false}));
}

TEST_F(ShardHosts, TheTenantListsItsShardsByKindAndPart) {
  const LeaseId id = lease();
  for (std::uint8_t i = 1; i <= 5; ++i) (void)kept(id, i);
  const PutOrder box = order(id, bytes(9, 5'000), ShardKind::Box);
  ASSERT_TRUE(put(box).is_good());
  store().most_listed = 2;
  std::vector<ports::ShardRoot> roots;
  std::optional<ports::ShardRoot> cursor;
  do {
    Heard<ports::ShardList> part;
    tenant().list(provider(), id, ShardKind::Data, cursor, part.ear());
    mesh.world().settle();
    ASSERT_TRUE(part.is_good());
    for (const auto& each : part.value().shards) roots.push_back(each.root);
    cursor = part.value().next;
  } while (cursor);
  EXPECT_EQ(roots.size(), 5U);
  Heard<ports::ShardList> boxes;
  tenant().list(provider(), id, ShardKind::Box, {}, boxes.ear());
  Heard<ports::HolderUsage> usage;
  tenant().usage(provider(), id, usage.ear());
  mesh.world().settle();
  ASSERT_EQ(boxes.value().shards.size(), 1U);
  EXPECT_EQ(boxes.value().shards[0].root, box.root);
  EXPECT_EQ(usage.value().shards, 6U) << "of both kinds";
}

TEST_F(ShardHosts, AnotherNodeOfTheSameOwnerMayUseTheLease) {
  const LeaseId id = lease();
  const auto binding =
      sample::binding(kTenant, 2000, identity::binding_context(mesh.node(0).chain_id()), "second");
  const node::Node& there = mesh.node(kProvider);
  EXPECT_TRUE(objection(there, binding.node(), id, LeaseUse::Look)) << "not on the ledger yet";
  ASSERT_FALSE(mesh.submit(kTenant, ledger::RegisterNode{binding}));
  EXPECT_FALSE(objection(there, binding.node(), id, LeaseUse::Look));
  EXPECT_FALSE(objection(there, binding.node(), id, LeaseUse::Keep));
}

TEST_F(ShardHosts, NothingIsKeptWithoutALeaseOfThisOwnerForThisPurposeHere) {
  const PutOrder under_another = order(lease(), bytes(1));
  EXPECT_EQ(put(under_another, kStranger).code(), ErrorCode::PermissionDenied);

  auto unfit = lease_request(1 << 20);
  unfit.purpose = crypto::Digest{};
  EXPECT_EQ(put(order(lease(unfit), bytes(1))).code(), ErrorCode::PermissionDenied);

  Heard<ports::ShardList> list;
  machine(kStranger).client.list(provider(), under_another.lease, ShardKind::Data, {}, list.ear());
  Heard<ports::HolderUsage> usage;
  machine(kStranger).client.usage(provider(), under_another.lease, usage.ear());
  Heard<void> elsewhere;
  PutOrder wrong_node = under_another;
  wrong_node.node = mesh.id(kStranger);
  tenant().put(wrong_node, elsewhere.ear());
  mesh.world().settle();
  EXPECT_EQ(list.code(), ErrorCode::PermissionDenied);
  EXPECT_EQ(usage.code(), ErrorCode::PermissionDenied);
  EXPECT_EQ(elsewhere.code(), ErrorCode::PermissionDenied);
  EXPECT_EQ(drop(under_another.lease, 1, {under_another.root}, kStranger).code(),
            ErrorCode::PermissionDenied);
  EXPECT_EQ(store().count(), 0U);
  EXPECT_EQ(host().counters().refused[static_cast<std::size_t>(ErrorCode::PermissionDenied)], 5U);
}

TEST_F(ShardHosts, ALeaseOfAProcessorKeepsNoShards) {
  const auto cpu = sample::asset_id(mesh.node(0).chain_id(), 2, assets::AssetKind::Cpu);
  register_asset(cpu, kProvider);
  auto action = lease_request(1'000);
  action.choices[0].asset = cpu;
  EXPECT_EQ(put(order(lease(action), bytes(1))).code(), ErrorCode::Unsupported);
}

TEST_F(ShardHosts, MoreThanTheLeaseIsRefusedWhicheverKindHasIt) {
  const LeaseId id = lease(250'000);
  (void)kept(id, 1);
  ASSERT_TRUE(put(order(id, bytes(2), ShardKind::Box)).is_good());
  const auto refused = put(order(id, bytes(3)));
  EXPECT_EQ(refused.code(), ErrorCode::NoCapacity);
  EXPECT_EQ(refused.message(), "the lease's bytes are used");
  EXPECT_EQ(put(order(id, bytes(3), ShardKind::Box)).code(), ErrorCode::NoCapacity);
  EXPECT_TRUE(put(order(id, bytes(4, 40'000))).is_good());
}

TEST_F(ShardHosts, AFullDiskIsRefusedByNameAndWhatItHasIsReadProvenAndDropped) {
  const LeaseId id = lease();
  const auto root = kept(id, 1);
  store().is_full = true;
  const auto refused = put(order(id, bytes(2)));
  EXPECT_EQ(refused.code(), ErrorCode::NoCapacity);
  EXPECT_EQ(refused.message(), "the disk of the node is full");
  EXPECT_EQ(store().count(), 1u);
  EXPECT_TRUE(get(root).is_good());
  EXPECT_TRUE(put(order(id, bytes(1))).is_good()) << "which is there already";
  generations[mesh.id(kTenant)] = 1;
  EXPECT_TRUE(drop(id, 1, {root}).is_good());
  EXPECT_EQ(store().count(), 0u);
  store().is_full = false;
  EXPECT_TRUE(put(order(id, bytes(2))).is_good());
}

TEST_F(ShardHosts, WrongBytesAreRefused) {
  PutOrder made = order(lease(), bytes(1));
  made.root.bytes[0] ^= 1;
  EXPECT_EQ(put(made).code(), ErrorCode::Corrupt);
  EXPECT_EQ(store().count(), 0U);
}

TEST_F(ShardHosts, APutThatIsAheadOfTheLedgerHereWaitsForIt) {
  // The tenant knows the id before the lease is on any ledger.
  const auto operation = mesh.sign(kTenant, lease_request(1 << 20));
  const LeaseId id{ledger::operation_id(operation.operation).bytes};
  Heard<void> heard;
  tenant().put(order(id, bytes(1)), heard.ear());
  mesh.world().settle();
  EXPECT_EQ(heard.times(), 0U);
  EXPECT_FALSE(mesh.submit(operation));
  mesh.world().settle();
  EXPECT_TRUE(heard.is_good());
}

TEST_F(ShardHosts, APutUnderALeaseThatNeverComesIsRefusedAfterAWhile) {
  Heard<void> heard;
  tenant().put(order(LeaseId{}, bytes(1)), heard.ear());
  mesh.run(4'000);
  EXPECT_EQ(heard.times(), 0U);
  mesh.run(4'000);
  EXPECT_EQ(heard.code(), ErrorCode::PermissionDenied);
}

TEST_F(ShardHosts, NothingIsDroppedBeforeItsEpochIsCommitted) {
  const LeaseId id = lease();
  const auto one = kept(id, 1);
  const auto two = kept(id, 2);
  generations[mesh.id(kTenant)] = 4;
  auto early = drop(id, 5, {one, two});
  EXPECT_EQ(early.times(), 0U) << "the ledger here may be behind";
  mesh.run(8'000);
  EXPECT_EQ(early.code(), ErrorCode::FailedPrecondition);
  EXPECT_EQ(store().count(), 2U);

  early = drop(id, 5, {one});
  EXPECT_EQ(early.times(), 0U);
  generations[mesh.id(kTenant)] = 5;
  (void)lease(1'000);  // any block
  mesh.world().settle();
  EXPECT_TRUE(early.is_good());
  EXPECT_TRUE(drop(id, 3, {two, two, ports::ShardRoot{}}).is_good());
  EXPECT_EQ(store().count(), 0U);
}

TEST_F(ShardHosts, WhatALeaseHoldsGoesInTheTurnOfTheBlockThatEndsIt) {
  const LeaseId ended = lease();
  const LeaseId other = lease();
  const auto gone = kept(ended, 1);
  const auto shared = kept(ended, 2);
  ASSERT_TRUE(put(order(ended, bytes(3), ShardKind::Box)).is_good());
  EXPECT_EQ(kept(other, 2), shared);
  EXPECT_FALSE(mesh.submit(kTenant, ledger::CloseLease{ended}));
  EXPECT_EQ(get(gone).code(), ErrorCode::NotFound);
  EXPECT_TRUE(get(shared).is_good()) << "another lease holds it";
  EXPECT_EQ(store().count(), 1U);
  EXPECT_EQ(host().counters().dropped_by_lease, 3U);
  EXPECT_EQ(put(order(ended, bytes(4))).code(), ErrorCode::FailedPrecondition);
}

TEST_F(ShardHosts, APutThatTheEndOfItsLeaseMeetsOnTheDiskLeavesNothing) {
  const LeaseId id = lease();
  machine(kProvider).disk.is_stuck = true;
  Heard<void> on_disk;
  tenant().put(order(id, bytes(1)), on_disk.ear());
  std::vector<Heard<void>> waiting(kMaxWriteJobs);
  for (std::uint8_t i = 0; i < waiting.size(); ++i) {
    tenant().put(order(id, bytes(static_cast<std::uint8_t>(2 + i))), waiting[i].ear());
  }
  mesh.world().settle();
  EXPECT_FALSE(mesh.submit(kTenant, ledger::CloseLease{id}));
  machine(kProvider).disk.go_on();
  mesh.world().settle();
  EXPECT_EQ(on_disk.code(), ErrorCode::FailedPrecondition);
  for (const auto& heard : waiting) EXPECT_EQ(heard.code(), ErrorCode::FailedPrecondition);
  EXPECT_EQ(store().count(), 0U);
}

TEST_F(ShardHosts, ADiskThatCannotDropIsAskedAgain) {
  const LeaseId id = lease();
  (void)kept(id, 1);
  store().is_broken = true;
  EXPECT_FALSE(mesh.submit(kTenant, ledger::CloseLease{id}));
  EXPECT_EQ(store().count(), 1U);
  store().is_broken = false;
  mesh.run(40'000);
  EXPECT_EQ(store().count(), 0U);
}

TEST_F(ShardHosts, WhatNoOpenLeaseHoldsIsDroppedAtStart) {
  const LeaseId ended = lease();
  const LeaseId open = lease();
  (void)kept(ended, 1);
  const auto stays = kept(open, 2);
  machines.erase(kProvider);  // its process ends, its store stays
  EXPECT_FALSE(mesh.submit(kTenant, ledger::CloseLease{ended}));
  EXPECT_EQ(store().count(), 2U);
  open_machine(kProvider);
  EXPECT_EQ(store().count(), 1U);
  EXPECT_TRUE(get(stays).is_good());
}

TEST_F(ShardHosts, ALedgerThatIsFarBehindDropsNothingAtStart) {
  const LeaseId id = lease();
  (void)kept(id, 1);
  store().put(blake3::hash(*bytes(2)), ports::HolderId{{1}}, *bytes(2), 1 << 20).value();
  machines.erase(kProvider);
  mesh.isolate(kProvider);
  mesh.world().pass(std::chrono::milliseconds(kFreshLedgerMillis + 60'000));
  machines[kProvider] = std::make_unique<Machine>(mesh, kProvider, store(), generations);
  for (int i = 0; i < 1'000 && mesh.world().step(); ++i) {
  }
  EXPECT_EQ(store().count(), 2U) << "its leases may be those it does not know yet";
}

TEST_F(ShardHosts, WhatTheDiskSaysIsNotTold) {
  store().is_broken = true;
  const auto refused = put(order(lease(), bytes(1)));
  EXPECT_EQ(refused.code(), ErrorCode::Io);
  EXPECT_EQ(refused.message().find("secret"), std::string::npos);
}

TEST_F(ShardHosts, DamageIsCountedAndToldToWhoAsks) {
  const auto root = kept(lease(), 1);
  store().damage(root);
  mesh.run(5'000);
  EXPECT_GE(host().counters().damage_found, 1U);
  EXPECT_EQ(host().counters().scrubbed_bytes, 100'000U) << "one round, then a rest";
  const auto damaged = get(root);
  EXPECT_EQ(damaged.code(), ErrorCode::Corrupt);
  EXPECT_NE(damaged.message().find(root.to_string()), std::string::npos);
}

TEST_F(ShardHosts, NeedlessBytesAreCompactedOnceTheyAreWorthIt) {
  mesh.run(5'000);
  EXPECT_EQ(store().compactions, 0U);
  store().needless_bytes = 3 * kCareBytes;
  mesh.run(10'000);
  EXPECT_EQ(store().needless_bytes, 0U);
  EXPECT_EQ(host().counters().compacted_bytes, 3 * kCareBytes);
  const auto before = store().compactions;
  mesh.run(10'000);
  EXPECT_EQ(store().compactions, before);
}

TEST_F(ShardHosts, APeerThatAsksForMoreThanItsShareDelaysItselfAlone) {
  const LeaseId id = lease();
  const auto root = kept(id, 1, 1 << 20);
  machine(kProvider).disk.is_stuck = true;
  std::size_t busy = 0;
  std::size_t answered = 0;
  // As a node without a window would.
  for (std::uint64_t i = 0; i < 2 * kPeerShare / (1 << 20); ++i) {
    host().handle(mesh.id(kStranger), GetShard{root, 0, 1 << 20}, [&](const Reply& reply) {
      const auto* refused = std::get_if<Refused>(&reply);
      ++(refused != nullptr && refused->code == ErrorCode::Busy ? busy : answered);
    });
  }
  EXPECT_EQ(busy, kPeerShare / (1 << 20));
  EXPECT_EQ(machine(kProvider).disk.stuck(), kMaxReadJobs);
  Heard<ShardPart> polite;
  tenant().get(provider(), root, 0, 1 << 20, polite.ear());
  mesh.world().settle();
  machine(kProvider).disk.go_on();
  mesh.world().settle();
  EXPECT_TRUE(polite.is_good());
  EXPECT_EQ(answered, kPeerShare / (1 << 20));
}

TEST_F(ShardHosts, ThePeersHaveTheDiskInTurn) {
  const LeaseId id = lease();
  const auto root = kept(id, 1, 1 << 20);
  machine(kProvider).disk.is_stuck = true;
  std::vector<std::uint32_t> order_of_answers;
  for (const std::uint32_t peer : {kStranger, kTenant}) {
    for (std::size_t i = 0; i < 2 * kMaxReadJobs; ++i) {
      host().handle(mesh.id(peer), GetShard{root, 0, 10},
                    [&, peer](const Reply&) { order_of_answers.push_back(peer); });
    }
  }
  machine(kProvider).disk.go_on();
  mesh.world().settle();
  ASSERT_EQ(order_of_answers.size(), 4 * kMaxReadJobs);
  EXPECT_EQ(order_of_answers[kMaxReadJobs] == kTenant,
            order_of_answers[kMaxReadJobs + 1] != kTenant);
}

TEST_F(ShardHosts, ALostPeersRequestsAreForgotten) {
  const LeaseId id = lease();
  machine(kProvider).disk.is_stuck = true;
  std::vector<Heard<void>> heard(kMaxWriteJobs + 4);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    tenant().put(order(id, bytes(static_cast<std::uint8_t>(i))), heard[i].ear());
  }
  mesh.world().settle();
  mesh.disconnect(kTenant, kProvider);
  for (const auto& each : heard) EXPECT_EQ(each.code(), ErrorCode::Unavailable);
  machine(kProvider).disk.go_on();
  mesh.world().settle();
  EXPECT_EQ(store().count(), kMaxWriteJobs) << "what the disk had begun";
  mesh.connect(kTenant, kProvider);
  EXPECT_TRUE(put(order(id, bytes(99))).is_good());
}

TEST_F(ShardHosts, WhatDoesNotDecodeIsCountedAndLeavesTheRestAlone) {
  const auto say = [&](Bytes message) {
    (void)mesh.node(kStranger).send_storage_message(provider(), std::move(message));
  };
  say(Bytes(3, 0xff));
  say(Bytes(kMaxPlainMessage + 1, 0xee));
  Bytes trailing = encode(Query{1, LeaseUsage{}});
  trailing.push_back(0);
  say(trailing);
  say(encode(Query{1, HasShards{}}));
  mesh.world().settle();
  EXPECT_EQ(host().counters().malformed, 4U);
  EXPECT_TRUE(put(order(lease(), bytes(1))).is_good());
}

TEST_F(ShardHosts, ANodesOwnShardsGoTheSameWay) {
  const LeaseId id = lease(1 << 20, kProvider);
  const PutOrder made = order(id, bytes(1));
  EXPECT_TRUE(put(made, kProvider).is_good());
  EXPECT_TRUE(get(made.root, 0, ports::kMaxShardBytes, kProvider).is_good());
  EXPECT_EQ(put(order(lease(), bytes(2)), kProvider).code(), ErrorCode::PermissionDenied);
}

TEST_F(ShardHosts, ANodeThatKeepsNoneSaysSoAtOnce) {
  machines.erase(kStranger);
  const NoShards none(mesh.node(kStranger));
  Heard<ports::HolderUsage> heard;
  tenant().usage(mesh.id(kStranger), LeaseId{}, heard.ear());
  mesh.world().settle();
  EXPECT_EQ(heard.code(), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace hm::storing
