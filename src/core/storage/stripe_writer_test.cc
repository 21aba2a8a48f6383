// SPDX-License-Identifier: Apache-2.0
#include "core/storage/stripe_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/storage/limits.h"
#include "core/storage/test_objects.h"
#include "foundation/blake3/blake3.h"

namespace hm::storage {
namespace {

using namespace testing;

struct Placed {
  std::uint64_t stripe;
  std::uint32_t offset;
};

class Keeper final : public SegmentKeeper {
 public:
  explicit Keeper(const std::vector<Bytes>& all) : segments(all) {}
  void write(std::uint64_t tag, std::span<const std::span<std::uint8_t>> space) override {
    ByteView left = segments[tag];
    for (const std::span<std::uint8_t> each : space) {
      ASSERT_LE(each.size(), left.size());
      std::ranges::copy(left.first(each.size()), each.begin());
      left = left.subspan(each.size());
    }
    ASSERT_TRUE(left.empty());
  }
  void placed(std::uint64_t tag, const FinishedStripe& stripe, std::uint32_t offset) override {
    places[tag] = {stripe.number, offset};
  }
  const std::vector<Bytes>& segments;
  std::map<std::uint64_t, Placed> places;
};

struct Kept {
  Stripe stripe;
  Bytes data;  // all data shards
};

struct Written {
  Keeper keeper;
  std::vector<Kept> stripes;
};

Written write(const std::vector<Bytes>& segments, const Layout& in, std::uint64_t seed) {
  Written run{Keeper(segments), {}};
  StripeWriter writer(in, chance(seed), [&](const FinishedStripe& each) {
    Bytes data;
    for (std::size_t i = 0; i < each.stripe.code.data; ++i) append(data, *each.shards[i]);
    run.stripes.push_back({each.stripe, data});
  });
  for (std::size_t i = 0; i < segments.size(); ++i) {
    writer.add(segments[i].size(), run.keeper, i);
  }
  writer.flush();
  return run;
}

std::vector<Bytes> some_segments(std::size_t count, std::size_t most) {
  std::vector<Bytes> segments;
  const Bytes draws = random_bytes(3 * count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t draw = draws[3 * i] + 256U * draws[3 * i + 1] + 65536U * draws[3 * i + 2];
    segments.push_back(random_bytes(1 + draw % most, i));
  }
  return segments;
}

TEST(StripeWriter, LaysEachSegmentWhereItSays) {
  const auto segments = some_segments(300, 100'000);
  const Written run = write(segments, layout(4, 2), 1);
  ASSERT_GT(run.stripes.size(), 2U);
  ASSERT_EQ(run.keeper.places.size(), segments.size());
  for (const auto& [tag, place] : run.keeper.places) {
    const Bytes& data = run.stripes[place.stripe].data;
    ASSERT_TRUE(std::ranges::equal(ByteView(data).subspan(place.offset, segments[tag].size()),
                                   segments[tag]));
  }
  for (const Kept& each : run.stripes) {
    EXPECT_TRUE(each.stripe.is_valid());
    EXPECT_EQ(each.data.size(), each.stripe.capacity());
    EXPECT_EQ(blake3::hash(ByteView(each.data).first(each.stripe.shard_bytes)),
              each.stripe.roots[0]);
  }
}

TEST(StripeWriter, LaysSegmentsInAnOrderThatOnlyChanceKnows) {
  const std::vector<Bytes> segments = some_segments(40, 1000);
  std::set<std::vector<std::uint64_t>> orders;
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Written run = write(segments, layout(4, 2), seed);
    std::map<std::uint32_t, std::uint64_t> by_offset;
    for (const auto& [tag, place] : run.keeper.places) by_offset[place.offset] = tag;
    std::vector<std::uint64_t> order;
    for (const auto& [offset, tag] : by_offset) order.push_back(tag);
    orders.insert(order);
    firsts.insert(order[0]);
  }
  EXPECT_EQ(orders.size(), 200U);
  EXPECT_GT(firsts.size(), 30U);  // of 40
  const auto again = write(segments, layout(4, 2), 7);
  EXPECT_EQ(again.stripes[0].data, write(segments, layout(4, 2), 7).stripes[0].data);
}

TEST(StripeWriter, PadsWithBytesThatDiffer) {
  const Written run = write({Bytes(1, 0)}, layout(4, 2), 1);
  ASSERT_EQ(run.stripes.size(), 1U);
  const Bytes& data = run.stripes[0].data;
  ASSERT_EQ(data.size(), 4 * kMinShardBytes);
  std::array<std::size_t, 256> seen{};
  for (const std::uint8_t byte : data) ++seen[byte];
  // 64 of each would be even.
  EXPECT_THAT(seen, ::testing::Each(::testing::AllOf(::testing::Gt(20U), ::testing::Lt(130U))));
}

TEST(StripeWriter, LeavesShardsThatAreKeptAsTheyAre) {
  std::vector<SharedShard> kept;
  std::vector<Bytes> seen;
  const auto segments = some_segments(300, 100'000);
  Keeper keeper(segments);
  StripeWriter writer(layout(4, 2), chance(1), [&](const FinishedStripe& each) {
    for (std::size_t i = 0; i < each.shards.size(); i += 2) {
      kept.push_back(each.shards[i]);
      seen.push_back(*each.shards[i]);
    }
  });
  for (std::size_t i = 0; i < segments.size(); ++i) writer.add(segments[i].size(), keeper, i);
  writer.flush();
  ASSERT_GT(kept.size(), 6U);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(*kept[i], seen[i]);
}

TEST(StripeWriter, MakesNoStripeOfNothing) {
  EXPECT_TRUE(write({}, layout(4, 2), 1).stripes.empty());
}

TEST(StripeWriter, FillsAStripeToTheLastByte) {
  const Layout in = layout(4, 2);
  const Written run = write({Bytes(in.capacity(), 1), Bytes(1, 2)}, in, 1);
  ASSERT_EQ(run.stripes.size(), 2U);
  EXPECT_EQ(run.stripes[0].stripe.shard_bytes, in.shard_bytes);
  EXPECT_EQ(run.stripes[1].stripe.shard_bytes, kMinShardBytes);
}

TEST(ShardLengths, HoldWhatTheyMustAndShowFiveBits) {
  const Layout in = layout(10, 4);
  std::set<std::uint32_t> lengths;
  std::size_t used = 1;
  for (; used <= in.capacity(); used += 997) {
    const std::uint32_t length = shard_bytes_for(used, in);
    ASSERT_GE(std::size_t{length} * 10, used);
    ASSERT_LE(length, in.shard_bytes);
    ASSERT_TRUE(length == kMinShardBytes || std::size_t{length} * 10 <= used + used / 8 + 10);
    lengths.insert(length);
  }
  EXPECT_LT(lengths.size(), 200U);
  EXPECT_EQ(shard_bytes_for(in.capacity(), in), in.shard_bytes);
}

TEST(Layouts, AreBounded) {
  EXPECT_TRUE((Layout{{1, 0}, 2 << 20}.is_valid()));
  EXPECT_FALSE((Layout{{1, 0}, 1 << 20}.is_valid()));
  EXPECT_FALSE((Layout{{4, 0}, (4 << 20) + 1}.is_valid()));
  EXPECT_TRUE((Layout{{10, 6}, 4 << 20}.is_valid()));
  EXPECT_FALSE((Layout{{10, 7}, 4 << 20}.is_valid()));
  EXPECT_FALSE((Layout{{61, 4}, 1 << 20}.is_valid()));
  EXPECT_FALSE((Layout{{0, 4}, 1 << 20}.is_valid()));
}

}  // namespace
}  // namespace hm::storage
