// SPDX-License-Identifier: Apache-2.0
#include "core/storage/compression.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/storage/limits.h"
#include "core/storage/test_segments.h"

namespace hm::storage {
namespace {

using namespace testing;

Bytes text_of(std::size_t size) {
  Bytes out;
  for (std::size_t line = 0; out.size() < size; ++line) {
    append(out, as_bytes("line " + std::to_string(line) + " of a log that says little\n"));
  }
  out.resize(size);
  return out;
}

TEST(Compression, PaysForTextAndNotForRandomBytes) {
  Compressor compressor;
  EXPECT_TRUE(compressor.is_worthwhile(ContentClass::Text, text_of(100'000)));
  EXPECT_TRUE(compressor.is_worthwhile(ContentClass::Other, text_of(300)));
  EXPECT_FALSE(compressor.is_worthwhile(ContentClass::Text, random_bytes(100'000, 1)));
  EXPECT_FALSE(compressor.is_worthwhile(ContentClass::Text, random_bytes(300, 1)));
  EXPECT_FALSE(compressor.is_worthwhile(ContentClass::Text, {}));
}

TEST(Compression, IsNeverTriedOnWhatItsFormatHasCompressed) {
  Compressor compressor;
  EXPECT_FALSE(compressor.is_worthwhile(ContentClass::Media, text_of(100'000)));
  EXPECT_FALSE(compressor.is_worthwhile(ContentClass::Compressed, text_of(100'000)));
}

// One byte in 13 is known, the others are random: it saves about a thirteenth less the overhead.
TEST(Compression, PaysFromATwentiethOn) {
  Compressor compressor;
  const auto with_zeros = [](std::size_t share) {
    Bytes out = random_bytes(8 * 1024, 1);
    std::fill_n(out.begin(), out.size() * share / 100, 0);
    return out;
  };
  EXPECT_FALSE(compressor.is_worthwhile(ContentClass::Other, with_zeros(3)));
  EXPECT_TRUE(compressor.is_worthwhile(ContentClass::Other, with_zeros(8)));
}

TEST(Compression, GivesBackWhatItTook) {
  Compressor compressor;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{1000}, std::size_t{65536}, kMaxSegment}) {
    for (const Bytes& segment : {text_of(size), random_bytes(size, 2), Bytes(size, 0)}) {
      const auto frame = compressor.compress(segment);
      ASSERT_TRUE(frame);
      EXPECT_EQ(compressor.decompress(*frame, size).value(), segment);
    }
  }
}

TEST(Compression, RefusesSegmentsThatAreEmptyOrTooLong) {
  Compressor compressor;
  EXPECT_EQ(compressor.compress({}).error(), StorageError::SegmentTooLong);
  EXPECT_EQ(compressor.compress(Bytes(kMaxSegment + 1)).error(), StorageError::SegmentTooLong);
  const Bytes frame = compressor.compress(Bytes(10)).value();
  EXPECT_EQ(compressor.decompress(frame, 0).error(), StorageError::SegmentTooLong);
  EXPECT_EQ(compressor.decompress(frame, kMaxSegment + 1).error(), StorageError::SegmentTooLong);
}

TEST(Compression, RefusesASizeThatIsNotTheOneAnnounced) {
  Compressor compressor;
  const Bytes frame = compressor.compress(text_of(5000)).value();
  EXPECT_EQ(compressor.decompress(frame, 4999).error(), StorageError::WrongSize);
  EXPECT_EQ(compressor.decompress(frame, 5001).error(), StorageError::WrongSize);
  EXPECT_EQ(compressor.decompress(frame, 1).error(), StorageError::WrongSize);
}

TEST(Compression, RefusesAFrameThatIsCutOrFollowedByAnything) {
  Compressor compressor;
  const Bytes frame = compressor.compress(text_of(5000)).value();
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(compressor.decompress(ByteView(frame).first(size), 5000).error(),
              StorageError::NotOneFrame);
  }
  Bytes longer = frame;
  longer.push_back(0);
  EXPECT_EQ(compressor.decompress(longer, 5000).error(), StorageError::NotOneFrame);
  Bytes twice = frame;
  append(twice, frame);
  EXPECT_EQ(compressor.decompress(twice, 5000).error(), StorageError::NotOneFrame);
  const Bytes skippable{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9};  // RFC 8878 §3.1.2
  EXPECT_EQ(compressor.decompress(skippable, 1).error(), StorageError::WrongSize);
}

RC_GTEST_PROP(Compression, NeverGivesOtherSizesForAlteredFrames, ()) {
  Compressor compressor;
  Bytes frame = compressor.compress(text_of(3000)).value();
  const auto flips = *rc::gen::inRange(1, 4);
  for (int i = 0; i < flips; ++i) {
    frame[*rc::gen::inRange<std::size_t>(0, frame.size())] ^=
        *rc::gen::inRange<std::uint8_t>(1, 255);
  }
  const auto out = compressor.decompress(frame, 3000);
  RC_ASSERT(!out || out->size() == 3000U);
}

}  // namespace
}  // namespace hm::storage
