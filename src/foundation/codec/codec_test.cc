// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "foundation/base/strong.h"
#include "foundation/codec/reader.h"

namespace hm::codec {
namespace {

struct Inner {
  std::uint16_t a = 0;
  std::string b;
  bool operator==(const Inner&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.a, self.b); }
};

struct Outer {
  std::vector<Inner> items;
  std::optional<std::uint32_t> maybe;
  std::variant<std::monostate, Inner, bool> choice;
  std::map<std::string, std::uint8_t> map;
  bool operator==(const Outer&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.items, self.maybe, self.choice, self.map);
  }
};

TEST(Codec, NestedStructRoundTrips) {
  const Outer value{{{7, "x"}, {8, "yy"}}, 9u, Inner{1, "z"}, {{"k", 1}, {"a", 2}}};
  const auto back = decode<Outer>(encode(value));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, value);
}

TEST(Codec, RefusesTrailingBytes) {
  Bytes bytes = encode(std::uint32_t{5});
  bytes.push_back(0);
  EXPECT_EQ(decode<std::uint32_t>(bytes).error(), DecodeError::TrailingBytes);
}

TEST(Codec, RefusesLengthPastTheEndWithoutAllocating) {
  EXPECT_EQ(decode<Bytes>(Bytes{0xff, 0xff, 0xff, 0xff, 0x07}).error(), DecodeError::Truncated);
  EXPECT_EQ((decode<std::vector<Inner>>(Bytes{0xff, 0xff, 0xff, 0xff, 0x07}).error()),
            DecodeError::Truncated);
}

TEST(Codec, RefusesSecondSpellings) {
  EXPECT_EQ(decode<Bytes>(Bytes{0x80, 0x00}).error(), DecodeError::NonMinimalLength);
  EXPECT_EQ(decode<bool>(Bytes{2}).error(), DecodeError::BadBool);
  using Map = std::map<std::uint8_t, std::uint8_t>;
  EXPECT_EQ(decode<Map>(Bytes{2, 2, 0, 1, 0}).error(), DecodeError::UnsortedMap);
  EXPECT_EQ(decode<Map>(Bytes{2, 1, 0, 1, 0}).error(), DecodeError::UnsortedMap);
}

TEST(Codec, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(decode<std::string>(Bytes{2, 0xc0, 0x80}).error(), DecodeError::BadText);
  EXPECT_EQ(decode<Bytes>(Bytes{2, 0xc0, 0x80}), (Bytes{0xc0, 0x80}));
}

TEST(Codec, NothingIsReadAfterTheFirstFailureAndItsReasonStays) {
  const Bytes bytes{2, 1, 1};
  Reader reader(bytes);
  bool flag = false;
  std::uint8_t byte = 0;
  EXPECT_FALSE(reader.read(flag));
  EXPECT_FALSE(reader.read(byte));
  EXPECT_FALSE(reader.finish());
  EXPECT_EQ(reader.error(), DecodeError::BadBool);
}

struct Level0 {
  std::vector<std::vector<std::uint8_t>> items;
  static constexpr auto fields(auto& self) { return std::tie(self.items); }
};

TEST(Codec, MemoryFollowsTheBytesThatAreThere) {
  // A million empty vectors are announced, three bytes follow.
  EXPECT_EQ(decode<Level0>(Bytes{0xc0, 0x84, 0x3d, 0, 0, 0}).error(), DecodeError::Truncated);
}

}  // namespace
}  // namespace hm::codec
