// SPDX-License-Identifier: Apache-2.0
#include "core/storage/code_choice.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/storage/limits.h"

namespace hm::storage {
namespace {

constexpr std::uint64_t kLarge = std::uint64_t{1} << 30;

std::string code(std::uint64_t size, std::size_t owners) {
  return choose_code(size, owners).value().layout.code.to_string();
}

TEST(CodeChoice, IsTheWidestThatTheOwnersCanHold) {
  const std::vector<std::string> large{"1+0", "1+1", "1+2", "2+2", "3+2", "4+2", "5+2",
                                       "6+2", "6+3", "7+3", "8+3", "8+4", "9+4", "10+4"};
  const std::vector<std::string> small{"1+0", "1+1", "1+2", "2+2", "3+2", "4+2", "4+2"};
  const std::vector<std::string> copies{"1+0", "1+1", "1+2", "1+2"};
  for (std::size_t i = 0; i < large.size(); ++i) EXPECT_EQ(code(kLarge, i + 1), large[i]);
  for (std::size_t i = 0; i < small.size(); ++i) EXPECT_EQ(code(kSmallObject, i + 1), small[i]);
  for (std::size_t i = 0; i < copies.size(); ++i) EXPECT_EQ(code(kCopiedObject, i + 1), copies[i]);
  EXPECT_EQ(code(kLarge, 1000), "10+4");
  EXPECT_EQ(choose_code(kLarge, 0).error(), StorageError::NoOwners);
}

TEST(CodeChoice, AlwaysFitsTheOwnersAndHoldsASegment) {
  for (const std::uint64_t size : {std::uint64_t{0}, kCopiedObject + 1, kLarge}) {
    std::size_t losses = 0;
    for (std::size_t owners = 1; owners < 20; ++owners) {
      const CodeChoice choice = choose_code(size, owners).value();
      EXPECT_TRUE(choice.layout.is_valid());
      EXPECT_LE(choice.layout.code.shards(), owners);
      EXPECT_GE(choice.layout.capacity(), kMaxSegment);
      EXPECT_EQ(choice.losses, choice.layout.code.parity);
      EXPECT_GE(choice.losses, losses);  // another owner never makes it worse
      losses = choice.losses;
    }
  }
}

TEST(CodeChoice, TellsWhatItBearsAndWhatMoreOwnersWouldDo) {
  EXPECT_EQ(choose_code(kLarge, 20).value().words,
            "10+4: 14 owners hold a shard each, and any 10 of them give the object back; bears the "
            "loss of any 4, and takes 1.40 times the size.");
  EXPECT_EQ(choose_code(kLarge, 10).value().words,
            "7+3: 10 owners hold a shard each, and any 7 of them give the object back; bears the "
            "loss of any 3, and takes 1.43 times the size. With 14 owners it would be 10+4, which "
            "bears the loss of any 4.");
  EXPECT_EQ(choose_code(100, 1).value().words,
            "1 copy with as many owners; nothing bears a loss, and takes 1.00 times the size. With "
            "3 owners it would be 1+2, which bears the loss of any 2.");
}

TEST(CodeChoice, TakesACodeThatSomebodyChose) {
  EXPECT_EQ(layout_for({60, 4}).value().shard_bytes, kDefaultShardBytes);
  EXPECT_EQ(layout_for({1, 2}).value().shard_bytes, kMaxShardBytes);
  EXPECT_EQ(layout_for({3, 2}).value().shard_bytes, 2 * kDefaultShardBytes);
  EXPECT_EQ(layout_for({1, 16}).error(), StorageError::BadLayout);
  EXPECT_EQ(layout_for({0, 1}).error(), StorageError::BadLayout);
  EXPECT_EQ(layout_for({61, 4}).error(), StorageError::BadLayout);
}

}  // namespace
}  // namespace hm::storage
