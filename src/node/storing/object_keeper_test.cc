// SPDX-License-Identifier: Apache-2.0
#include "node/storing/object_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/storage/manifest_box.h"
#include "foundation/blake3/blake3.h"
#include "node/storing/bundle.h"
#include "node/storing/keeper_fixture.h"
#include "node/storing/keeper_limits.h"
#include "node/storing/storage_recovery.h"

namespace hm::storing {
namespace {

using storage::testing::random_bytes;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kMiB = std::size_t{1} << 20;
// Leaves one of seven owners over, who can take what another one loses.
const UploadPlan kNarrow{.bytes = std::nullopt, .code = erasure::Code{4, 2}};

TEST(ObjectKeeper, ObjectsOfEverySortOfSizeComeBack) {
  KeeperMesh mesh(6);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16} << 10,
                                 std::size_t{300'000}, 3 * kMiB, 21 * kMiB}) {
    const Bytes object = random_bytes(size, size + 1);
    ASSERT_TRUE(mesh.put("object", object)) << mesh.put_report->error().message;
    const auto& row = (*mesh.put_report)->objects.front().row;
    EXPECT_EQ(row.content, blake3::hash(object));
    const auto back = mesh.get("object");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(*back == object) << size;
  }
}

TEST(ObjectKeeper, EachShardOfAStripeIsWithAnotherOwner) {
  KeeperMesh mesh(7);
  ASSERT_TRUE(mesh.put("object", random_bytes(9 * kMiB, 1)));
  EXPECT_TRUE(
      mesh.keeper().parts().catalogue->stripes({}, [&](const StripeId&, const StripeRow& row) {
        std::set<identity::NodeId> nodes;
        for (const storage::Place& place : row.places) nodes.insert(place.node);
        EXPECT_EQ(nodes.size(), row.places.size());
        return true;
      }));
}

TEST(ObjectKeeper, ARangeComesBack) {
  KeeperMesh mesh(4);
  const Bytes object = random_bytes(2 * kMiB, 1);
  ASSERT_TRUE(mesh.put("object", object));
  const auto back = mesh.get("object", ObjectKeeper::Range{700'000, 1'300'001});
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, to_bytes(ByteView(object).subspan(700'000, 600'001)));
  EXPECT_EQ(mesh.get("object", ObjectKeeper::Range{5, object.size() + 1}).error().code,
            ErrorCode::InvalidArgument);
}

TEST(ObjectKeeper, AnyNodesThatTheCodeBearsMayBeLostAndOneMoreIsNamed) {
  for (std::uint32_t first = 1; first <= 6; ++first) {
    KeeperMesh mesh(6);
    const Bytes object = random_bytes(5 * kMiB, first);
    ASSERT_TRUE(mesh.put("object", object));
    ASSERT_EQ((*mesh.put_report)->code.losses, 2U);
    mesh.kill(first);
    mesh.kill(first % 6 + 1);
    const auto back = mesh.get("object");
    ASSERT_TRUE(back) << back.error().message << ": " << back.error().detail;
    EXPECT_TRUE(*back == object);
    mesh.kill((first + 1) % 6 + 1);
    const auto lost = mesh.get("object");
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::Unavailable);
    EXPECT_THAT(lost.error().detail, HasSubstr("not connected"));
  }
}

TEST(ObjectKeeper, ANodeThatSaysNothingIsWaitedForOnceNotForEachStripe) {
  KeeperMesh mesh(6);
  const Bytes object = random_bytes(40 * kMiB, 9);
  ASSERT_TRUE(mesh.put("object", object, {.sharing = Sharing::Alone}, kNarrow));
  mesh.mesh.stall(3);
  const auto began = mesh.mesh.world().now();
  const auto back = mesh.get("object");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(*back == object);
  EXPECT_LT(mesh.mesh.world().now() - began, 3 * kHedge) << "of the world's clock";
}

TEST(ObjectKeeper, WhatNodesSpoilOrLoseIsRightAllTheSameIsNamedAndRepaired) {
  KeeperMesh mesh(7);
  const Bytes object = random_bytes(5 * kMiB, 1);
  ASSERT_TRUE(mesh.put("object", object));
  mesh.shards(1).damage_all();
  mesh.shards(2).lose_all();
  const auto back = mesh.get("object");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(*back == object);
  std::set<std::pair<identity::NodeId, Fault>> found;
  for (const FaultRow& each : mesh.keeper().status().faults) {
    found.insert({each.place.node, each.fault});
  }
  EXPECT_FALSE(found.empty());
  for (const auto& [node, fault] : found) {
    ASSERT_TRUE(node == mesh.mesh.id(1) || node == mesh.mesh.id(2));
    EXPECT_EQ(fault, node == mesh.mesh.id(1) ? Fault::Corrupt : Fault::Missing);
  }
  // Audits find the rest.
  mesh.run(8 * 60'000);
  const auto health = mesh.health("object");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->healthy, health->shards);
  EXPECT_GT(mesh.keeper().status().counters.shards_repaired, 0U);
}

TEST(ObjectKeeper, ALostNodesShardsAreMadeAnewElsewhere) {
  KeeperMesh mesh(7);
  const Bytes object = random_bytes(5 * kMiB, 1);
  ASSERT_TRUE(mesh.put("object", object, {}, kNarrow));
  mesh.kill(3);
  mesh.run(5 * 60'000);
  const auto health = mesh.health("object");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->healthy, health->shards) << mesh.keeper().status().trouble;
  for (const auto& holder : health->holders) EXPECT_NE(holder.node, mesh.mesh.id(3));
  mesh.start(3);
  mesh.run(3 * 60'000);
  // What it had under the lease that went dark stays until the ledger forgets that.
  auto kept = mesh.kept();
  kept.erase(3);
  EXPECT_TRUE(kept == mesh.referenced());
  EXPECT_TRUE(mesh.get("object").value() == object);
}

// Nobody signs its readings, so that every lease ends.
TEST(ObjectKeeper, ATenantThatWasAwaySoLongThatItsLeasesEndedFindsEverything) {
  KeeperMesh mesh(6);
  const Bytes object = random_bytes(5 * kMiB, 1);
  ASSERT_TRUE(mesh.put("object", object));
  mesh.kill(mesh.tenant());
  mesh.run(40 * 60'000);
  mesh.start(mesh.tenant());
  EXPECT_TRUE(mesh.keeper().status().leases.empty());
  const auto back = mesh.get("object");
  ASSERT_TRUE(back) << back.error().message << ": " << back.error().detail;
  EXPECT_TRUE(*back == object);
  mesh.run(3 * 60'000);
  const auto health = mesh.health("object");
  EXPECT_EQ(health->healthy, health->shards) << mesh.keeper().status().trouble;
}

TEST(ObjectKeeper, NodesThatWereAwaySoLongThatTheirLeasesEndedBringTheirShardsBack) {
  KeeperMesh mesh(6);
  const Bytes object = random_bytes(5 * kMiB, 1);
  ASSERT_TRUE(mesh.put("object", object));
  for (std::uint32_t i = 1; i <= 4; ++i) mesh.kill(i);
  mesh.run(40 * 60'000);
  for (std::uint32_t i = 1; i <= 4; ++i) {
    EXPECT_FALSE(mesh.keeper().parts().leases.leases().empty());
    mesh.start(i);
  }
  EXPECT_EQ(mesh.keeper().status().leases.size(), 2U) << "of the others";
  const auto back = mesh.get("object");
  ASSERT_TRUE(back) << back.error().message << ": " << back.error().detail;
  EXPECT_TRUE(*back == object);
  mesh.run(3 * 60'000);
  const auto health = mesh.health("object");
  EXPECT_EQ(health->healthy, health->shards) << mesh.keeper().status().trouble;
}

TEST(ObjectKeeper, ANodeIsDrained) {
  KeeperMesh mesh(7);
  ASSERT_TRUE(mesh.put("object", random_bytes(5 * kMiB, 1), {}, kNarrow));
  mesh.keeper().drain(mesh.mesh.id(2));
  mesh.run(3 * 60'000);
  EXPECT_THAT(mesh.kept()[2], IsEmpty()) << mesh.keeper().status().trouble;
  EXPECT_EQ(mesh.kept(), mesh.referenced());
}

TEST(ObjectKeeper, WhatIsRemovedIsDroppedOnceTheLedgerHasTheCommitmentWithoutIt) {
  KeeperMesh mesh(6);
  ASSERT_TRUE(mesh.put("object", random_bytes(5 * kMiB, 1)));
  mesh.run(5'000);
  const std::uint64_t before = mesh.keeper().status().commitment;
  EXPECT_GT(before, 0U);
  ASSERT_TRUE(mesh.remove("object"));
  EXPECT_FALSE(mesh.kept().empty());
  mesh.run(90'000);
  EXPECT_GT(mesh.keeper().status().commitment, before);
  EXPECT_TRUE(mesh.kept().empty());
  EXPECT_EQ(mesh.get("object").error().code, ErrorCode::NotFound);
}

TEST(ObjectKeeper, EqualSegmentsAreStoredOnceUnlessTheObjectIsAlone) {
  KeeperMesh mesh(6);
  const Bytes object = random_bytes(5 * kMiB, 1);
  ASSERT_TRUE(mesh.put("a", object));
  ASSERT_TRUE(mesh.put("b", object));
  EXPECT_EQ((*mesh.put_report)->shared_bytes, object.size());
  ASSERT_TRUE(mesh.put("c", object, {.sharing = Sharing::Alone}));
  EXPECT_EQ((*mesh.put_report)->shared_bytes, 0U);
  ASSERT_TRUE(mesh.remove("a"));
  mesh.run(90'000);
  EXPECT_TRUE(mesh.get("b").value() == object);
}

TEST(ObjectKeeper, AMeshThatIsTooSmallSaysWhatItCanBear) {
  KeeperMesh mesh(2);
  ASSERT_TRUE(mesh.put("object", random_bytes(kMiB, 1)));
  EXPECT_EQ((*mesh.put_report)->code.losses, 1U);
  KeeperMesh nobody(1, 4096);
  EXPECT_FALSE(nobody.put("object", random_bytes(kMiB, 1)));
  EXPECT_EQ(nobody.put_report->error().code, ErrorCode::NoCapacity);
}

// What the catalogue refers to is there, whatever else was left.
void expect_all_referenced_is_kept(KeeperMesh& mesh) {
  const auto kept = mesh.kept();
  for (const auto& [node, roots] : mesh.referenced()) {
    for (const auto& root : roots) EXPECT_TRUE(kept.at(node).contains(root)) << node;
  }
}

TEST(ObjectKeeper, AnUploadGoesOnElsewhereWhereADiskIsFullAndWhatIsThereIsRead) {
  KeeperMesh mesh(8);
  const Bytes before = random_bytes(5 * kMiB, 1);
  ASSERT_TRUE(mesh.put("before", before, {}, kNarrow));
  const auto of_full = mesh.shards(1).count() + mesh.shards(2).count();
  ASSERT_GT(of_full, 0U);
  mesh.shards(1).is_full = true;
  mesh.shards(2).is_full = true;
  const Bytes object = random_bytes(5 * kMiB, 2);
  ASSERT_TRUE(mesh.put("object", object, {}, kNarrow)) << mesh.put_report->error().message;
  EXPECT_EQ((*mesh.put_report)->unplaced, 0U);
  EXPECT_EQ(mesh.shards(1).count() + mesh.shards(2).count(), of_full);
  expect_all_referenced_is_kept(mesh);
  EXPECT_TRUE(mesh.get("object").value() == object);
  // Also from these two alone, as far as the code needs them.
  mesh.kill(3);
  EXPECT_TRUE(mesh.get("before").value() == before);
  EXPECT_THAT(mesh.keeper().status().faults, IsEmpty());
}

TEST(ObjectKeeper, ADiskThatFillsUpDuringAnUploadLosesNothingOfIt) {
  for (const std::size_t steps : {20U, 60U, 150U, 400U}) {
    KeeperMesh mesh(8);
    const Bytes object = random_bytes(12 * kMiB, steps);
    auto upload = mesh.begin_put("object", object, {}, kNarrow);
    mesh.steps(steps);
    for (const std::uint32_t i : {1U, 2U, 3U}) mesh.shards(i).is_full = true;
    for (int i = 0; i < 600 && !mesh.put_report; ++i) mesh.run(100);
    ASSERT_TRUE(mesh.put_report);
    ASSERT_TRUE(*mesh.put_report) << steps << ": " << mesh.put_report->error().message;
    expect_all_referenced_is_kept(mesh);
    EXPECT_TRUE(mesh.get("object").value() == object) << steps;
  }
}

TEST(ObjectKeeper, WhereTooManyDisksAreFullAnUploadNamesThemAndLeavesNothing) {
  KeeperMesh mesh(6);
  const Bytes before = random_bytes(2 * kMiB, 1);
  ASSERT_TRUE(mesh.put("before", before, {}, kNarrow));
  const auto kept = mesh.kept();
  for (const std::uint32_t i : {1U, 2U, 3U}) mesh.shards(i).is_full = true;
  ASSERT_FALSE(mesh.put("object", random_bytes(5 * kMiB, 2), {}, kNarrow));
  const Error& error = mesh.put_report->error();
  EXPECT_EQ(error.code, ErrorCode::NoCapacity);
  for (const std::uint32_t i : {1U, 2U, 3U}) {
    const auto* record = mesh.mesh.node(0).ledger().node(mesh.mesh.id(i));
    ASSERT_NE(record, nullptr);
    EXPECT_THAT(error.detail, HasSubstr(record->binding.name + ": the disk of the node is full"));
  }
  // Who asks again while these nodes get nothing is told the same.
  ASSERT_FALSE(mesh.put("object", random_bytes(5 * kMiB, 2), {}, kNarrow));
  EXPECT_THAT(mesh.put_report->error().detail, HasSubstr("the disk of the node is full"));
  EXPECT_TRUE(mesh.get("before").value() == before);
  EXPECT_FALSE(mesh.keeper().find("object"));
  mesh.run(4 * 60'000);
  EXPECT_EQ(mesh.kept(), kept) << "what was sent is dropped again";
  for (const std::uint32_t i : {1U, 2U, 3U}) mesh.shards(i).is_full = false;
  ASSERT_TRUE(mesh.put("object", random_bytes(5 * kMiB, 2), {}, kNarrow))
      << mesh.put_report->error().message;
}

TEST(ObjectKeeper, AnUploadGoesOnElsewhereWhenANodeIsLostInBetween) {
  KeeperMesh mesh(8);
  const Bytes object = random_bytes(30 * kMiB, 1);
  auto upload =
      mesh.begin_put("object", object, {}, {.bytes = object.size(), .code = erasure::Code{4, 2}});
  mesh.run(1);
  mesh.kill(2);
  for (int i = 0; i < 600 && !mesh.put_report; ++i) mesh.run(100);
  ASSERT_TRUE(mesh.put_report);
  ASSERT_TRUE(*mesh.put_report) << mesh.put_report->error().message;
  EXPECT_TRUE(mesh.get("object").value() == object);
}

TEST(ObjectKeeper, AReaderOpensWhatIsSharedWithItAndNothingElse) {
  KeeperMesh mesh(6);
  const Bytes object = random_bytes(kMiB, 1);
  ASSERT_TRUE(mesh.put("object", object));
  std::optional<Result<ListedObject>> shared;
  mesh.keeper().share("object", {ledger::sample::owner_id(4)},
                      [&](Result<ListedObject> done) { shared = std::move(done); });
  mesh.run(5'000);
  ASSERT_TRUE(shared && *shared) << (shared ? shared->error().message : "no answer");
  std::optional<Result<Bytes>> bundle;
  mesh.keeper().fetch_bundle((*shared)->row.box_root,
                             [&](Result<Bytes> bytes) { bundle = std::move(bytes); });
  mesh.run(5'000);
  ASSERT_TRUE(bundle && *bundle);
  const Bundle opened = decode_bundle(**bundle).value();
  const BundleEntry& entry = opened.entries.front();
  const auto box = sealed_box::decode(entry.box);
  ASSERT_TRUE(box);
  const auto manifest = storage::open_manifest(*box, ledger::sample::owner(4).ml_kem(), entry.what);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->size, object.size());
  EXPECT_EQ(storage::open_manifest(*box, ledger::sample::owner(5).ml_kem(), entry.what).error(),
            storage::StorageError::NotAReader);
  // Read as a shared object: its shards are found without its owner's catalogue.
  std::optional<Result<void>> attached;
  mesh.keeper().attach("theirs", *manifest, [&](Result<void> done) { attached = done; });
  mesh.run(1'000);
  ASSERT_TRUE(attached && *attached);
  EXPECT_TRUE(mesh.get("theirs").value() == object);
}

TEST(ObjectKeeper, RewritingTakesTheShardsAwayFromWhoCouldReadThem) {
  KeeperMesh mesh(6);
  const Bytes object = random_bytes(3 * kMiB, 1);
  ASSERT_TRUE(mesh.put("object", object));
  const auto before = mesh.kept();
  std::optional<Result<ListedObject>> done;
  mesh.keeper().rewrite("object", {}, [&](Result<ListedObject> row) { done = std::move(row); });
  mesh.run(120'000);
  ASSERT_TRUE(done && *done) << (done ? done->error().message : "no answer");
  for (const auto& [node, roots] : mesh.kept()) {
    for (const auto& root : roots)
      EXPECT_FALSE(before.contains(node) && before.at(node).contains(root));
  }
  EXPECT_TRUE(mesh.get("object").value() == object);
}

// One node after the other is killed after any number of steps of what is going on, and started
// again: mostly the tenant's, while it stores, replaces, removes and repairs.
TEST(ObjectKeeper, WhereverANodeIsKilledAcknowledgedObjectsAreWholeAndNoOrphanIsLeft) {
  std::size_t acknowledged = 0;
  std::size_t interrupted = 0;
  for (std::size_t round = 0; round < 10; ++round) {
    KeeperMesh mesh(5);
    std::map<std::string, Bytes> whole;
    for (std::size_t step = 0; step < 50; ++step) {
      const std::size_t point = 50 * round + step;
      const std::string name = "object " + std::to_string(step % 7);
      const Bytes bytes = random_bytes(20'000 + 97 * point, point + 1);
      const std::string removed = "object " + std::to_string((step + 3) % 7);
      const bool removes = point % 3 == 0 && whole.contains(removed);
      std::shared_ptr<ObjectUpload> upload =
          mesh.begin_put(name, bytes, {}, {.code = erasure::Code{2, 2}});
      std::optional<Result<void>> done;
      if (removes) mesh.keeper().remove({removed}, [&](Result<void> result) { done = result; });
      if (step == 20) mesh.shards(static_cast<std::uint32_t>(1 + round % 5)).lose_all();
      mesh.steps(point * 7 % 150);
      const std::uint32_t victim =
          point % 4 == 3 ? static_cast<std::uint32_t>(1 + point % 5) : mesh.tenant();
      mesh.kill(victim);
      if (victim == mesh.tenant()) upload.reset();
      mesh.start(victim);
      mesh.run(4'000);
      const bool is_acknowledged = mesh.put_report && *mesh.put_report;
      // Who was not answered does not know: either is right.
      const auto there = mesh.keeper().find(name);
      const bool is_new = there && there->row.content == blake3::hash(bytes);
      EXPECT_TRUE(is_new || !is_acknowledged) << point;
      ++(is_acknowledged ? acknowledged : interrupted);
      if (is_new) whole[name] = bytes;
      const bool is_removed = removes && done && *done;
      EXPECT_FALSE(is_removed && mesh.keeper().find(removed)) << point;
      if (removes && removed != name && !mesh.keeper().find(removed)) whole.erase(removed);
    }
    mesh.keeper().collect();
    mesh.run(6 * 60'000);
    for (const auto& [name, bytes] : whole) {
      const auto back = mesh.get(name);
      ASSERT_TRUE(back) << round << ' ' << name << ' ' << back.error().message;
      EXPECT_TRUE(*back == bytes) << round << ' ' << name;
    }
    EXPECT_TRUE(mesh.kept() == mesh.referenced()) << round << mesh.keeper().status().trouble;
  }
  EXPECT_GT(acknowledged, 50U);
  EXPECT_GT(interrupted, 50U);
}

// What the command line does with the owner's keys.
void recover(KeeperMesh& mesh) {
  const auto recovery = mesh.keeper().recovery();
  ASSERT_TRUE(recovery) << recovery.error().message;
  std::optional<Result<StorageRecovery::Found>> found;
  (*recovery)->list([&](Result<StorageRecovery::Found> all) { found = std::move(all); });
  mesh.run(5'000);
  ASSERT_TRUE(found && *found);
  for (const ports::ShardRoot& root : (*found)->bundles) {
    std::optional<Result<Bytes>> bytes;
    mesh.keeper().fetch_bundle(root, [&](Result<Bytes> fetched) { bytes = std::move(fetched); });
    mesh.run(1'000);
    ASSERT_TRUE(bytes && *bytes);
    const Bundle bundle = decode_bundle(**bytes).value();
    for (const BundleEntry& entry : bundle.entries) {
      const auto box = sealed_box::decode(entry.box);
      const auto manifest =
          storage::open_manifest(*box, ledger::sample::owner(mesh.tenant()).ml_kem(), entry.what);
      ASSERT_TRUE(manifest);
      std::optional<Result<void>> adopted;
      (*recovery)->adopt({*manifest, {}, crypto::Digest{box->commitment}, root},
                         [&](Result<void> done) { adopted = std::move(done); });
      mesh.run(1'000);
      ASSERT_TRUE(adopted);
    }
  }
  std::optional<Result<bool>> ended;
  mesh.keeper().end_recovery([&](Result<bool> done) { ended = std::move(done); });
  mesh.run(1'000);
  ASSERT_TRUE(ended && *ended) << (ended ? ended->error().message : "no end");
  EXPECT_TRUE(**ended) << "all that the ledger has a commitment to";
}

TEST(ObjectKeeper, ALostCatalogueIsRecoveredFromWhatOthersKeep) {
  KeeperMesh mesh(6);
  const Bytes large = random_bytes(3 * kMiB, 1);
  const Bytes small = random_bytes(5'000, 2);
  ASSERT_TRUE(mesh.put("large", large, {.sharing = Sharing::Alone}));
  ASSERT_TRUE(mesh.put("small", random_bytes(4'000, 3)));
  ASSERT_TRUE(mesh.put("small", small));
  ASSERT_TRUE(mesh.put("empty", {}));
  mesh.run(5'000);
  mesh.forget_catalogue();
  mesh.run(20'000);
  ASSERT_FALSE(mesh.get("large"));
  recover(mesh);
  EXPECT_TRUE(mesh.get("large").value() == large);
  EXPECT_TRUE(mesh.get("small").value() == small) << "the newest version of it";
  EXPECT_TRUE(mesh.get("empty").value().empty());
  EXPECT_FALSE(mesh.keeper().recovery()) << "there is nothing to recover any more";
  EXPECT_THAT(mesh.keeper().status().trouble, IsEmpty());
  // It stores, repairs and drops as before.
  ASSERT_TRUE(mesh.put("small", large));
  mesh.run(120'000);
  EXPECT_TRUE(mesh.get("small").value() == large);
  EXPECT_EQ(mesh.kept(), mesh.referenced()) << "orphans are gone";
  mesh.kill(2);
  mesh.run(400'000);
  EXPECT_GT(mesh.keeper().status().counters.shards_repaired, 0U);
  EXPECT_TRUE(mesh.get("large").value() == large);
}

TEST(ObjectKeeper, WhatOnlyNodesThatAreAwayHaveIsNotRecoveredWithoutThem) {
  KeeperMesh mesh(6);
  ASSERT_TRUE(mesh.put("object", random_bytes(3 * kMiB, 1), {}, kNarrow));
  mesh.run(5'000);
  const auto& catalogue = *mesh.keeper().parts().catalogue;
  const ObjectRow row = mesh.keeper().find("object").value().row;
  const storage::Manifest manifest = catalogue.manifest(row).value();
  std::set<identity::NodeId> with_bundle;
  const StripeRow copies = *catalogue.stripe(row.own_stripes.back()).value();
  for (const storage::Place& each : copies.places) {
    with_bundle.insert(each.node);
  }
  mesh.forget_catalogue();
  std::size_t away = 0;
  for (std::uint32_t i = 1; i <= 6; ++i) {
    if (with_bundle.contains(mesh.mesh.id(i))) continue;
    mesh.mesh.isolate(i);
    ++away;
  }
  ASSERT_GE(away, 3U);
  mesh.run(5'000);
  StorageRecovery& recovery = **mesh.keeper().recovery();
  std::optional<Result<StorageRecovery::Found>> found;
  recovery.list([&](Result<StorageRecovery::Found> all) { found = std::move(all); });
  mesh.run(5'000);
  ASSERT_TRUE(found && *found);
  EXPECT_GE((*found)->silent.size(), 3U);
  std::optional<Result<void>> adopted;
  recovery.adopt({manifest, {}, row.commitment, row.box_root},
                 [&](Result<void> done) { adopted = std::move(done); });
  mesh.run(1'000);
  ASSERT_TRUE(adopted && !*adopted);
  EXPECT_EQ(adopted->error().code, ErrorCode::Unavailable) << adopted->error().message;
}

TEST(ObjectKeeper, ACatalogueThatIsOlderThanItsCommitmentStoresAndDropsNothing) {
  KeeperMesh mesh(4);
  ASSERT_TRUE(mesh.put("object", random_bytes(100'000, 1)));
  mesh.run(5'000);
  const auto kept = mesh.kept();
  mesh.forget_catalogue();
  // Longer than a lease stays open that holds nothing.
  mesh.run(static_cast<std::uint64_t>(2 * kIdleLease / std::chrono::milliseconds(1)));
  EXPECT_THAT(mesh.keeper().status().trouble, HasSubstr("older"));
  EXPECT_FALSE(mesh.keeper().upload({}, {}));
  EXPECT_EQ(mesh.kept(), kept);
}

}  // namespace
}  // namespace hm::storing
