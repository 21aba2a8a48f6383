// SPDX-License-Identifier: Apache-2.0
#include "node/storing/catalogue_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/memory_world.h"

namespace hm::storing {
namespace {

using ::testing::ElementsAre;

// A disk that can fail to flush, and counts how often it does.
class Disk final : public ports::Store {
 public:
  Result<std::optional<Bytes>> get(ports::Space space, ByteView key) const override {
    return rows_.get(space, key);
  }
  Result<void> write(const ports::WriteBatch& batch) override { return rows_.write(batch); }
  Result<void> sync() override {
    ++flushes;
    if (is_broken) return fail(ErrorCode::Io, "the disk is gone", "");
    return {};
  }
  Result<void> scan(ports::Space space, ByteView first, ByteView last,
                    const std::function<bool(ByteView, ByteView)>& visit) const override {
    return rows_.scan(space, first, last, visit);
  }
  std::size_t flushes = 0;
  bool is_broken = false;

 private:
  node::memory::MemoryStore rows_;
};

class CatalogueQueueTest : public ::testing::Test {
 protected:
  CatalogueQueueTest()
      : catalogue(Catalogue::open(disk, [](std::span<std::uint8_t>) {}).value()),
        queue(catalogue, world, [this] { ++passed; }) {}

  CatalogueQueue::Job job(int number) {
    return [this, number](Catalogue&) {
      order.push_back(number);
      return Result<void>();
    };
  }

  node::memory::World world;
  Disk disk;
  std::shared_ptr<Catalogue> catalogue;
  std::vector<int> order;
  int passed = 0;
  CatalogueQueue queue;
};

TEST_F(CatalogueQueueTest, WhatWaitsTogetherSharesAFlushAndKeepsItsOrder) {
  const std::size_t before = disk.flushes;
  std::vector<int> done;
  for (int i = 0; i < 5; ++i) {
    queue.submit(job(i), [&done, i](const Result<void>& result) {
      EXPECT_TRUE(result);
      done.push_back(i);
    });
  }
  world.settle();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(done, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(disk.flushes - before, 2U) << "the first alone, the others together";
}

TEST_F(CatalogueQueueTest, NothingIsDoneThatIsNotOnDisk) {
  disk.is_broken = true;
  std::vector<ErrorCode> codes;
  for (int i = 0; i < 3; ++i) {
    queue.submit(job(i), [&](const Result<void>& result) { codes.push_back(result.error().code); });
  }
  world.settle();
  EXPECT_THAT(codes, ElementsAre(ErrorCode::Io, ErrorCode::Io, ErrorCode::Io));
}

TEST_F(CatalogueQueueTest, StripesMayBeGivenUpOnlyWhileNobodyWrites) {
  queue.submit(job(0));
  EXPECT_TRUE(queue.is_giving_up()) << "whoever begins to write waits";
  world.settle();
  EXPECT_FALSE(queue.is_giving_up());
  EXPECT_EQ(passed, 1) << "who waited is told";
  queue.begin_writer();
  queue.submit(job(1));
  EXPECT_FALSE(queue.is_giving_up());
  world.settle();
  queue.end_writer();
  EXPECT_EQ(passed, 1);
}

}  // namespace
}  // namespace hm::storing
