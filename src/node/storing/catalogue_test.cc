// SPDX-License-Identifier: Apache-2.0
#include "node/storing/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "core/storage/test_objects.h"
#include "node/memory_world.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {
namespace {

using storage::testing::chance;
using storage::testing::random_bytes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<Catalogue> open(node::memory::MemoryStore& store) {
  auto catalogue = Catalogue::open(
      store, [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{7}); });
  EXPECT_TRUE(catalogue) << catalogue.error().message;
  return std::move(*catalogue);
}

storage::Place place(std::uint8_t number) {
  storage::Place at;
  at.node.bytes.fill(number);
  at.lease.bytes.fill(number);
  return at;
}

// A stored object of `size` random bytes in a domain, with the stripes that it came with.
struct Made {
  StoredObject object;
  std::vector<StripeRow> stripes;
};
Made make(Catalogue& catalogue, const std::string& name, std::size_t size, std::uint64_t seed,
          storage::SegmentIndex* index = nullptr) {
  Made made;
  const storage::Domain domain(storage::testing::owner(), catalogue.head().domain,
                               catalogue.head().domain_secret);
  storage::StripeWriter writer(storage::testing::layout(2, 1), chance(seed),
                               [&](const storage::FinishedStripe& stripe) {
                                 StripeRow row{ShardKind::Data,
                                               stripe.stripe.code,
                                               stripe.stripe.shard_bytes,
                                               stripe.stripe.roots,
                                               {},
                                               0};
                                 for (std::uint8_t i = 0; i < 3; ++i)
                                   row.places.push_back(place(i + 1));
                                 made.stripes.push_back(std::move(row));
                               });
  auto plan = storage::testing::plan(&domain, seed);
  plan.what.object = to_bytes(object_id_of({}, name).view());
  plan.index = index;
  auto encoder = storage::ObjectEncoder::start(plan, writer, chance(seed + 1)).value();
  // The content depends on the size alone, so that equal sizes share segments.
  EXPECT_TRUE(encoder->push(random_bytes(size, size)));
  EXPECT_TRUE(encoder->finish());
  writer.flush();
  made.object.name = name;
  made.object.manifest = encoder->take_manifest().value();
  made.object.row.what = made.object.manifest.what;
  made.object.row.size = size;
  made.object.row.content = made.object.manifest.content;
  return made;
}

Result<void> put(Catalogue& catalogue, const Made& made) {
  return catalogue.apply({.stripes = made.stripes, .put = {made.object}},
                         Catalogue::Stripes::MayGiveUp);
}

std::size_t stripes_of(const Catalogue& catalogue) {
  std::size_t count = 0;
  EXPECT_TRUE(catalogue.stripes({}, [&](const StripeId&, const StripeRow&) {
    ++count;
    return true;
  }));
  return count;
}

class Index final : public storage::SegmentIndex {
 public:
  explicit Index(std::shared_ptr<Catalogue> catalogue) : catalogue_(std::move(catalogue)) {}
  std::optional<storage::KnownSegment> find(const storage::SegmentId& id) override {
    return catalogue_->find(id);
  }

 private:
  std::shared_ptr<Catalogue> catalogue_;
};

constexpr auto kKeep = Catalogue::Stripes::Keep;
constexpr auto kMayGiveUp = Catalogue::Stripes::MayGiveUp;

TEST(Catalogue, KeepsWhatItWasGivenAcrossProcesses) {
  node::memory::MemoryStore store;
  storage::Manifest manifest;
  {
    auto catalogue = open(store);
    const Made made = make(*catalogue, "a", 50'000, 1);
    manifest = made.object.manifest;
    ASSERT_TRUE(put(*catalogue, made));
  }
  auto catalogue = open(store);
  const auto row = catalogue->object("a").value();
  ASSERT_TRUE(row);
  EXPECT_EQ(catalogue->manifest(*row).value(), manifest);
  EXPECT_EQ(catalogue->name_of(object_id_of({}, "a")).value(), "a");
  EXPECT_EQ(catalogue->head().last_version, 1U);
}

TEST(Catalogue, GivesAStripeUpWithItsLastObject) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  ASSERT_TRUE(put(*catalogue, make(*catalogue, "a", 50'000, 1)));
  {
    Index index(catalogue);
    const Made again = make(*catalogue, "b", 50'000, 2, &index);
    EXPECT_THAT(again.stripes, IsEmpty()) << "all of its segments are there";
    ASSERT_TRUE(put(*catalogue, again));
  }
  ASSERT_TRUE(catalogue->apply({.removed = {"a"}}, kMayGiveUp));
  EXPECT_EQ(stripes_of(*catalogue), 1U);
  EXPECT_THAT(catalogue->garbage(100, 100).value(), IsEmpty());
  ASSERT_TRUE(catalogue->apply({.removed = {"b"}}, kMayGiveUp));
  EXPECT_EQ(stripes_of(*catalogue), 0U);
  const auto garbage = catalogue->garbage(100, 100).value();
  ASSERT_EQ(garbage.size(), 1U);
  EXPECT_EQ(garbage.front().second.items.size(), 3U);
}

TEST(Catalogue, GarbageWaitsForTheCommitmentAfterIt) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  ASSERT_TRUE(put(*catalogue, make(*catalogue, "a", 50'000, 1)));
  ASSERT_TRUE(catalogue->begin_generation(4));
  ASSERT_TRUE(catalogue->apply({.removed = {"a"}}, kMayGiveUp));
  EXPECT_THAT(catalogue->garbage(4, 100).value(), IsEmpty()) << "commitment 4 may refer to it";
  const auto garbage = catalogue->garbage(5, 100).value();
  ASSERT_EQ(garbage.size(), 1U);
  ASSERT_TRUE(catalogue->forget_garbage(garbage.front().first));
  EXPECT_THAT(catalogue->garbage(5, 100).value(), IsEmpty());
}

TEST(Catalogue, AStripeIsKeptWhileSomebodyWritesAnObjectThatNeedsIt) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  ASSERT_TRUE(put(*catalogue, make(*catalogue, "a", 50'000, 1)));
  Index index(catalogue);
  const Made again = make(*catalogue, "b", 50'000, 2, &index);
  ASSERT_TRUE(catalogue->apply({.removed = {"a"}}, kKeep));
  EXPECT_EQ(stripes_of(*catalogue), 1U);
  EXPECT_TRUE(catalogue->has_idle_stripes());
  ASSERT_TRUE(put(*catalogue, again));
  EXPECT_FALSE(catalogue->has_idle_stripes());
  EXPECT_EQ(stripes_of(*catalogue), 1U);
}

TEST(Catalogue, WhatWasKeptForAWriterIsGivenUpWithTheNextChangeThatMay) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  ASSERT_TRUE(put(*catalogue, make(*catalogue, "a", 50'000, 1)));
  ASSERT_TRUE(catalogue->apply({.removed = {"a"}}, kKeep));
  ASSERT_TRUE(catalogue->apply({}, kMayGiveUp));
  EXPECT_EQ(stripes_of(*catalogue), 0U);
  EXPECT_EQ(catalogue->garbage(100, 100).value().size(), 1U);
}

TEST(Catalogue, WhatWasKeptForAWriterThatNeverCameIsSweptByTheNextProcess) {
  node::memory::MemoryStore store;
  {
    auto catalogue = open(store);
    ASSERT_TRUE(put(*catalogue, make(*catalogue, "a", 50'000, 1)));
    ASSERT_TRUE(catalogue->apply({.removed = {"a"}}, kKeep));
  }
  auto catalogue = open(store);
  ASSERT_TRUE(catalogue->sweep());
  EXPECT_EQ(stripes_of(*catalogue), 0U);
  EXPECT_EQ(catalogue->garbage(100, 100).value().size(), 1U);
  Index index(catalogue);
  EXPECT_FALSE(make(*catalogue, "c", 50'000, 3, &index).stripes.empty())
      << "segments of a stripe that is gone are not known any more";
}

TEST(Catalogue, PutReplacesAndConditionsAreJudgedAgainstWhatIsThere) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  ASSERT_TRUE(put(*catalogue, make(*catalogue, "a", 50'000, 1)));
  Made next = make(*catalogue, "a", 60'000, 2);
  next.object.condition.only_new = true;
  EXPECT_EQ(put(*catalogue, next).error().code, ErrorCode::AlreadyExists);
  next.object.condition = {.only_version = 7};
  EXPECT_EQ(put(*catalogue, next).error().code, ErrorCode::FailedPrecondition);
  EXPECT_EQ(catalogue->object("a").value()->size, 50'000U) << "nothing changed";
  next.object.condition = {.only_version = 1};
  ASSERT_TRUE(put(*catalogue, next));
  EXPECT_EQ(catalogue->object("a").value()->size, 60'000U);
  EXPECT_EQ(stripes_of(*catalogue), 1U);
  EXPECT_EQ(catalogue->garbage(100, 100).value().size(), 1U);
}

TEST(Catalogue, RefusesAnObjectWhoseStripesAreNotThere) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  const Made made = make(*catalogue, "a", 50'000, 1);
  EXPECT_EQ(catalogue->apply({.put = {made.object}}, kMayGiveUp).error().code,
            ErrorCode::FailedPrecondition);
  EXPECT_FALSE(catalogue->object("a").value());
}

TEST(Catalogue, AMovedShardIsGarbageWhereItWas) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  const Made made = make(*catalogue, "a", 50'000, 1);
  ASSERT_TRUE(put(*catalogue, made));
  const StripeId id = stripe_id_of(made.stripes[0].roots);
  ASSERT_TRUE(catalogue->apply({.moved = {{id, 1, place(2), place(9)}}}, kMayGiveUp));
  EXPECT_EQ(catalogue->stripe(id).value()->places[1], place(9));
  const auto garbage = catalogue->garbage(100, 100).value();
  ASSERT_EQ(garbage.size(), 1U);
  ASSERT_EQ(garbage[0].second.items.size(), 1U);
  EXPECT_EQ(garbage[0].second.items[0].place, place(2));
  EXPECT_EQ(garbage[0].second.items[0].root, made.stripes[0].roots[1]);
}

TEST(Catalogue, ListsByPrefixAndFoldsAtTheDelimiterInPartsOfAnySize) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  for (const char* name : {"a/1", "a/2", "a/b/3", "b", "c/4", "a"}) {
    ASSERT_TRUE(put(*catalogue, make(*catalogue, name, 0, 1)));
  }
  for (std::size_t count = 1; count <= 7; ++count) {
    std::vector<std::string> names, folders;
    std::string after;
    while (true) {
      const auto part = catalogue->list("", after, '/', count).value();
      for (const auto& each : part.objects) names.push_back(each.name);
      folders.insert(folders.end(), part.folders.begin(), part.folders.end());
      EXPECT_LE(part.objects.size() + part.folders.size(), count);
      if (!part.next) break;
      after = *part.next;
    }
    EXPECT_THAT(names, ElementsAre("a", "b")) << count;
    EXPECT_THAT(folders, ElementsAre("a/", "c/")) << count;
  }
  const auto below = catalogue->list("a/", "", '/', 10).value();
  ASSERT_EQ(below.objects.size(), 2U);
  EXPECT_EQ(below.objects[0].name, "a/1");
  EXPECT_THAT(below.folders, ElementsAre("a/b/"));
  EXPECT_EQ(catalogue->list("a", "", std::nullopt, 10).value().objects.size(), 4U);
}

TEST(Catalogue, FaultsAreKeptUpToANumberTheNewestLast) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  for (std::size_t i = 0; i < kMaxFaults + 10; ++i) {
    ASSERT_TRUE(catalogue->add_fault({.words = std::to_string(i)}));
  }
  const auto faults = catalogue->faults().value();
  EXPECT_EQ(faults.size(), kMaxFaults);
  EXPECT_EQ(faults.back().words, std::to_string(kMaxFaults + 9));
}

TEST(Catalogue, ADamagedRowIsRefusedByName) {
  node::memory::MemoryStore store;
  {
    auto catalogue = open(store);
    ASSERT_TRUE(put(*catalogue, make(*catalogue, "a", 50'000, 1)));
  }
  ASSERT_TRUE(store.write({{ports::Space::Objects, to_bytes(as_bytes("a")), Bytes{1, 2}}}));
  auto catalogue = open(store);
  EXPECT_EQ(catalogue->object("a").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(catalogue->list("", "", std::nullopt, 5).error().code, ErrorCode::Corrupt);
  ASSERT_TRUE(store.write({{ports::Space::Meta, Bytes{'h'}, Bytes{9}}}));
  EXPECT_EQ(Catalogue::open(store, [](auto) {}).error().code, ErrorCode::Corrupt);
}

// References are what they are counted to be, whatever was put, replaced and removed.
RC_GTEST_PROP(CatalogueProperty, StripesAreThereWhileObjectsNeedThemAndNoLonger, ()) {
  node::memory::MemoryStore store;
  auto catalogue = open(store);
  std::map<std::string, storage::Manifest> model;
  const auto steps = *rc::gen::inRange<std::size_t>(1, 12);
  for (std::size_t step = 0; step < steps; ++step) {
    const std::string name(1, static_cast<char>(*rc::gen::inRange<int>('a', 'd')));
    if (*rc::gen::inRange(0, 3) == 0) {
      RC_ASSERT(catalogue->apply({.removed = {name}}, kMayGiveUp).has_value());
      model.erase(name);
      continue;
    }
    Index index(catalogue);
    const auto size = *rc::gen::element<std::size_t>(0, 3'000, 20'000, 20'001);
    const Made made = make(*catalogue, name, size, step + 1, &index);
    RC_ASSERT(put(*catalogue, made).has_value());
    model[name] = made.object.manifest;
  }
  RC_ASSERT(catalogue->sweep().has_value());
  std::set<StripeId> needed;
  for (const auto& [name, manifest] : model) {
    for (const auto& stripe : manifest.stripes) needed.insert(stripe_id_of(stripe.roots));
  }
  std::set<StripeId> there;
  RC_ASSERT(catalogue
                ->stripes({},
                          [&](const StripeId& id, const StripeRow&) {
                            there.insert(id);
                            return true;
                          })
                .has_value());
  RC_ASSERT(there == needed);
}

}  // namespace
}  // namespace hm::storing
