// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/sealed_box/box.h"

#include <gtest/gtest.h>

#include <set>

#include "foundation/codec/writer.h"
#include "foundation/crypto/sealed_box/test_boxes.h"

namespace hm::sealed_box {
namespace {

Box some_box(std::size_t readers) {
  return seal(as_bytes("content"), readers_of(keys_of(1, readers)), some_context(),
              counting_bytes())
      .value();
}

std::optional<Refusal> decoding_refusal(ByteView bytes) { return refusal_of(decode(bytes)); }

TEST(Box, WhatIsCutShortOrGoesOnIsMalformed) {
  const Bytes good = encode(some_box(2));
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_EQ(decoding_refusal(ByteView(good).first(size)), Refusal::Malformed) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(decoding_refusal(longer), Refusal::Malformed);
}

TEST(Box, ContentWithoutATagIsMalformed) {
  Box box = some_box(1);
  box.content.resize(crypto::kAeadTagSize);
  EXPECT_TRUE(decode(encode(box)).has_value());
  box.content.pop_back();
  EXPECT_EQ(decoding_refusal(encode(box)), Refusal::Malformed);
}

TEST(Box, LengthsHaveOneSpelling) {
  Bytes bytes = encode(some_box(1));
  const auto count = bytes.begin() + 2 + 32;
  ASSERT_EQ(*count, 1);
  *count = 0x81;
  bytes.insert(count + 1, 0);
  EXPECT_EQ(decoding_refusal(bytes), Refusal::Malformed);
}

TEST(Box, ReadersAreSortedAndEachIsThereOnce) {
  Box box = some_box(3);
  std::swap(box.wraps[0], box.wraps[1]);
  EXPECT_EQ(decoding_refusal(encode(box)), Refusal::UnsortedReaders);
  box = some_box(3);
  box.wraps[2] = box.wraps[1];
  EXPECT_EQ(decoding_refusal(encode(box)), Refusal::UnsortedReaders);
}

TEST(Box, NoReadersAndTooManyAreRefusedByTheirCountAlone) {
  Box box = some_box(1);
  box.wraps.clear();
  EXPECT_EQ(decoding_refusal(encode(box)), Refusal::NoReaders);
  codec::Writer head;
  head.write(kSuiteMlKem1024);
  head.write(Commitment{});
  head.write_length(kMaxReaders + 1);
  EXPECT_EQ(decoding_refusal(head.bytes()), Refusal::TooManyReaders);
}

TEST(Box, TooMuchContentIsRefusedAndSoIsMoreThanTheLongestBox) {
  Box box = some_box(1);
  box.content.resize(kMaxContentSize + crypto::kAeadTagSize);
  EXPECT_TRUE(decode(encode(box)).has_value());
  box.content.push_back(0);
  EXPECT_EQ(decoding_refusal(encode(box)), Refusal::ContentTooLong);
  Bytes bytes = encode(box);
  bytes.resize(kMaxBoxSize + 1);
  EXPECT_EQ(decoding_refusal(bytes), Refusal::ContentTooLong);
}

TEST(Box, TheLongestHasTheSizeThatIsNamed) {
  Box box = some_box(1);
  box.content.resize(kMaxContentSize + crypto::kAeadTagSize);
  box.wraps.resize(kMaxReaders);
  EXPECT_EQ(encode(box).size(), kMaxBoxSize);
}

TEST(Box, AnotherSuiteIsRefusedWhateverFollows) {
  for (const Bytes& bytes : {Bytes{0, 0}, Bytes{2, 0, 1}, Bytes{1, 1}}) {
    EXPECT_EQ(decoding_refusal(bytes), Refusal::UnknownSuite);
  }
}

TEST(Box, RefusalsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Refusal::BadContent); ++i) {
    EXPECT_TRUE(names.insert(name_of(static_cast<Refusal>(i))).second) << i;
  }
}

}  // namespace
}  // namespace hm::sealed_box
