// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/constant_time.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <limits>

#include "foundation/crypto/backend.h"

namespace hm::crypto {
namespace {

template <class T>
void expect_masks_of(T a, T b) {
  constexpr T kSet = std::numeric_limits<T>::max();
  EXPECT_EQ(mask_if_nonzero(a), a != 0 ? kSet : 0) << +a;
  EXPECT_EQ(mask_from_bit(a), (a & 1) != 0 ? kSet : 0) << +a;
  EXPECT_EQ(mask_if_equal(a, b), a == b ? kSet : 0) << +a << " " << +b;
  EXPECT_EQ(mask_if_less(a, b), a < b ? kSet : 0) << +a << " " << +b;
  EXPECT_EQ(select(kSet, a, b), a);
  EXPECT_EQ(select(T{0}, a, b), b);
}

TEST(ConstantTime, MasksOfAllPairsOfBytesSayWhatTheOperatorsSay) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      expect_masks_of(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b));
    }
  }
}

template <class T>
void expect_masks_at_the_ends() {
  constexpr T kTop = std::numeric_limits<T>::max();
  constexpr T kHalf = T{1} << (std::numeric_limits<T>::digits - 1);
  const std::array<T, 7> values = {0, 1, 2, kHalf - 1, kHalf, kTop - 1, kTop};
  for (const T a : values) {
    for (const T b : values) expect_masks_of(a, b);
  }
}

TEST(ConstantTime, MasksOfWideTypesHoldAtTheEndsOfTheirRange) {
  expect_masks_at_the_ends<std::uint32_t>();
  expect_masks_at_the_ends<std::uint64_t>();
}

TEST(ConstantTime, ByteStringsAreComparedAndSelectedWhole) {
  EXPECT_TRUE(rc::check([](const std::array<std::uint8_t, 9>& a, std::array<std::uint8_t, 9> b) {
    const auto at = *rc::gen::inRange<std::size_t>(0, a.size());
    RC_ASSERT(mask_if_same_bytes(a, a) == 0xff);
    RC_ASSERT(mask_if_same_bytes(a, b) == (a == b ? 0xff : 0));
    std::array<std::uint8_t, 9> chosen{};
    select_bytes(0xff, a, b, chosen);
    RC_ASSERT(chosen == a);
    select_bytes(0, a, b, chosen);
    RC_ASSERT(chosen == b);
    b = a;
    b[at] ^= static_cast<std::uint8_t>(1 << *rc::gen::inRange(0, 8));
    RC_ASSERT(mask_if_same_bytes(a, b) == 0);
  }));
}

TEST(ConstantTime, MarkingChangesNoByte) {
  const std::array<std::uint8_t, 3> secret = {1, 2, 3};
  mark_secret(secret);
  declassify(secret);
  EXPECT_EQ(secret, (std::array<std::uint8_t, 3>{1, 2, 3}));
  EXPECT_EQ(declassified(7), 7);
}

TEST(ConstantTimeDeathTest, ComparingDifferentLengthsIsABug) {
  const Bytes a(2);
  const Bytes b(3);
  EXPECT_DEATH(mask_if_same_bytes(a, b), "size");
}

TEST(Backend, ThePortableOneIsAlwaysThereAndTheFastestIsLast) {
  EXPECT_EQ(supported_backends().front(), Backend::Portable);
  EXPECT_EQ(supported_backends().back(), fastest_backend());
}

}  // namespace
}  // namespace hm::crypto
