// SPDX-License-Identifier: Apache-2.0
#include "core/storage/segmenter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/storage/limits.h"
#include "core/storage/test_segments.h"

namespace hm::storage {
namespace {

using namespace testing;
using ::testing::Each;
using ::testing::ElementsAre;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::array kAllClasses{
    ContentClass::Tar,  ContentClass::Zip,       ContentClass::Compressed, ContentClass::Media,
    ContentClass::Text, ContentClass::DiskImage, ContentClass::Executable, ContentClass::Other};

Profile small_profile() { return Profile::by_content(256, 1024, 4096).value(); }

// §1.3 of docs/protocols/storage.md, byte by byte.
std::vector<std::size_t> cuts_as_defined(ByteView object, const Profile& profile,
                                         const SegmentKey& by) {
  std::vector<std::size_t> out;
  while (!object.empty()) {
    const std::size_t most = std::min(object.size(), profile.longest());
    std::size_t length = std::min(profile.shortest(), most);
    while (length < most && !asks_for_cut(object, length, profile, by)) ++length;
    out.push_back(length);
    object = object.subspan(length);
  }
  return out;
}

TEST(Segmenter, CutsByContentWhereTheDefinitionDoes) {
  const Bytes random = random_bytes(kMiB, 1);
  EXPECT_EQ(lengths(cut(random, small_profile(), ContentClass::Other)),
            cuts_as_defined(random, small_profile(), key()));
  Bytes few = random_bytes(kMiB, 2);
  for (std::uint8_t& byte : few) byte &= 1;
  EXPECT_EQ(lengths(cut(few, small_profile(), ContentClass::Text)),
            cuts_as_defined(few, small_profile(), key()));
}

RC_GTEST_PROP(Segmenter, CutsTheSameHoweverTheObjectIsFed, ()) {
  const auto content = *rc::gen::elementOf(kAllClasses);
  const auto size = *rc::gen::inRange<std::size_t>(0, 200'000);
  const Bytes object = random_bytes(size, *rc::gen::arbitrary<std::uint64_t>());
  const auto pieces =
      *rc::gen::container<std::vector<std::size_t>>(3, rc::gen::inRange<std::size_t>(1, 20'000));
  const auto whole = cut(object, small_profile(), content);
  RC_ASSERT(joined(whole) == object);
  RC_ASSERT(cut(object, small_profile(), content, key(), pieces) == whole);
}

TEST(Segmenter, CutsTheSameWhenFedByteByByte) {
  const Bytes object = random_bytes(300'000, 3);
  for (const ContentClass content : kAllClasses) {
    EXPECT_EQ(cut(object, small_profile(), content, key(), {1}),
              cut(object, small_profile(), content));
  }
}

TEST(Segmenter, KeepsEverySegmentButTheLastWithinItsBounds) {
  const Bytes object = random_bytes(9 * kMiB + 7, 4);
  const std::array profiles{Profile::standard(), Profile::backup(), Profile::whole(),
                            Profile::fixed(1000).value(), small_profile()};
  for (const Profile& profile : profiles) {
    for (const ContentClass content : kAllClasses) {
      const auto bounds = bounds_of(profile, content);
      const auto segments = cut(object, profile, content);
      for (std::size_t i = 0; i < segments.size(); ++i) {
        EXPECT_LE(segments[i].size(), bounds.longest);
        EXPECT_GE(segments[i].size(), i + 1 < segments.size() ? bounds.shortest : 1);
      }
      EXPECT_EQ(joined(segments), object);
    }
  }
}

TEST(Segmenter, HasSegmentsNearTheWantedMean) {
  const std::size_t count =
      cut(random_bytes(32 * kMiB, 5), Profile::standard(), ContentClass::Other).size();
  EXPECT_GT(count, 32 * kMiB / (90 * 1024));
  EXPECT_LT(count, 32 * kMiB / (50 * 1024));
}

TEST(Segmenter, KeepsAlmostAllSegmentsWhenAByteIsInserted) {
  const Bytes object = random_bytes(16 * kMiB, 6);
  Bytes edited = object;
  edited.insert(edited.begin() + 5'000'000, 0x55);
  const auto before = cut(object, Profile::standard(), ContentClass::Other);
  const auto after = cut(edited, Profile::standard(), ContentClass::Other);
  EXPECT_GT(percent_known(before, after), 90U);
  // What it is compared with: cut at fixed offsets, all behind the byte is new.
  const Profile fixed = Profile::fixed(65536).value();
  EXPECT_LT(percent_known(cut(object, fixed, ContentClass::Other),
                          cut(edited, fixed, ContentClass::Other)),
            50U);
}

TEST(Segmenter, CutsElsewhereWithAnotherKey) {
  const Bytes object = random_bytes(16 * kMiB, 7);
  const SegmentKey other(secret(1));
  const auto mine = cut(object, Profile::standard(), ContentClass::Other);
  const auto theirs = cut(object, Profile::standard(), ContentClass::Other, other);
  EXPECT_LT(percent_known(mine, theirs), 5U);
}

TEST(Segmenter, ExpandsItsKeyAsDocumented) {
  EXPECT_EQ(key().gear(0), 0xb5d612212e80926eU);
  EXPECT_EQ(key().gear(255), 0x7f999c62b3d519c1U);
}

TEST(Segmenter, CutsAKnownObjectWhereItAlwaysDid) {
  const Bytes object = random_bytes(kMiB, 42);
  EXPECT_THAT(lengths(cut(object, Profile::standard(), ContentClass::Other)),
              ElementsAre(100648, 71153, 105057, 80178, 18855, 77009, 68296, 109784, 21421, 16915,
                          41015, 66259, 85637, 55383, 35620, 28497, 66849));
  const Bytes large = random_bytes(8 * kMiB, 42);
  EXPECT_THAT(lengths(cut(large, Profile::backup(), ContentClass::Other)),
              ElementsAre(1579437, 1855526, 270150, 1429834, 1155856, 1076884, 1020921));
}

TEST(Segmenter, HasNoSegmentOfAnEmptyObjectAndOneOfAByte) {
  for (const ContentClass content : kAllClasses) {
    EXPECT_TRUE(cut({}, Profile::standard(), content).empty());
    EXPECT_THAT(lengths(cut(Bytes{7}, Profile::standard(), content)), ElementsAre(1));
  }
}

TEST(Segmenter, BoundsSegmentsOfZerosByTheLongest) {
  const Bytes zeros(8 * kMiB, 0);
  for (const ContentClass content : kAllClasses) {
    const auto bounds = bounds_of(Profile::standard(), content);
    for (const std::size_t length : lengths(cut(zeros, Profile::standard(), content))) {
      EXPECT_LE(length, bounds.longest);
    }
  }
}

TEST(Segmenter, CutsWhatIsCompressedAndDisksAtFixedOffsets) {
  const Bytes object = random_bytes(4 * kMiB, 8);
  for (const Profile& profile : {Profile::standard(), Profile::backup()}) {
    EXPECT_THAT(lengths(cut(object, profile, ContentClass::Media)), Each(kCompressedSegment));
    EXPECT_THAT(lengths(cut(object, profile, ContentClass::Compressed)), Each(kCompressedSegment));
    EXPECT_THAT(lengths(cut(object, profile, ContentClass::DiskImage)), Each(kDiskSegment));
  }
}

TEST(Segmenter, CutsAWholeObjectOnlyWhereMemoryEnds) {
  const Bytes object = random_bytes(kMaxSegment + 1, 9);
  for (const ContentClass content : kAllClasses) {
    EXPECT_THAT(lengths(cut(object, Profile::whole(), content)), ElementsAre(kMaxSegment, 1));
  }
}

TEST(Segmenter, LendsASegmentFromThePieceThatHoldsIt) {
  const Bytes object = random_bytes(kMiB, 10);
  std::size_t at = 0;
  Segmenter segmenter(Profile::standard(), ContentClass::Other, key());
  segmenter.feed(object, [&](ByteView segment) {
    EXPECT_EQ(segment.data(), object.data() + at);
    at += segment.size();
  });
  EXPECT_GT(at, object.size() / 2);
}

TEST(Profile, RefusesSizesThatAreNotOrderedOrOutOfBounds) {
  EXPECT_EQ(Profile::fixed(0).error(), StorageError::BadSizes);
  EXPECT_EQ(Profile::fixed(kMaxSegment + 1).error(), StorageError::BadSizes);
  EXPECT_TRUE(Profile::fixed(kMaxSegment));
  EXPECT_FALSE(Profile::by_content(255, 1024, 4096));
  EXPECT_FALSE(Profile::by_content(1024, 1024, 4096));
  EXPECT_FALSE(Profile::by_content(256, 1024, 1024));
  EXPECT_FALSE(Profile::by_content(256, 1000, 4096));
  EXPECT_FALSE(Profile::by_content(256, 1024, kMaxSegment + 1));
  EXPECT_TRUE(Profile::by_content(256, 512, 513));
}

}  // namespace
}  // namespace hm::storage
