// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <set>

#include "core/storage/test_objects.h"

namespace hm::storage {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

// Keeps what manifests say, as the node of an owner would.
class Index : public SegmentIndex {
 public:
  void learn(const Manifest& manifest) {
    for (const Segment& each : manifest.segments) {
      const auto& shared = std::get<SharedSegment>(each.seal);
      known_.try_emplace(
          shared.id,
          KnownSegment{each, std::make_shared<const Stripe>(manifest.stripes[each.stripe])});
    }
  }
  std::optional<KnownSegment> find(const SegmentId& id) override {
    const auto at = known_.find(id);
    return at == known_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  std::map<SegmentId, KnownSegment> known_;
};

Fate losing(const std::set<std::pair<std::uint32_t, ShardIndex>>& lost) {
  return [lost](std::uint32_t stripe, ShardIndex index, const Bytes& shard) {
    return lost.contains({stripe, index}) ? std::nullopt : std::optional(shard);
  };
}

TEST(Object, ComesBackAtEverySizeAroundTheBoundaries) {
  const Domain shared = domain();
  std::set<std::size_t> sizes{0, 1, 2, 255, 256, 257, 1023, 4095, 4096, 4097, 16 * kKiB};
  const Layout small = layout(2, 1);
  for (const std::size_t around : {4 * kMinShardBytes, small.capacity() - kSealOverhead}) {
    for (const std::size_t size : {around - 1, around, around + 1}) sizes.insert(size);
  }
  for (const std::size_t size : sizes) {
    for (const Domain* in : {&shared, static_cast<const Domain*>(nullptr)}) {
      const Bytes object = random_bytes(size, size);
      Shards shards;
      const Manifest manifest = store(object, plan(in), shards, small);
      ASSERT_TRUE(check(manifest));
      EXPECT_EQ(manifest.size, size);
      EXPECT_EQ(manifest.content, blake3::hash(object));
      const ReadBack back = read_back(manifest, shards);
      ASSERT_FALSE(back.failure) << back.failure->to_string();
      ASSERT_EQ(back.plain, object) << size;
    }
  }
}

TEST(Object, HasTheHashThatItsWriterKnows) {
  const Bytes object = random_bytes(100 * kKiB, 1);
  Shards shards;
  auto known = plan();
  known.known_hash = blake3::hash(object);
  const Manifest manifest = store(object, known, shards, layout(4, 2));
  EXPECT_EQ(manifest.content, *known.known_hash);
  EXPECT_EQ(manifest.content, store(object, plan(), shards, layout(4, 2)).content);
  EXPECT_EQ(read_back(manifest, shards).plain, object);
  known.known_hash->bytes[0] ^= 1;
  const ReadBack back = read_back(store(object, known, shards, layout(4, 2)), shards);
  ASSERT_TRUE(back.failure);
  EXPECT_EQ(back.failure->error, StorageError::WrongContent);
}

// Pieces of all sizes, kept by the caller or not: the same stripes and manifest.
TEST(Object, IsTheSameHoweverItsPiecesAreCutAndKept) {
  const Bytes object = random_bytes(9 * kMiB + 77, 3);
  const Domain shared = domain();
  for (const Profile& profile :
       {small_profile(), Profile::whole(), Profile::fixed(100'000).value()}) {
    for (const Domain* in : {&shared, static_cast<const Domain*>(nullptr)}) {
      auto as = plan(in);
      as.profile = profile;
      Shards shards;
      const Manifest expected = store(object, as, shards, layout(4, 2));
      for (const std::size_t longest : {std::size_t{3000}, std::size_t{100'000}, 3 * kMiB}) {
        Shards others;
        StripeWriter writer(layout(4, 2), chance(1), others.sink());
        const auto encoder = ObjectEncoder::start(as, writer, chance(2)).value();
        std::uint64_t draw = 1;
        for (ByteView left = object; !left.empty();) {
          draw = draw * 6364136223846793005U + 1442695040888963407U;
          const std::size_t size = std::min<std::size_t>(left.size(), 1 + (draw >> 33) % longest);
          auto kept = std::make_shared<Bytes>(to_bytes(left.first(size)));
          if ((draw & (1U << 20)) != 0) {
            ASSERT_TRUE(encoder->push(*kept, kept));
          } else {
            ASSERT_TRUE(encoder->push(*kept));
            kept->assign(size, 0xee);  // not looked at any more
          }
          left = left.subspan(size);
        }
        ASSERT_TRUE(encoder->finish());
        writer.flush();
        ASSERT_EQ(encoder->take_manifest().value(), expected);
      }
    }
  }
}

TEST(Object, ComesBackWhenSegmentsAreAsLongAsAStripe) {
  for (const std::size_t size : {4 * kMiB - 1, 4 * kMiB, 9 * kMiB}) {
    const Bytes object = random_bytes(size, 1);
    auto whole = plan();
    whole.profile = Profile::whole();
    for (const Layout& in : {layout(1, 1), layout(4, 2)}) {
      Shards shards;
      const Manifest manifest = store(object, whole, shards, in);
      EXPECT_EQ(read_back(manifest, shards).plain, object);
    }
  }
}

TEST(Object, OfTextIsStoredCompressed) {
  Bytes text;
  while (text.size() < 3 * kMiB) {
    append(text, as_bytes("line " + std::to_string(text.size()) + " of a log that repeats\n"));
  }
  const Domain shared = domain();
  Shards shards;
  auto as = plan(&shared);
  as.profile = Profile::standard();
  as.content = ContentClass::Text;
  const Manifest manifest = store(text, as, shards, layout(4, 2));
  std::uint64_t sealed = 0;
  for (const Segment& each : manifest.segments) {
    EXPECT_EQ(each.flags, kCompressedFlag);
    sealed += each.sealed_length;
  }
  EXPECT_LT(sealed, text.size() / 3);
  EXPECT_EQ(read_back(manifest, shards).plain, text);
}

RC_GTEST_PROP(ObjectProperty, AnyRangeComesBackAfterAnyLossThatTheCodeBears, ()) {
  const auto k = *rc::gen::inRange<std::uint8_t>(1, 8);
  const auto m = *rc::gen::inRange<std::uint8_t>(0, 5);
  const auto size = *rc::gen::inRange<std::size_t>(1, 600'000);
  const Bytes object = random_bytes(size, *rc::gen::arbitrary<std::uint32_t>());
  const Domain shared = domain();
  const bool is_shared = *rc::gen::arbitrary<bool>();
  Shards shards;
  const Manifest manifest = store(object, plan(is_shared ? &shared : nullptr), shards, layout(k, m),
                                  size, *rc::gen::inRange<std::size_t>(1, 200'000));
  const auto begin = *rc::gen::inRange<std::size_t>(0, size + 1);
  const auto end = *rc::gen::inRange<std::size_t>(begin, size + 1);
  std::set<std::pair<std::uint32_t, ShardIndex>> lost;
  for (std::uint32_t stripe = 0; stripe < manifest.stripes.size(); ++stripe) {
    for (int i = 0; i < m; ++i) lost.insert({stripe, *rc::gen::inRange<ShardIndex>(0, k + m)});
  }
  const ReadBack back = read_back(manifest, shards, begin, end, losing(lost));
  RC_ASSERT(!back.failure);
  RC_ASSERT(back.plain == to_bytes(ByteView(object).subspan(begin, end - begin)));
}

TEST(Object, IsTheSameHoweverItIsFed) {
  const Bytes object = random_bytes(700'000, 3);
  Shards shards;
  const Manifest manifest = store(object, plan(), shards, layout(4, 2));
  for (const std::size_t piece : {std::size_t{777}, std::size_t{700'000}}) {
    EXPECT_EQ(store(object, plan(), shards, layout(4, 2), 1, piece), manifest);
  }
}

TEST(Object, OfManyStripesComesBackWhenAnyFourOfFourteenAreLost) {
  const Bytes object = random_bytes(25 * kMiB, 7);
  Shards shards;
  auto as = plan();
  as.profile = Profile::standard();
  const Manifest manifest = store(object, as, shards, layout(10, 4));
  ASSERT_EQ(manifest.stripes.size(), 3U);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Bytes draws = random_bytes(64, seed);
    std::set<std::pair<std::uint32_t, ShardIndex>> lost;
    std::size_t at = 0;
    for (std::uint32_t stripe = 0; stripe < 3; ++stripe) {
      while (lost.size() < 4 * (stripe + 1)) lost.insert({stripe, draws[at++] % 14});
    }
    const ReadBack back = read_back(manifest, shards, losing(lost));
    ASSERT_FALSE(back.failure);
    EXPECT_TRUE(back.plain == object);
  }
}

TEST(Object, NamesWhatIsMissingWhenOneMoreIsLost) {
  const Bytes object = random_bytes(300'000, 1);
  Shards shards;
  const Manifest manifest = store(object, plan(), shards, layout(4, 2));
  const ReadBack back = read_back(manifest, shards, losing({{0, 0}, {0, 3}, {0, 5}}));
  ASSERT_TRUE(back.failure);
  EXPECT_EQ(back.failure->error, StorageError::TooFewShards);
  EXPECT_THAT(back.failure->missing, ElementsAre(0, 3, 5));
  EXPECT_THAT(back.failure->altered, ElementsAre());
  EXPECT_EQ(back.failure->to_string(),
            "too few shards of a stripe can be had to read it (stripe 0; missing shards: 0, 3, 5)");
  // What came before it failed is right.
  EXPECT_TRUE(std::ranges::equal(back.plain, ByteView(object).first(back.plain.size())));
}

TEST(Object, ReadsOnFromDataShardsWhereACodeIsLostButTheirSegmentsAreNot) {
  const Bytes object = random_bytes(3000, 1);
  Shards shards;
  auto as = plan();
  as.profile = Profile::fixed(1000).value();
  const Manifest manifest = store(object, as, shards, layout(2, 1));
  ASSERT_EQ(manifest.stripes[0].shard_bytes, kMinShardBytes);
  // All segments lie in the first shard; the others do not matter.
  const ReadBack back = read_back(manifest, shards, losing({{0, 1}, {0, 2}}));
  EXPECT_FALSE(back.failure);
  EXPECT_EQ(back.plain, object);
}

struct Spoiling {
  std::string name;
  std::function<Bytes(Bytes shard, const Bytes& other)> spoil;
  ShardVerdict verdict;
};

std::vector<Spoiling> spoilings() {
  return {
      {"flipped",
       [](Bytes shard, const Bytes&) {
         shard[shard.size() / 2] ^= 1;
         return shard;
       },
       ShardVerdict::WrongRoot},
      {"truncated",
       [](Bytes shard, const Bytes&) {
         shard.pop_back();
         return shard;
       },
       ShardVerdict::WrongLength},
      {"longer",
       [](Bytes shard, const Bytes&) {
         shard.push_back(0);
         return shard;
       },
       ShardVerdict::WrongLength},
      {"empty", [](const Bytes&, const Bytes&) { return Bytes{}; }, ShardVerdict::WrongLength},
      {"swapped", [](const Bytes&, const Bytes& other) { return other; }, ShardVerdict::WrongRoot},
      {"garbage", [](const Bytes& shard, const Bytes&) { return random_bytes(shard.size(), 9); },
       ShardVerdict::WrongRoot},
  };
}

TEST(Object, ComesBackRightFromAlteredShardsAndNamesThem) {
  const Bytes object = random_bytes(300'000, 1);
  Shards shards;
  const Manifest manifest = store(object, plan(), shards, layout(4, 2));
  for (const Spoiling& how : spoilings()) {
    const Bytes& other = shards.at(manifest.stripes[0], 4);
    const auto spoil = [&](const std::set<ShardIndex>& which) {
      return [&, which](std::uint32_t, ShardIndex index, const Bytes& shard) {
        return std::optional(which.contains(index) ? how.spoil(shard, other) : shard);
      };
    };
    const ReadBack back = read_back(manifest, shards, spoil({1, 2}));
    ASSERT_FALSE(back.failure) << how.name;
    EXPECT_EQ(back.plain, object) << how.name;
    EXPECT_THAT(back.culprits,
                UnorderedElementsAre(std::pair(std::pair(0U, ShardIndex{1}), how.verdict),
                                     std::pair(std::pair(0U, ShardIndex{2}), how.verdict)))
        << how.name;
    const ReadBack failed = read_back(manifest, shards, spoil({0, 1, 2}));
    ASSERT_TRUE(failed.failure) << how.name;
    EXPECT_EQ(failed.failure->error, StorageError::TooFewShards);
    EXPECT_THAT(failed.failure->altered, ElementsAre(0, 1, 2));
    EXPECT_TRUE(std::ranges::equal(failed.plain, ByteView(object).first(failed.plain.size())));
  }
}

TEST(Object, GivesNoByteOfSegmentsThatItsManifestDescribesWrongly) {
  const Bytes object = random_bytes(20'000, 1);
  Shards shards;
  const Manifest good = store(object, plan(), shards, layout(4, 2));
  const auto error_with = [&](const std::function<void(Manifest&)>& spoil) {
    Manifest manifest = good;
    spoil(manifest);
    EXPECT_TRUE(check(manifest));
    const ReadBack back = read_back(manifest, shards);
    EXPECT_TRUE(std::ranges::equal(back.plain, ByteView(object).first(back.plain.size())));
    return back.failure ? std::optional(back.failure->error) : std::nullopt;
  };
  EXPECT_EQ(error_with([](Manifest& m) { ++m.segments[1].offset; }), StorageError::NotASegment);
  EXPECT_EQ(error_with([](Manifest& m) { std::get<SegmentNumber>(m.segments.back().seal)++; }),
            StorageError::NotASegment);
  EXPECT_EQ(error_with([](Manifest& m) { m.what.owner.bytes[0] ^= 1; }), StorageError::NotASegment);
  EXPECT_EQ(error_with([](Manifest& m) { m.what.object.push_back(1); }), StorageError::NotASegment);
  EXPECT_EQ(error_with([](Manifest& m) { std::get<WithOwnSecret>(m.protection).secret[0] ^= 1; }),
            StorageError::NotASegment);
  EXPECT_EQ(error_with([](Manifest& m) { std::get<WithOwnSecret>(m.protection).version = 0; }),
            StorageError::NotASegment);
  EXPECT_EQ(error_with([](Manifest& m) { m.content.bytes[0] ^= 1; }), StorageError::WrongContent);
  EXPECT_EQ(error_with([](Manifest& m) { ++m.what.version; }), std::nullopt);
}

TEST(Object, AsksForNoMoreShardsThanARangeLiesIn) {
  const Bytes object = random_bytes(3 * kMiB, 1);
  Shards shards;
  auto as = plan();
  as.profile = Profile::standard();
  const Manifest manifest = store(object, as, shards, layout(4, 2));
  const ReadBack back = read_back(manifest, shards, 1000, 1010);
  EXPECT_EQ(back.plain, to_bytes(ByteView(object).subspan(1000, 10)));
  EXPECT_LE(back.asked, 2U);
}

TEST(Object, TakesAnyOfItsShardsInAnyOrder) {
  const Bytes object = random_bytes(300'000, 1);
  Shards shards;
  const Manifest manifest = store(object, plan(), shards, layout(4, 2));
  auto decoder = ObjectDecoder::open(manifest, 0, manifest.size).value();
  const auto wants = decoder.wants();
  ASSERT_EQ(wants.size(), 1U);
  EXPECT_THAT(wants[0].ask, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(wants[0].spare, ElementsAre(4, 5));
  EXPECT_EQ(wants[0].sufficient, 4U);
  for (const ShardIndex index : std::array<ShardIndex, 4>{5, 2, 4, 0}) {
    EXPECT_EQ(decoder.give(0, index, shards.at(manifest.stripes[0], index)), ShardVerdict::Taken);
  }
  EXPECT_EQ(decoder.give(0, 1, shards.at(manifest.stripes[0], 1)), ShardVerdict::NotWanted);
  Bytes plain;
  EXPECT_EQ(decoder.read([&](ByteView part) { append(plain, part); }).value(),
            ObjectDecoder::Progress::Done);
  EXPECT_EQ(plain, object);
}

TEST(Object, TakesAShardThatWasAlteredWhenItComesRight) {
  const Bytes object = random_bytes(5000, 1);
  Shards shards;
  const Manifest manifest = store(object, plan(), shards, layout(1, 0));
  auto decoder = ObjectDecoder::open(manifest, 0, manifest.size).value();
  Bytes shard = shards.at(manifest.stripes[0], 0);
  shard[0] ^= 1;
  EXPECT_EQ(decoder.give(0, 0, shard), ShardVerdict::WrongRoot);
  EXPECT_TRUE(decoder.wants().empty());
  shard[0] ^= 1;
  EXPECT_EQ(decoder.give(0, 0, shard), ShardVerdict::Taken);
  Bytes plain;
  EXPECT_TRUE(decoder.read([&](ByteView part) { append(plain, part); }));
  EXPECT_EQ(plain, object);
}

TEST(Object, HasNoRangeBehindItsEnd) {
  Shards shards;
  const Manifest manifest = store(random_bytes(10, 1), plan(), shards, layout(1, 0));
  for (const auto& [begin, end] : {std::pair(0, 11), std::pair(5, 4), std::pair(11, 11)}) {
    EXPECT_EQ(ObjectDecoder::open(manifest, static_cast<std::uint64_t>(begin),
                                  static_cast<std::uint64_t>(end))
                  .error(),
              StorageError::NoSuchRange);
  }
}

// --- What is shared ---------------------------------------------------------------------------

struct Versions {
  Bytes old_bytes = random_bytes(2 * kMiB, 1);
  Bytes new_bytes = old_bytes;
  Versions() {
    for (const std::size_t at : {100'000U, 1'000'000U, 1'900'000U}) {
      const Bytes more = random_bytes(333, at);
      new_bytes.insert(new_bytes.begin() + static_cast<std::ptrdiff_t>(at), more.begin(),
                       more.end());
    }
  }
};

// How much of the second version is shared with the first one, in percent.
std::uint64_t shared_percent(const ObjectPlan& old_plan, const ObjectPlan& new_plan) {
  const Versions versions;
  Shards shards;
  const Manifest before = store(versions.old_bytes, old_plan, shards, layout(4, 2));
  Index index;
  if (old_plan.domain != nullptr) index.learn(before);
  ObjectPlan as = new_plan;
  if (as.domain != nullptr) as.index = &index;
  StripeWriter writer(layout(4, 2), chance(5), shards.sink());
  const auto encoder = ObjectEncoder::start(as, writer, chance(6)).value();
  EXPECT_TRUE(encoder->push(versions.new_bytes));
  EXPECT_TRUE(encoder->finish());
  writer.flush();
  const Manifest after = encoder->take_manifest().value();
  EXPECT_EQ(read_back(after, shards, losing({{0, 0}, {1, 5}})).plain, versions.new_bytes);
  return encoder->bytes_shared() * 100 / versions.new_bytes.size();
}

TEST(SharedSegments, AreMostOfANewVersionInOneDomain) {
  const Domain in = domain();
  EXPECT_GT(shared_percent(plan(&in, 1), plan(&in, 2)), 90U);
}

TEST(SharedSegments, AreNoneAcrossDomainsAndOwnersNorOfObjectsWithTheirOwnSecret) {
  const Domain in = domain();
  const Domain other = domain(2);
  EXPECT_EQ(shared_percent(plan(&in, 1), plan(&other, 2)), 0U);
  EXPECT_EQ(shared_percent(plan(&in, 1), plan(nullptr, 2)), 0U);
  EXPECT_EQ(shared_percent(plan(nullptr, 1), plan(nullptr, 2)), 0U);
  auto foreign = plan(&other, 2);
  const Domain of_other_owner = domain(1, 0x0b);
  foreign.what.owner = of_other_owner.owner();
  foreign.domain = &of_other_owner;
  EXPECT_EQ(shared_percent(plan(&in, 1), foreign), 0U);
}

TEST(SharedSegments, OfOneObjectAreStoredOnce) {
  const Domain in = domain();
  Bytes object;
  const Bytes part = random_bytes(100'000, 1);
  auto as = plan(&in);
  as.profile = Profile::fixed(1000).value();
  for (int i = 0; i < 30; ++i) append(object, part);
  Shards shards;
  const Manifest manifest = store(object, as, shards, layout(4, 2));
  std::set<std::uint32_t> offsets;
  for (const Segment& each : manifest.segments) offsets.insert(each.offset);
  EXPECT_EQ(manifest.segments.size(), 3000U);
  EXPECT_EQ(offsets.size(), 100U);
  EXPECT_EQ(manifest.stripes.size(), 1U);
  EXPECT_EQ(read_back(manifest, shards).plain, object);
}

TEST(SharedSegments, InManyStripesAreReadWithFewInMemory) {
  const Domain in = domain();
  Index index;
  Shards shards;
  Bytes all;
  auto as = plan(&in);
  as.profile = Profile::fixed(20'000).value();
  std::vector<Bytes> parts;
  for (std::uint64_t i = 0; i < 6; ++i) {
    parts.push_back(random_bytes(100'000, i));
    index.learn(store(parts.back(), as, shards, layout(2, 1), i));
  }
  for (std::size_t turn = 0; turn < 5; ++turn) {
    for (const Bytes& part : parts) append(all, ByteView(part).subspan(turn * 20'000, 20'000));
  }
  as.index = &index;
  const Manifest manifest = store(all, as, shards, layout(4, 2));
  EXPECT_EQ(manifest.stripes.size(), 6U);
  auto decoder = ObjectDecoder::open(manifest, 0, manifest.size).value();
  EXPECT_EQ(decoder.wants().size(), kStripesRead);
  EXPECT_EQ(read_back(manifest, shards).plain, all);
}

TEST(ObjectEncoder, PacksSeveralObjectsInOneStripe) {
  const Domain in = domain();
  Shards shards;
  StripeWriter writer(layout(4, 2), chance(1), shards.sink());
  std::vector<std::unique_ptr<ObjectEncoder>> encoders;
  for (std::uint64_t i = 0; i < 20; ++i) {
    encoders.push_back(ObjectEncoder::start(plan(&in, i), writer, chance(i)).value());
    ASSERT_TRUE(encoders.back()->push(random_bytes(5000, i)));
    ASSERT_TRUE(encoders.back()->finish());
  }
  writer.flush();
  EXPECT_EQ(shards.stripes(), 1U);
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(read_back(encoders[i]->take_manifest().value(), shards).plain, random_bytes(5000, i));
  }
}

TEST(ObjectEncoder, RefusesWhatNoManifestMayHold) {
  Shards shards;
  StripeWriter writer(layout(1, 0), chance(1), shards.sink());
  const auto error_with = [&](const std::function<void(ObjectPlan&)>& spoil) {
    ObjectPlan as = plan();
    spoil(as);
    return ObjectEncoder::start(as, writer, chance(1)).error();
  };
  EXPECT_EQ(error_with([](ObjectPlan& p) { p.what.object.resize(257); }),
            StorageError::ObjectIdTooLong);
  EXPECT_EQ(error_with([](ObjectPlan& p) { p.description.name.resize(kMaxName + 1, 'n'); }),
            StorageError::NameTooLong);
  EXPECT_EQ(error_with([](ObjectPlan& p) {
              p.description.metadata["k"] = std::string(kMaxMetadataBytes, 'v');
            }),
            StorageError::MetadataTooLong);
}

}  // namespace
}  // namespace hm::storage
