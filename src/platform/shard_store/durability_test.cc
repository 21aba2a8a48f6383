// SPDX-License-Identifier: Apache-2.0
// What is flushed, and when, and a disk that fails: fdatasync() and pread() are this program's own,
// which count, wait or fail as a test says, and then ask the kernel.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <thread>

#include "platform/shard_store/log_writer.h"
#include "platform/shard_store/store_fixture.h"

namespace {

struct Flushes {
  std::mutex mutex;
  std::map<ino_t, off_t> sizes;  // of each file when it was flushed last
  std::atomic<std::uint64_t> count = 0;
  std::atomic<bool> is_held = false;
  std::atomic<bool> fails = false;
};
Flushes flushes;
std::atomic<off_t> bad_sector = -1;  // of any file that is read by offset

}  // namespace

extern "C" ssize_t pread(int descriptor, void* out, std::size_t size, off_t offset) {
  const off_t bad = bad_sector;
  if (bad >= offset && bad < offset + static_cast<off_t>(size)) {
    errno = EIO;
    return -1;
  }
  return ::syscall(SYS_pread64, descriptor, out, size, offset);
}

extern "C" int fdatasync(int descriptor) {
  ++flushes.count;
  while (flushes.is_held) ::usleep(100);
  if (flushes.fails) {
    errno = EIO;
    return -1;
  }
  struct stat about{};
  ::fstat(descriptor, &about);
  const int result = static_cast<int>(::syscall(SYS_fdatasync, descriptor));
  const std::lock_guard lock(flushes.mutex);
  flushes.sizes[about.st_ino] = about.st_size;
  return result;
}

namespace hm::shard_store::test {
namespace {

class DurabilityTest : public StoreTest {
 protected:
  void SetUp() override { flushes.count = 0; }
  void TearDown() override {
    flushes.is_held = false;
    flushes.fails = false;
    bad_sector = -1;
  }

  // Of the log's bytes, those that a loss of power could take.
  off_t unflushed(const fs::path& path) {
    struct stat about{};
    EXPECT_EQ(::stat(path.c_str(), &about), 0);
    const std::lock_guard lock(flushes.mutex);
    return about.st_size - flushes.sizes[about.st_ino];
  }
};

TEST_F(DurabilityTest, WhatIsAnsweredIsFlushed) {
  open(64 << 10);
  for (std::uint64_t i = 0; i < 30; ++i) {
    const ShardRoot root = put(i, 9'000);
    put(i, 9'000, 2);
    if (i % 2 == 0) {
      ASSERT_TRUE(store_->drop(std::array{root}, holder(1)));
    }
    for (unsigned number = 1; fs::exists(log(number)); ++number) {
      EXPECT_EQ(unflushed(log(number)), 0) << i << " " << number;
    }
  }
  ASSERT_TRUE(store_->drop_holder(holder(1)));
  compact();
  for (unsigned number = 1; number < 20; ++number) {
    if (fs::exists(log(number))) {
      EXPECT_EQ(unflushed(log(number)), 0);
    }
  }
}

TEST_F(DurabilityTest, WhatAnEarlierProcessWroteIsFlushedBeforeItIsReliedOn) {
  open();
  put(1, 1'000);
  {
    const std::lock_guard lock(flushes.mutex);
    flushes.sizes.clear();
  }
  open();
  EXPECT_EQ(unflushed(log(1)), 0);
}

TEST_F(DurabilityTest, WhoComesDuringAFlushSharesTheNextOne) {
  fs::create_directories(folder());
  const Folder place(folder().string());
  const Key key{};
  const RecordCodec codec(key);
  std::mutex mutex;
  ShardIndex index;
  index.end_reading();
  LogWriter writer(place, key, codec, kMaxLogBytes, index);
  ASSERT_TRUE(writer.begin(1));

  constexpr std::uint8_t kFollowers = 7;
  std::uint64_t entered = 0;
  const auto commit_one = [&](std::uint8_t number) {
    std::unique_lock lock(mutex);
    Commit commit;
    commit.records.push_back(
        {.record = {RecordKind::HolderAdded, 10, root_of(shard_bytes(number, 10)), holder(1)}});
    ++entered;
    EXPECT_TRUE(writer.commit(lock, commit));
  };
  const auto wait_until_entered = [&](std::uint64_t count) {
    // Who holds the lock when all have entered knows that they wait, for a flush or its end.
    for (;;) {
      const std::lock_guard lock(mutex);
      if (entered == count) return;
    }
  };
  flushes.count = 0;
  flushes.is_held = true;
  std::vector<std::thread> threads;
  threads.emplace_back(commit_one, std::uint8_t{0});
  while (flushes.count == 0) std::this_thread::yield();
  for (std::uint8_t i = 1; i <= kFollowers; ++i) threads.emplace_back(commit_one, i);
  wait_until_entered(kFollowers + 1);
  flushes.is_held = false;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(flushes.count, 2u);
  EXPECT_EQ(index.usage(holder(1)).shards, kFollowers + 1u);
}

TEST_F(DurabilityTest, AfterAFailedFlushNothingIsTakenUntilTheLogIsReadAnew) {
  open();
  const ShardRoot kept = put(1, 1'000);
  flushes.fails = true;
  const Bytes bytes = shard_bytes(2, 1'000);
  EXPECT_EQ(store_->put(root_of(bytes), holder(1), bytes, kUnlimited).error().code, ErrorCode::Io);
  flushes.fails = false;
  // Otherwise a record that was reported to have failed could come to life behind later ones.
  EXPECT_EQ(store_->put(root_of(bytes), holder(1), bytes, kUnlimited).error().code, ErrorCode::Io);
  EXPECT_EQ(store_->drop(std::array{kept}, holder(1)).error().code, ErrorCode::Io);
  expect_whole(1, 1'000);
  expect_gone(root_of(bytes));
  EXPECT_EQ(store_->usage().shards, 1u);
  open();
  expect_whole(1, 1'000);
  put(2, 1'000);
  expect_whole(2, 1'000);
}

TEST_F(DurabilityTest, WhatTheDiskDoesNotGiveIsDamageToThatPageAlone) {
  constexpr std::size_t kPage = blake3::kPageSize;
  open();
  const ShardRoot root = put(1, 4 * kPage);
  const off_t body = kFirstRecord + 96 + 4 * 32;
  bad_sector = body + 2 * static_cast<off_t>(kPage) + 20'000;
  EXPECT_EQ(store_->prove(root, 2).error().code, ErrorCode::Corrupt);
  EXPECT_TRUE(store_->prove(root, 1));
  EXPECT_EQ(store_->usage().damaged, 1u);
  // Compaction takes along what can be read.
  for (std::uint64_t i = 10; i < 410; ++i) put(i, kPage, 2);
  ASSERT_TRUE(store_->drop_holder(holder(2)));
  ASSERT_GT(compact().freed_bytes, 0u);
  EXPECT_FALSE(fs::exists(log(1)));
  bad_sector = -1;
  EXPECT_TRUE(store_->prove(root, 1));
  EXPECT_EQ(store_->prove(root, 2).error().code, ErrorCode::Corrupt);
  EXPECT_TRUE(store_->prove(root, 3));
}

TEST_F(DurabilityTest, ALogThatCannotBeReadForNowIsNotCut) {
  open();
  put(1, 1'000);
  const auto begin = static_cast<off_t>(fs::file_size(log(1)));
  put(2, 9'000);
  put(3, 1'000);
  const auto bytes = fs::file_size(log(1));
  bad_sector = begin + 10;
  open();
  EXPECT_EQ(report_.damages, 1u);
  EXPECT_EQ(fs::file_size(log(1)), bytes);
  expect_whole(1, 1'000);
  expect_whole(3, 1'000);
  expect_gone(root_of(shard_bytes(2, 9'000)));
  put(4, 10);
  EXPECT_TRUE(fs::exists(log(2)));
  bad_sector = -1;
  open();
  EXPECT_EQ(report_.damages, 0u);
  expect_whole(2, 9'000);
  expect_whole(4, 10);
}

// A batch of which a loss of power took the middle: what it was copied from is still there.
TEST(ShardIndex, ADamagedCopyDoesNotReplaceAWholeShard) {
  const Record record{RecordKind::Shard, 100, root_of(shard_bytes(1, 100)), holder(1)};
  ShardIndex index;
  index.set_log(1, 1'000);
  index.set_log(2, 1'000);
  EXPECT_TRUE(index.apply(record, {1, 2}, false));
  EXPECT_TRUE(index.apply(record, {2, 2}, true));
  EXPECT_EQ(index.find(record.root), (ShardIndex::Shard{{1, 2}, {100, false}}));
  EXPECT_EQ(index.logs().at(1).needed, 128u);
  EXPECT_EQ(index.logs().at(2).needed, 96u);
  index.mark_damaged(record.root, {1, 2});
  EXPECT_TRUE(index.apply(record, {2, 2}, true));
  EXPECT_EQ(index.find(record.root), (ShardIndex::Shard{{2, 2}, {100, true}}));
  EXPECT_TRUE(index.apply(record, {1, 2}, false));
  EXPECT_EQ(index.find(record.root), (ShardIndex::Shard{{1, 2}, {100, false}}));
}

}  // namespace
}  // namespace hm::shard_store::test
