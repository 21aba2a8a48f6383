// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <set>

#include "platform/shard_store/store_fixture.h"

namespace hm::shard_store::test {
namespace {

constexpr std::size_t kPage = blake3::kPageSize;
constexpr std::size_t kSizes[] = {1,     31,        32,        4'096,          kPage - 1,
                                  kPage, kPage + 1, 3 * kPage, 5 * kPage + 77, 4u << 20};

TEST_F(StoreTest, WhatIsPutIsReadBackAlsoAfterReopening) {
  open();
  for (const std::size_t size : kSizes) put(size, size);
  for (const std::size_t size : kSizes) expect_whole(size, size);
  open();
  EXPECT_EQ(report_.damages, 0u);
  EXPECT_EQ(report_.torn_bytes, 0u);
  for (const std::size_t size : kSizes) expect_whole(size, size);
  const auto usage = store_->usage();
  EXPECT_EQ(usage.shards, std::size(kSizes));
  EXPECT_EQ(usage.damaged, 0u);
  EXPECT_EQ(usage.disk_bytes, fs::file_size(log(1)));
}

TEST_F(StoreTest, AnyPartOfAShardIsReadAndAPartBehindTheEndIsShort) {
  open();
  const std::size_t size = 3 * kPage + 100;
  const ShardRoot root = put(1, size);
  const Bytes bytes = shard_bytes(1, size);
  const std::size_t marks[] = {0, 1, kPage - 1, kPage, kPage + 1, 2 * kPage, size - 1, size};
  for (const std::size_t offset : marks) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, kPage, kPage + 1, size}) {
      const auto got = store_->read(root, offset, count);
      ASSERT_TRUE(got);
      const std::size_t length = std::min(count, size - offset);
      EXPECT_EQ(*got, to_bytes(ByteView(bytes).subspan(offset, length))) << offset << " " << count;
    }
  }
  EXPECT_EQ(store_->read(root, size + 1, 1).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(*store_->read(root, 0, ~std::uint64_t{0}), bytes);
}

TEST_F(StoreTest, EveryPageIsProvenToWhoeverHasTheRoot) {
  open();
  for (const std::size_t size : kSizes) {
    const ShardRoot root = put(size, size);
    for (std::uint64_t page = 0; page < blake3::page_count(size); ++page) {
      const auto proven = store_->prove(root, page);
      ASSERT_TRUE(proven);
      EXPECT_EQ(proven->shard_bytes, size);
      EXPECT_TRUE(blake3::verify_page(root, size, page, proven->page, proven->proof));
    }
    EXPECT_EQ(store_->prove(root, blake3::page_count(size)).error().code,
              ErrorCode::InvalidArgument);
  }
  EXPECT_EQ(store_->prove(root_of({}), 0).error().code, ErrorCode::NotFound);
}

TEST_F(StoreTest, WhatIsNoShardIsRefusedAndNothingIsKept) {
  open();
  const Bytes bytes = shard_bytes(1, 100);
  EXPECT_EQ(store_->put(root_of(shard_bytes(2, 100)), holder(1), bytes, kUnlimited).error().code,
            ErrorCode::Corrupt);
  EXPECT_EQ(store_->put(root_of({}), holder(1), {}, kUnlimited).error().code,
            ErrorCode::InvalidArgument);
  const Bytes long_one(ports::kMaxShardBytes + 1);
  EXPECT_EQ(store_->put(root_of(long_one), holder(1), long_one, kUnlimited).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(store_->usage().shards, 0u);
  EXPECT_EQ(fs::file_size(log(1)), kFirstRecord);
}

TEST_F(StoreTest, PuttingAgainWritesNothing) {
  open();
  put(1, 1000);
  const auto bytes = fs::file_size(log(1));
  put(1, 1000);
  EXPECT_EQ(fs::file_size(log(1)), bytes);
  EXPECT_EQ(store_->usage(holder(1)).shards, 1u);
}

TEST_F(StoreTest, AShardStaysUntilItsLastHolderHasDroppedIt) {
  open();
  const ShardRoot root = put(1, kPage, 1);
  const auto bytes = fs::file_size(log(1));
  put(1, kPage, 2);
  put(1, kPage, 3);
  EXPECT_EQ(fs::file_size(log(1)), bytes + 2 * kBlockBytes);  // its bytes stand once
  for (const bool again : {false, true}) {
    if (again) open();
    EXPECT_EQ(store_->usage().shards, 1u);
    EXPECT_EQ(store_->usage().holders, 3u);
    EXPECT_EQ(store_->usage(holder(3)).shard_bytes, kPage);
  }
  EXPECT_TRUE(store_->drop(std::array{root}, holder(1)));
  EXPECT_TRUE(store_->drop(std::array{root}, holder(3)));
  EXPECT_TRUE(store_->drop(std::array{root}, holder(3)));
  EXPECT_TRUE(store_->drop(std::array{root}, holder(9)));
  open();
  expect_whole(1, kPage);
  EXPECT_EQ(store_->usage(holder(1)), ports::HolderUsage{});
  EXPECT_TRUE(store_->drop(std::array{root}, holder(2)));
  expect_gone(root);
  EXPECT_EQ(store_->usage().holders, 0u);
  open();
  expect_gone(root);
  put(1, kPage, 1);
  open();
  expect_whole(1, kPage);
}

TEST_F(StoreTest, ManyAreDroppedInOneWriteAndOnlyWhatTheHolderHolds) {
  open();
  std::vector<ShardRoot> roots;
  for (std::uint64_t i = 0; i < 20; ++i) roots.push_back(put(i, 100, 1));
  const ShardRoot others = put(20, 100, 2);
  EXPECT_EQ(store_->holders(), (std::vector{holder(1), holder(2)}));
  const auto bytes = fs::file_size(log(1));
  roots.push_back(others);
  roots.push_back(roots.front());  // named twice, dropped once
  EXPECT_TRUE(store_->drop(roots, holder(1)));
  EXPECT_EQ(fs::file_size(log(1)), bytes + kBlockBytes);
  for (const bool again : {false, true}) {
    if (again) open();
    EXPECT_EQ(store_->holders(), std::vector{holder(2)});
    expect_whole(20, 100);
  }
}

TEST_F(StoreTest, AHolderIsDroppedWithAllThatItHolds) {
  open();
  std::vector<ShardRoot> roots;
  for (std::uint64_t i = 0; i < 50; ++i) roots.push_back(put(i, 100, 1));
  for (std::uint64_t i = 0; i < 10; ++i) put(i, 100, 2);
  EXPECT_EQ(*store_->drop_holder(holder(1)), 50u);
  EXPECT_EQ(*store_->drop_holder(holder(1)), 0u);
  open();
  for (std::uint64_t i = 0; i < 10; ++i) expect_whole(i, 100);
  for (std::uint64_t i = 10; i < 50; ++i) expect_gone(roots[i]);
  EXPECT_EQ(store_->usage().shards, 10u);
  EXPECT_EQ(store_->usage(holder(2)).shards, 10u);
}

TEST_F(StoreTest, WhatAHolderHoldsIsListedInParts) {
  open();
  std::set<ShardRoot> expected;
  const std::size_t count = ports::kMaxListedShards + 10;
  for (std::uint64_t i = 0; i < count; ++i) expected.insert(put(i, 1, 1));
  // Only 256 shards of one byte differ.
  for (std::uint64_t i = 0; i < count; ++i) expected.insert(put(i, 9, 1));
  put(77'777, 50, 2);
  std::vector<ShardRoot> listed;
  std::optional<ShardRoot> cursor;
  std::size_t parts = 0;
  do {
    const auto part = store_->list(holder(1), cursor);
    EXPECT_LE(part.shards.size(), ports::kMaxListedShards);
    for (const auto& each : part.shards) listed.push_back(each.root);
    cursor = part.next;
    ++parts;
  } while (cursor);
  EXPECT_EQ(parts, 2u);
  EXPECT_EQ(listed, std::vector<ShardRoot>(expected.begin(), expected.end()));
  EXPECT_TRUE(store_->list(holder(8), {}).shards.empty());
}

TEST_F(StoreTest, WhatIsAskedForIsAnsweredInOrder) {
  open();
  const ShardRoot here = put(1, 10);
  const ShardRoot roots[] = {root_of({}), here, root_of(shard_bytes(2, 10)), here};
  const auto answers = store_->has(roots);
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_FALSE(answers[0]);
  EXPECT_EQ(answers[1], (ports::ShardState{10, false}));
  EXPECT_FALSE(answers[2]);
  EXPECT_EQ(answers[3], (ports::ShardState{10, false}));
}

TEST_F(StoreTest, NoHolderGetsMoreThanItsQuota) {
  open();
  const Bytes large = shard_bytes(1, 10'000);
  const Bytes small = shard_bytes(2, 1);
  const std::uint64_t quota = 10'000 + ports::kMinCountedBytes;
  EXPECT_EQ(store_->put(root_of(large), holder(1), large, 9'999).error().code,
            ErrorCode::NoCapacity);
  EXPECT_TRUE(store_->put(root_of(large), holder(1), large, 10'000));
  EXPECT_TRUE(store_->put(root_of(large), holder(1), large, 0));  // it holds it already
  EXPECT_EQ(store_->put(root_of(small), holder(1), small, quota - 1).error().code,
            ErrorCode::NoCapacity);
  EXPECT_TRUE(store_->put(root_of(small), holder(1), small, quota));
  EXPECT_EQ(store_->usage(holder(1)).counted_bytes, quota);
  EXPECT_EQ(store_->usage(holder(1)).shard_bytes, 10'001u);
  // Each holder counts the whole shard.
  EXPECT_EQ(store_->put(root_of(large), holder(2), large, 9'999).error().code,
            ErrorCode::NoCapacity);
  EXPECT_TRUE(store_->drop(std::array{root_of(large)}, holder(1)));
  EXPECT_EQ(store_->usage(holder(1)).counted_bytes, ports::kMinCountedBytes);
  EXPECT_TRUE(store_->put(root_of(large), holder(1), large, quota));
}

TEST_F(StoreTest, CompactionFreesWhatNobodyNeeds) {
  open(1 << 20);
  for (std::uint64_t i = 0; i < 64; ++i) put(i, kPage + 1, i % 4 == 0 ? 1 : 2);
  const auto before = store_->usage();
  EXPECT_GT(fs::file_size(log(4)), 0u);
  EXPECT_TRUE(store_->drop_holder(holder(2)));
  const auto done = compact();
  EXPECT_GT(done.freed_bytes, done.copied_bytes);
  EXPECT_LT(store_->usage().disk_bytes, before.disk_bytes / 2);
  EXPECT_EQ(store_->usage().shards, 16u);
  for (const bool again : {false, true}) {
    if (again) open(1 << 20);
    for (std::uint64_t i = 0; i < 64; i += 4) expect_whole(i, kPage + 1);
    for (std::uint64_t i = 1; i < 64; i += 4) expect_gone(root_of(shard_bytes(i, kPage + 1)));
  }
  EXPECT_EQ(compact().copied_bytes, 0u);
}

TEST_F(StoreTest, AnEmptyStoreTakesNoRoom) {
  open(1 << 20);
  for (std::uint64_t i = 0; i < 64; ++i) put(i, kPage, 1);
  for (std::uint64_t i = 0; i < 64; ++i) put(i, kPage, 2);
  EXPECT_TRUE(store_->drop_holder(holder(1)));
  EXPECT_TRUE(store_->drop_holder(holder(2)));
  compact();
  // What is left of it is less than compaction would begin for.
  EXPECT_LT(store_->usage().disk_bytes, kFirstRecord + (1 << 20) / kOpenLogShare);
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder())) {
    if (entry.path().extension() == ".index") ADD_FAILURE() << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3u);  // lock, key, log
}

// A drop must not be forgotten while a log before it says that the shard is held.
TEST_F(StoreTest, WhatWasDroppedDoesNotComeBackByCompaction) {
  constexpr std::uint64_t kLog = 256 << 10;
  open(kLog);
  const ShardRoot dropped = put(1, 5'000);
  for (std::uint64_t i = 10; i < 14; ++i) put(i, kPage);      // most of log 1 stays needed
  ASSERT_TRUE(store_->drop(std::array{dropped}, holder(1)));  // stands in another log
  for (std::uint64_t i = 20; i < 24; ++i) put(i, kPage, 2);
  ASSERT_TRUE(store_->drop_holder(holder(2)));
  ASSERT_GT(compact().freed_bytes, 0u);
  ASSERT_TRUE(fs::exists(log(1)));
  EXPECT_FALSE(fs::exists(log(2)));
  open(kLog);
  expect_gone(dropped);
  for (std::uint64_t i = 10; i < 14; ++i) expect_whole(i, kPage);
}

// Otherwise they would be copied from log to log for ever.
TEST_F(StoreTest, ALogOfDropsThatAreNeededStaysWhereItIs) {
  constexpr std::uint64_t kLog = 64 << 10;
  open(kLog);
  put(1, 60'000);
  for (std::uint64_t i = 10; i < 1'010; ++i) {
    const ShardRoot root = put(i, 20, 2);
    ASSERT_TRUE(store_->drop(std::array{root}, holder(2)));
  }
  EXPECT_GT(compact().freed_bytes, 0u);
  ASSERT_TRUE(fs::exists(log(1)));
  EXPECT_GT(store_->usage().disk_bytes, 1'000u * 96);
  const auto again = compact();
  EXPECT_EQ(again.copied_bytes + again.freed_bytes, 0u);
  ASSERT_TRUE(store_->drop_holder(holder(1)));
  compact();
  EXPECT_LT(store_->usage().disk_bytes, kFirstRecord + kLog / kOpenLogShare);
}

// The record of a holder is copied behind the drop of another one.
TEST_F(StoreTest, AShardStaysWhoseHoldersComeAfterADropOfAnother) {
  constexpr std::uint64_t kLog = 128 << 10;
  open(kLog);
  const ShardRoot root = put(1, 2 * kPage, 2);  // fills a log
  put(1, 2 * kPage, 1);
  put(2, 2 * kPage, 2);
  ASSERT_TRUE(store_->drop_holder(holder(2)));
  ASSERT_GT(compact().freed_bytes, 0u);
  ASSERT_TRUE(fs::exists(log(1)));
  open(kLog);
  expect_whole(1, 2 * kPage);
  EXPECT_EQ(store_->usage().shards, 1u);
  ASSERT_TRUE(store_->drop(std::array{root}, holder(1)));
  open(kLog);
  expect_gone(root);
}

TEST_F(StoreTest, ASecondProcessIsRefused) {
  open();
  const pid_t other = ::fork();
  if (other == 0) {
    const auto opened = open_shard_store({folder().string(), 0});
    ::_exit(!opened && opened.error().code == ErrorCode::FailedPrecondition ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
}

TEST_F(StoreTest, ForeignFilesStayAndUnfinishedOnesGo) {
  open();
  put(1, 100);
  store_.reset();
  for (const char* name : {"notes.txt", "0000000G.log", "00000001.LOG", "00000000.log", "1.log"}) {
    write_bytes(folder() / name, as_bytes("hello"));
  }
  for (const char* name : {"key.0123456789abcdef.tmp", "00000001.index.0123.tmp"}) {
    write_bytes(folder() / name, as_bytes("half"));
  }
  write_bytes(folder() / "00000007.index", as_bytes("of no log"));
  open();
  expect_whole(1, 100);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder())) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"lock", "key", "00000001.log", "notes.txt", "0000000G.log",
                                   "00000001.LOG", "00000000.log", "1.log"}));
}

TEST_F(StoreTest, ALogThatIsNoFileIsRefused) {
  open();
  store_.reset();
  fs::create_directory(log(2));
  const auto opened = open_shard_store({folder().string(), 0});
  ASSERT_FALSE(opened);
  fs::remove(log(2));
  fs::create_symlink(log(1), log(2));
  EXPECT_FALSE(open_shard_store({folder().string(), 0}));
}

}  // namespace
}  // namespace hm::shard_store::test
