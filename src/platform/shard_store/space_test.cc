// SPDX-License-Identifier: Apache-2.0
// A file system that is full, or nearly: a small tmpfs, and an ext4 in a file, in a mount namespace
// that a thread of the test has for itself, so that nothing is left behind.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>

#include "platform/shard_store/store_fixture.h"

namespace hm::shard_store::test {
namespace {

constexpr std::size_t kPage = blake3::kPageSize;
constexpr std::uint64_t kDisk = 8 << 20;
constexpr std::uint64_t kLog = 1 << 20;

enum class DiskKind : std::uint8_t { Tmpfs, Ext4 };

class SpaceTest : public StoreTest, public ::testing::WithParamInterface<DiskKind> {
 protected:
  // Runs `test` where the folder lies on a file system of kDisk bytes.
  void on_small_disk(const std::function<void()>& test) {
    std::string missing;
    std::thread([&] {
      if (::unshare(CLONE_NEWNS) != 0 ||
          ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        missing = std::strerror(errno);
        return;
      }
      missing = GetParam() == DiskKind::Tmpfs ? mount_tmpfs() : mount_ext4();
      if (!missing.empty()) return;
      test();
      store_.reset();
    }).join();
    if (!missing.empty()) GTEST_SKIP() << "no small file system can be mounted here: " << missing;
  }

  std::string mount_tmpfs() const {
    const std::string options = "size=" + std::to_string(kDisk);
    const bool is_done =
        ::mount("shards", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    return is_done ? "" : std::strerror(errno);
  }
  // One that blocks go to past the page cache. The image lies below its own mount, and goes with
  // the folder.
  std::string mount_ext4() const {
    const std::string image = (folder_.path() / "image").string();
    write_bytes(image, {});
    fs::resize_file(image, kDisk);
    const std::string make = "mkfs.ext4 -q -F -m 0 -b 4096 -O ^has_journal " + image;
    if (std::system((make + " >/dev/null 2>&1").c_str()) != 0) return "mkfs.ext4 failed";
    const std::string attach = "mount -o loop " + image + " " + folder_.path().string();
    if (std::system((attach + " >/dev/null 2>&1").c_str()) != 0) return "mount -o loop failed";
    return "";
  }

  void open_with_floor(std::uint64_t floor) {
    store_.reset();
    auto opened = open_shard_store({folder().string(), floor, kLog});
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened->store);
    report_ = std::move(opened->report);
  }

  // Puts shards until one is refused; gives how many were taken.
  std::uint64_t fill(std::uint64_t from, std::uint8_t for_holder = 1) {
    for (std::uint64_t i = from;; ++i) {
      const Bytes bytes = shard_bytes(i, kPage);
      const auto done = store_->put(root_of(bytes), holder(for_holder), bytes, kUnlimited);
      if (done) continue;
      EXPECT_EQ(done.error().code, ErrorCode::NoCapacity) << done.error().message;
      EXPECT_FALSE(done.error().detail.empty());
      return i - from;
    }
  }
};

TEST_P(SpaceTest, TheFloorStaysFree) {
  on_small_disk([this] {
    constexpr std::uint64_t kFloor = 4 << 20;
    open_with_floor(kFloor);
    const std::uint64_t taken = fill(0);
    EXPECT_GT(taken, 40u);
    EXPECT_GE(fs::space(folder()).available, kFloor);
    EXPECT_LT(fs::space(folder()).available, kFloor + 2 * kPage);
    for (std::uint64_t i = 0; i < taken; ++i) expect_whole(i, kPage);
    // A new holder of what is there needs little, and still is above it.
    const Bytes first = shard_bytes(0, kPage);
    EXPECT_EQ(store_->put(root_of(first), holder(2), first, 0).error().code,
              ErrorCode::NoCapacity);  // its quota
    // Dropping goes on, and makes room.
    for (std::uint64_t i = 0; i < taken; i += 2) {
      EXPECT_TRUE(store_->drop(std::array{root_of(shard_bytes(i, kPage))}, holder(1)));
    }
    EXPECT_TRUE(store_->drop(std::array{root_of(shard_bytes(1, kPage))}, holder(1)));
    for (std::uint64_t i = 3; i < 33; i += 2) {
      EXPECT_TRUE(store_->drop(std::array{root_of(shard_bytes(i, kPage))}, holder(1)));
    }
    bool is_done = false;
    while (!is_done) {
      const auto step = store_->compact(1 << 20);
      ASSERT_TRUE(step) << step.error().message;
      EXPECT_GE(fs::space(folder()).available + 64 * 1024, kFloor);
      is_done = step->is_done;
    }
    EXPECT_GT(fill(1'000), 20u);
    for (std::uint64_t i = 33; i < taken; i += 2) expect_whole(i, kPage);
  });
}

TEST_P(SpaceTest, CompactionDoesNotPassTheFloorEither) {
  on_small_disk([this] {
    open_with_floor(0);
    for (std::uint64_t i = 0; fs::space(folder()).available > (2 << 20); ++i) {
      put(i, kPage, i % 5 < 2 ? 1 : 2);
    }
    ASSERT_TRUE(store_->drop_holder(holder(2)));  // two of five are left in every log
    const std::uint64_t free = fs::space(folder()).available;
    open_with_floor(free);
    const auto refused = store_->compact(1 << 20);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::NoCapacity);
    EXPECT_LE(free - fs::space(folder()).available, 64u * 1024);  // an index file
    // What nobody needs any more goes without room.
    ASSERT_TRUE(store_->drop_holder(holder(1)));
    compact();
    EXPECT_GT(fs::space(folder()).available, free + (4 << 20));
  });
}

TEST_P(SpaceTest, ADiskThatOthersHaveFilledCostsNothingThatWasStored) {
  on_small_disk([this] {
    open_with_floor(0);
    const std::uint64_t taken = fill(0);
    EXPECT_GT(taken, 100u);
    EXPECT_LT(fs::space(folder()).available, 2 * kPage);
    // The failed write left nothing behind, and smaller ones go on where it began.
    std::uint64_t small = 0;
    for (;; ++small) {
      const Bytes bytes = shard_bytes(10'000 + small, 500);
      if (!store_->put(root_of(bytes), holder(1), bytes, kUnlimited)) break;
    }
    for (const bool again : {false, true}) {
      if (again) open_with_floor(0);
      EXPECT_EQ(report_.damages, 0u);
      EXPECT_EQ(report_.torn_bytes, 0u);
      EXPECT_EQ(store_->usage().shards, taken + small);
      for (std::uint64_t i = 0; i < taken; ++i) expect_whole(i, kPage);
      for (std::uint64_t i = 0; i < small; ++i) expect_whole(10'000 + i, 500);
    }
  });
}

// The floor does not see what is written after it was looked at.
TEST_P(SpaceTest, AWriteThatTheDiskRefusesLeavesTheStoreInUse) {
  on_small_disk([this] {
    open_with_floor(0);
    put(1, kPage);
    const fs::path filler = folder_.path() / "filler";
    // The floor is none, and looked at before the last 8 KiB are known to be all there is.
    write_bytes(filler, Bytes(fs::space(folder()).available - 8 * 1024));
    const Bytes bytes = shard_bytes(2, kPage);
    const auto before = fs::file_size(log(1));
    EXPECT_EQ(store_->put(root_of(bytes), holder(1), bytes, kUnlimited).error().code,
              ErrorCode::NoCapacity);
    EXPECT_EQ(fs::file_size(log(1)), before);
    fs::remove(filler);
    put(2, kPage);
    open_with_floor(0);
    expect_whole(1, kPage);
    expect_whole(2, kPage);
  });
}

INSTANTIATE_TEST_SUITE_P(Disks, SpaceTest, ::testing::Values(DiskKind::Tmpfs, DiskKind::Ext4),
                         [](const auto& disk) {
                           return disk.param == DiskKind::Tmpfs ? "Tmpfs" : "Ext4";
                         });

}  // namespace
}  // namespace hm::shard_store::test
