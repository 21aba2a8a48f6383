// SPDX-License-Identifier: Apache-2.0
#include "foundation/erasure/coder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

namespace hm::erasure {
namespace {

// GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1, digit by digit.
std::uint8_t times(std::uint8_t a, std::uint8_t b) {
  unsigned product = 0;
  for (unsigned i = 0; i < 8; ++i) {
    if ((b >> i & 1U) != 0) product ^= unsigned{a} << i;
  }
  for (unsigned i = 15; i >= 8; --i) {
    if ((product >> i & 1U) != 0) product ^= 0x11dU << (i - 8);
  }
  return static_cast<std::uint8_t>(product);
}

std::uint8_t inverse(std::uint8_t a) {
  std::uint8_t power = 1;
  for (int i = 0; i < 254; ++i) power = times(power, a);
  return power;
}

// Row i of those of the parity, column j (docs/protocols/storage.md, "Erasure code").
std::uint8_t coefficient(std::size_t k, std::size_t i, std::size_t j) {
  const auto number = [](std::size_t n) { return static_cast<std::uint8_t>(n); };
  const std::uint8_t above = times(number(k ^ j), number(i));
  return times(above, inverse(times(number(i ^ j), number(k))));
}

Bytes bytes_of(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  std::uint64_t state = seed * 2 + 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  return bytes;
}

// All shards of random data.
std::vector<Bytes> coded(const Coder& coder, std::size_t length, std::uint64_t seed) {
  std::vector<Bytes> shards;
  std::vector<ShardBytes> data;
  std::vector<ShardSpace> parity;
  for (std::size_t i = 0; i < coder.code().shards(); ++i) {
    shards.push_back(i < coder.code().data ? bytes_of(length, seed + i) : Bytes(length));
  }
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (i < coder.code().data) {
      data.push_back(shards[i].data());
    } else {
      parity.push_back(shards[i].data());
    }
  }
  coder.encode(data, parity, length);
  return shards;
}

// Every shard that is not in `there`, computed from those that are.
bool comes_back(Coder& coder, const std::vector<Bytes>& shards, std::uint64_t there) {
  const std::size_t length = shards[0].size();
  std::vector<ShardBytes> given;
  std::vector<Bytes> space(shards.size(), Bytes(length, 0xee));
  std::vector<Coder::Wanted> wanted;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const bool is_there = (there >> i & 1U) != 0;
    given.push_back(is_there ? shards[i].data() : nullptr);
    if (!is_there) wanted.push_back({static_cast<std::uint8_t>(i), space[i].data()});
  }
  if (!coder.reconstruct(given, wanted, length)) return false;
  for (const auto& each : wanted) {
    if (space[each.index] != shards[each.index]) return false;
  }
  return true;
}

TEST(Coder, MakesTheParityOfTheDefinitionAtEveryLength) {
  const Coder coder({5, 3});
  for (std::size_t i = 5; i < 8; ++i) {
    std::array<std::uint8_t, 5> row{};
    for (std::size_t j = 0; j < 5; ++j) row[j] = coefficient(5, i, j);
    for (std::size_t length = 0; length <= 200; ++length) {
      const auto shards = coded(coder, length, length);
      for (std::size_t at = 0; at < length; ++at) {
        std::uint8_t sum = 0;
        for (std::size_t j = 0; j < 5; ++j) sum ^= times(row[j], shards[j][at]);
        ASSERT_EQ(shards[i][at], sum) << i << " " << at << " of " << length;
      }
    }
  }
}

TEST(Coder, MakesAnExclusiveOrFirstAndCopiesOfOneShard) {
  const auto shards = coded(Coder({3, 2}), 1000, 1);
  for (std::size_t at = 0; at < 1000; ++at) {
    ASSERT_EQ(shards[3][at], shards[0][at] ^ shards[1][at] ^ shards[2][at]);
  }
  const auto copies = coded(Coder({1, 4}), 1000, 1);
  for (const Bytes& each : copies) EXPECT_EQ(each, copies[0]);
}

TEST(Coder, BringsBackEveryPatternOfLossOfSmallCodes) {
  for (std::uint8_t k = 1; k <= 6; ++k) {
    for (std::uint8_t m = 0; m <= 4; ++m) {
      Coder coder({k, m});
      const auto shards = coded(coder, 67, k * 10 + m);
      for (std::uint64_t there = 0; there < std::uint64_t{1} << (k + m); ++there) {
        ASSERT_EQ(comes_back(coder, shards, there), std::popcount(there) >= k)
            << coder.code().to_string() << " " << there;
      }
    }
  }
}

TEST(Coder, CodesInCellsWhatItCodesAtOnce) {
  const Coder coder({10, 4});
  const std::size_t length = 3 * kCell + 77;
  const auto whole = coded(coder, length, 1);
  std::vector<Bytes> parity(4, Bytes(length));
  for (std::size_t at = 0; at < length; at += 16384) {
    std::vector<ShardBytes> data;
    std::vector<ShardSpace> into;
    for (std::size_t i = 0; i < 10; ++i) data.push_back(whole[i].data() + at);
    for (Bytes& each : parity) into.push_back(each.data() + at);
    coder.encode(data, into, std::min<std::size_t>(16384, length - at));
  }
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(parity[i], whole[10 + i]);
}

TEST(Coder, EveryBackendCodesAndBringsBackTheSameAtEveryLength) {
  for (const Code code : {Code{1, 2}, Code{4, 2}, Code{10, 4}, Code{3, 17}}) {
    const Coder portable(code, crypto::Backend::Portable);
    for (const crypto::Backend backend : crypto::supported_backends()) {
      Coder other(code, backend);
      const std::uint64_t lost = (std::uint64_t{1} << code.parity) - 1;
      const std::uint64_t there = ((std::uint64_t{1} << code.shards()) - 1) & ~lost;
      for (std::size_t length = 1; length < 700; length += 1 + length / 8) {
        const auto shards = coded(other, length, length);
        ASSERT_EQ(shards, coded(portable, length, length))
            << name_of(backend) << " " << code.to_string() << " " << length;
        ASSERT_TRUE(comes_back(other, shards, there))
            << name_of(backend) << " " << code.to_string() << " " << length;
      }
    }
  }
}

TEST(Coder, StaysRightWhenItForgetsPatterns) {
  Coder coder({4, 4});
  const auto shards = coded(coder, 40, 1);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t there = 0; there < 256; ++there) {
      ASSERT_EQ(comes_back(coder, shards, there), std::popcount(there) >= 4);
    }
  }
}

RC_GTEST_PROP(CoderProperty, BringsBackRandomLossesOfTenAndFour, ()) {
  static Coder coder({10, 4});
  const auto length = *rc::gen::inRange<std::size_t>(1, 5000);
  const auto shards = coded(coder, length, *rc::gen::arbitrary<std::uint32_t>());
  std::uint64_t there = (1U << 14) - 1;
  for (int i = 0; i < 4; ++i) there &= ~(std::uint64_t{1} << *rc::gen::inRange(0, 14));
  RC_ASSERT(comes_back(coder, shards, there));
}

RC_GTEST_PROP(CoderProperty, BringsBackWhatTheWidestCodesBear, ()) {
  const auto k = *rc::gen::inRange<std::uint8_t>(1, 65);
  const auto m = static_cast<std::uint8_t>(*rc::gen::inRange(0, 65 - int{k}));
  Coder coder({k, m});
  const auto shards = coded(coder, 100, *rc::gen::arbitrary<std::uint32_t>());
  std::uint64_t there = k + m == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (k + m)) - 1;
  for (int i = 0; i < m; ++i) there &= ~(std::uint64_t{1} << *rc::gen::inRange(0, k + m));
  RC_ASSERT(comes_back(coder, shards, there));
}

TEST(Code, IsValidUpToSixtyFourShardsWithOneOfData) {
  EXPECT_TRUE((Code{1, 0}.is_valid()));
  EXPECT_TRUE((Code{60, 4}.is_valid()));
  EXPECT_FALSE((Code{61, 4}.is_valid()));
  EXPECT_FALSE((Code{0, 4}.is_valid()));
  EXPECT_EQ((Code{10, 4}.to_string()), "10+4");
}

}  // namespace
}  // namespace hm::erasure
