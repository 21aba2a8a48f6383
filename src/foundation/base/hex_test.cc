// SPDX-License-Identifier: Apache-2.0
#include "foundation/base/hex.h"

#include <gtest/gtest.h>

#include "foundation/base/strong.h"

namespace hm {
namespace {

TEST(Hex, RoundTripsEveryByte) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  EXPECT_EQ(from_hex(to_hex(all)), all);
}

TEST(Hex, RefusesUpperCaseOddLengthAndForeignCharacters) {
  EXPECT_FALSE(from_hex("AB"));
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Hex, IdRefusesTextOfAnotherLength) {
  struct Tag;
  EXPECT_FALSE(Id32<Tag>::parse(std::string(62, '0')));
  EXPECT_TRUE(Id32<Tag>::parse(std::string(64, '0')));
}

}  // namespace
}  // namespace hm
