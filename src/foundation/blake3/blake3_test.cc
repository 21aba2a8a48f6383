// SPDX-License-Identifier: Apache-2.0
#include "foundation/blake3/blake3.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "foundation/blake3/chunks_halves.h"
#include "foundation/blake3/lanes.h"
#include "foundation/blake3/lanes_simd.h"
#include "foundation/blake3/test_bytes.h"
#include "foundation/blake3/tree.h"
#include "foundation/crypto/wipe.h"

namespace hm::blake3 {
namespace {

using crypto::Backend;
using crypto::supported_backends;
using test::bytes_of;

constexpr Key kKey = {1, 2, 3};
constexpr std::string_view kContext = "hypermesh 2025-01-01 00:00:00 test of cuts";

// Lengths that lie around whole chunks as often as anywhere, past two batches of 256 KiB; large
// ones from the first case on.
rc::Gen<std::size_t> length() {
  constexpr std::size_t kChunks = 1'100;
  const auto around = rc::gen::map(
      rc::gen::pair(rc::gen::inRange<std::size_t>(1, kChunks), rc::gen::inRange<std::size_t>(0, 3)),
      [](const auto& p) { return p.first * kChunkSize + p.second - 1; });
  return rc::gen::resize(
      rc::kNominalSize,
      rc::gen::oneOf(around, rc::gen::inRange<std::size_t>(0, kChunks * kChunkSize),
                     rc::gen::inRange<std::size_t>(0, 3 * kChunkSize)));
}

Hasher hasher_of(int mode, Backend backend) {
  if (mode == 0) return Hasher(backend);
  return mode == 1 ? Hasher::keyed(kKey, backend) : Hasher::deriving(kContext, backend);
}

crypto::Digest whole(int mode, ByteView input, Backend backend) {
  Hasher hasher = hasher_of(mode, backend);
  hasher.update(input);
  return hasher.digest();
}

TEST(Blake3, EveryBackendGivesTheSameForAnyInput) {
  EXPECT_TRUE(rc::check([] {
    const Bytes input = bytes_of(*length(), *rc::gen::arbitrary<std::uint32_t>());
    const int mode = *rc::gen::inRange(0, 3);
    const crypto::Digest expected = whole(mode, input, Backend::Portable);
    for (const Backend backend : supported_backends()) {
      RC_ASSERT(whole(mode, input, backend) == expected);
    }
  }));
}

TEST(Blake3, EveryBackendGivesTheSameAroundEachNumberOfChunksUpToThreeVectors) {
  const Bytes all = bytes_of(49 * kChunkSize, 7);
  for (std::size_t chunks = 0; chunks < 49; ++chunks) {
    for (const std::size_t more : {0U, 1U, 1023U}) {
      const ByteView input = ByteView(all).first(chunks * kChunkSize + more);
      for (const Backend backend : supported_backends()) {
        EXPECT_EQ(hash(input, backend), hash(input, Backend::Portable)) << input.size();
      }
    }
  }
}

TEST(Blake3, AnyCutOfTheInputGivesTheSame) {
  EXPECT_TRUE(rc::check([] {
    const Bytes input = bytes_of(*length(), 3);
    const int mode = *rc::gen::inRange(0, 3);
    const Backend backend = *rc::gen::elementOf(
        std::vector<Backend>(supported_backends().begin(), supported_backends().end()));
    Hasher hasher = hasher_of(mode, backend);
    ByteView rest = input;
    while (!rest.empty()) {
      const std::size_t longest = *rc::gen::element<std::size_t>(3, 200, 5'000, 300'000);
      // Not below a fraction of what is left, so that there are not too many.
      const std::size_t take =
          std::min(rest.size(), input.size() / 64 + *rc::gen::inRange<std::size_t>(0, longest + 1));
      hasher.update(rest.first(take));
      rest = rest.subspan(take);
      if (take == 0) hasher.update(rest.first(1)), rest = rest.subspan(1);
    }
    RC_ASSERT(hasher.digest() == whole(mode, input, backend));
  }));
}

TEST(Blake3, BytesOneByOneGiveTheSame) {
  const Bytes input = bytes_of(5 * kChunkSize + 1, 4);
  Hasher hasher;
  for (std::size_t i = 0; i < input.size(); ++i) {
    EXPECT_EQ(hasher.digest(), hash(ByteView(input).first(i))) << i;
    hasher.update(ByteView(input).subspan(i, 1));
  }
  EXPECT_EQ(hasher.digest(), hash(input));
}

TEST(Blake3, ACopyGoesOnAlone) {
  const Bytes input = bytes_of(10'000, 5);
  Hasher one = Hasher::keyed(kKey);
  one.update(ByteView(input).first(4'000));
  Hasher other = one;
  one.update(ByteView(input).first(1));
  other.update(ByteView(input).subspan(4'000));
  EXPECT_EQ(other.digest(), keyed_hash(kKey, input));
}

TEST(Blake3, OutputBeginsWithTheDigestAndCanBeReadFromAnyPosition) {
  for (const std::size_t size : {0U, 64U, 1024U, 1025U, 70'000U}) {
    Hasher hasher;
    hasher.update(bytes_of(size, 6));
    Bytes all(5 * 64 + 9);
    hasher.extended_output(0, all);
    EXPECT_TRUE(std::ranges::equal(hasher.digest().bytes, ByteView(all).first(32)));
    for (std::size_t from = 0; from <= all.size(); ++from) {
      Bytes part(std::min<std::size_t>(all.size() - from, 1 + from % 131));
      hasher.extended_output(from, part);
      EXPECT_TRUE(std::ranges::equal(part, ByteView(all).subspan(from, part.size()))) << from;
    }
  }
}

TEST(Blake3, OutputGoesOnPast2To32Blocks) {
  constexpr std::uint64_t kPosition = std::uint64_t{64} << 32;
  const Hasher hasher;
  Bytes at_zero(64);
  Bytes far(64);
  Bytes across(64);
  hasher.extended_output(0, at_zero);
  hasher.extended_output(kPosition, far);
  hasher.extended_output(kPosition - 32, across);
  EXPECT_NE(far, at_zero);
  EXPECT_TRUE(std::ranges::equal(ByteView(across).subspan(32), ByteView(far).first(32)));
}

TEST(Blake3, ModesKeysAndContextsGiveUnrelatedResults) {
  const Bytes input = bytes_of(2'000, 8);
  const Key other_key = {1, 2, 4};
  const std::vector<Key> results = {
      hash(input).bytes,
      keyed_hash(kKey, input).bytes,
      keyed_hash(other_key, input).bytes,
      derive_key(kContext, input),
      derive_key("hypermesh 2025-01-01 00:00:00 another test", input),
      keyed_hash(hash(as_bytes(kContext)).bytes, input).bytes,
  };
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(results[i], results[j]) << i << " " << j;
  }
}

TEST(Blake3DeathTest, OutputPastItsEndIsABug) {
  const Hasher hasher;
  Bytes out(2);
  EXPECT_DEATH(hasher.extended_output(std::numeric_limits<std::uint64_t>::max() - 1, out),
               "position");
}

// The hash by the two rules of BLAKE3 §2.1, from nothing but the chunks.
ChainingValue by_the_rules(ByteView input, std::uint64_t chunk) {
  if (input.size() <= kChunkSize) return subtree_value(input, chunk);
  const std::uint64_t left = std::bit_floor((input.size() - 1) / kChunkSize);
  return parent_value(by_the_rules(input.first(left * kChunkSize), chunk),
                      by_the_rules(input.subspan(left * kChunkSize), chunk + left));
}

TEST(Tree, ChunksAndParentsLeadToTheHash) {
  EXPECT_TRUE(rc::check([] {
    const Bytes input = bytes_of(*length(), 9);
    RC_PRE(input.size() > kChunkSize);
    const std::size_t left = std::bit_floor((input.size() - 1) / kChunkSize);
    const ByteView first = ByteView(input).first(left * kChunkSize);
    const ByteView second = ByteView(input).subspan(left * kChunkSize);
    for (const Backend backend : supported_backends()) {
      const ChainingValue first_value = subtree_value(first, 0, backend);
      const ChainingValue second_value = subtree_value(second, left, backend);
      RC_ASSERT(root_of(first_value, second_value) == hash(input, backend));
      RC_ASSERT(first_value == by_the_rules(first, 0));
      RC_ASSERT(second_value == by_the_rules(second, left));
    }
  }));
}

TEST(Tree, PlacesPast2To32ChunksAreCounted) {
  const Bytes input = bytes_of(32 * kChunkSize, 10);
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  for (const Backend backend : supported_backends()) {
    EXPECT_EQ(subtree_value(input, kFar, backend), by_the_rules(input, kFar));
    EXPECT_NE(subtree_value(input, kFar, backend), subtree_value(input, 0, backend));
  }
}

// Whichever of the two a processor prefers, both are right on all that can run them.
TEST(Chunks, AreTheSameWhetherVectorsAreWholeOrInHalves) {
  if (crypto::fastest_backend() != Backend::Avx512) GTEST_SKIP() << "no AVX-512";
#if defined(__x86_64__)
  constexpr std::size_t kGroups = 3;
  constexpr std::size_t kCount = kGroups * kChunksSideBySide;
  constexpr std::uint64_t kFirst = (std::uint64_t{1} << 32) - kChunksSideBySide;
  const Bytes input = bytes_of(kCount * kChunkSize, 11);
  const crypto::Wiped<Mode> mode([] { return mode_of_key(kKey, kKeyedHash); });
  const std::uint32_t* const key = mode.value.key.data();
  std::vector<Value> expected(kCount);
  chunk_values(mode.value, input.data(), kCount, kFirst, expected.data(), Backend::Portable);
  std::vector<Value> halves(kCount);
  hash_chunks_in_halves({input.data(), key, kFirst, kKeyedHash}, kGroups, halves[0].data());
  EXPECT_EQ(halves, expected);
  std::vector<Value> whole(kCount);
  for (std::size_t i = 0; i < kCount; i += kChunksSideBySide) {
    hash_16_lanes_avx512({input.data() + i * kChunkSize, kChunkBlocks, key, kFirst + i, 1,
                          kKeyedHash, kChunkStart, kChunkEnd, false},
                         kChunksSideBySide, whole[i].data());
  }
  EXPECT_EQ(whole, expected);
#endif
}

TEST(TreeDeathTest, ASubtreeThatCannotBeginThereIsABug) {
  const Bytes input(3 * kChunkSize);
  EXPECT_DEATH(subtree_value(input, 2), "chunk");
  EXPECT_DEATH(subtree_value({}, 0), "empty");
}

}  // namespace
}  // namespace hm::blake3
