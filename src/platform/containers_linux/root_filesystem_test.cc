// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/root_filesystem.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "platform/linux/kernel_tree.h"

namespace hm::containers_linux {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::uint32_t kShift = 100'000;

class RootFilesystemTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    std::string pattern = testing::TempDir() + "hm-root-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::create_directories(folder_ / "layers/low/etc");
    fs::create_directories(folder_ / "layers/high/etc");
    std::ofstream(folder_ / "layers/low/etc/both") << "low";
    std::ofstream(folder_ / "layers/low/etc/low") << "low";
    std::ofstream(folder_ / "layers/high/etc/both") << "high";
  }
  void TearDown() override {
    if (folder_.empty()) return;
    EXPECT_TRUE(unmount_below(folder_.string()));
    ASSERT_THAT(mounts_below(folder_.string()), IsEmpty());
    fs::remove_all(folder_);
  }

  RootOrder order(std::uint64_t disk_bytes = 0) const {
    return {.folder = folder_ / "one",
            .layers = {folder_ / "layers/high", folder_ / "layers/low"},
            .disk_bytes = disk_bytes,
            .memory_bytes = 8 * kMiB,
            .uid_shift = kShift};
  }
  VolumeOrder volume(const std::string& mount, std::uint64_t bytes = 8 * kMiB) const {
    return {.file = folder_ / "volumes/owner/data",
            .folder = folder_ / mount,
            .bytes = bytes,
            .uid_shift = kShift};
  }

  fs::path folder_;
};

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

// Bytes that went in until the kernel refused; the error in `reason`.
std::uint64_t fill(const fs::path& path, int& reason) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::vector<char> block(65536, 'x');
  std::uint64_t all = 0;
  while (fd >= 0 && all < 64 * kMiB) {
    const ssize_t count = ::write(fd, block.data(), block.size());
    if (count <= 0) break;
    all += static_cast<std::uint64_t>(count);
  }
  reason = errno;
  ::close(fd);
  return all;
}

TEST_F(RootFilesystemTest, LayersLieOverEachOtherAndWritesDoNotReachThem) {
  const auto root = mount_root(order());
  ASSERT_TRUE(root) << root.error().message << root.error().detail;
  EXPECT_EQ(text_of(*root + "/etc/both"), "high");
  EXPECT_EQ(text_of(*root + "/etc/low"), "low");
  std::ofstream(*root + "/etc/low") << "changed";
  fs::remove(*root + "/etc/both");
  EXPECT_EQ(text_of(folder_ / "layers/low/etc/low"), "low");
  EXPECT_EQ(text_of(folder_ / "layers/high/etc/both"), "high");
}

TEST_F(RootFilesystemTest, TheRootBelongsToTheContainersRootAndIsReachableByIt) {
  const auto root = mount_root(order());
  ASSERT_TRUE(root);
  struct stat info{};
  ASSERT_EQ(::stat(root->c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, kShift);
  EXPECT_EQ(info.st_gid, kShift);
  EXPECT_EQ(info.st_mode & 07777U, 0755U);
  ASSERT_EQ(::stat((folder_ / "one").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0001U);
  struct statfs flags{};
  ASSERT_EQ(::statfs(root->c_str(), &flags), 0);
  EXPECT_EQ(flags.f_flags & (MS_NOSUID | MS_NODEV), MS_NOSUID | MS_NODEV);
}

TEST_F(RootFilesystemTest, InMemoryTheKernelRefusesToWriteMoreThanTheMemory) {
  const auto root = mount_root(order());
  ASSERT_TRUE(root);
  int reason = 0;
  const std::uint64_t written = fill(*root + "/big", reason);
  EXPECT_EQ(reason, ENOSPC);
  EXPECT_LE(written, 8 * kMiB);
  EXPECT_GT(written, 7 * kMiB);
  EXPECT_GE(*used_bytes(folder_ / "one"), written);
}

TEST_F(RootFilesystemTest, OnDiskTheKernelRefusesToWriteMoreThanTheDisk) {
  if (const auto can = can_limit_disk(); !can) GTEST_SKIP() << can.error().message;
  const auto root = mount_root(order(12 * kMiB));
  ASSERT_TRUE(root) << root.error().message << root.error().detail;
  int reason = 0;
  const std::uint64_t written = fill(*root + "/big", reason);
  EXPECT_EQ(reason, ENOSPC);
  EXPECT_LE(written, 12 * kMiB);
  EXPECT_GT(written, 9 * kMiB);
  EXPECT_EQ(fs::file_size(folder_ / "one.img"), 12 * kMiB);
}

TEST_F(RootFilesystemTest, TheSmallestDiskHoldsSomething) {
  if (const auto can = can_limit_disk(); !can) GTEST_SKIP() << can.error().message;
  const auto root = mount_root(order(4 * kMiB));
  ASSERT_TRUE(root) << root.error().message << root.error().detail;
  int reason = 0;
  EXPECT_GT(fill(*root + "/big", reason), 2 * kMiB);
  EXPECT_EQ(reason, ENOSPC);
}

TEST_F(RootFilesystemTest, MountedAgainItIsTheSameAndOnDiskItOutlivesItsMounts) {
  if (const auto can = can_limit_disk(); !can) GTEST_SKIP() << can.error().message;
  const auto root = mount_root(order(8 * kMiB));
  ASSERT_TRUE(root);
  std::ofstream(*root + "/kept") << "kept";
  const auto mounts = mounts_below(order().folder);
  EXPECT_THAT(mounts, ElementsAre(folder_ / "one/root", folder_ / "one"));
  ASSERT_TRUE(mount_root(order(8 * kMiB)));
  EXPECT_EQ(mounts_below(order().folder), mounts);
  ASSERT_TRUE(unmount_below(order().folder));
  ASSERT_TRUE(unmount_below(order().folder));
  ASSERT_TRUE(mount_root(order(8 * kMiB)));
  EXPECT_EQ(text_of(*root + "/kept"), "kept");
}

TEST_F(RootFilesystemTest, RemovedNothingIsLeftAndAgainIsFine) {
  ASSERT_TRUE(mount_root(order()));
  ASSERT_TRUE(remove_root(order().folder));
  EXPECT_FALSE(fs::exists(order().folder));
  EXPECT_TRUE(remove_root(order().folder));
  if (can_limit_disk()) {
    ASSERT_TRUE(mount_root(order(8 * kMiB)));
    ASSERT_TRUE(remove_root(order().folder));
    EXPECT_FALSE(fs::exists(folder_ / "one.img"));
  }
  EXPECT_TRUE(fs::exists(folder_ / "layers/low/etc/low"));
}

TEST_F(RootFilesystemTest, RemovedWhileSomethingHoldsItOpen) {
  const auto root = mount_root(order());
  ASSERT_TRUE(root);
  const int held = ::open(root->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_GE(held, 0);
  EXPECT_TRUE(remove_root(order().folder));
  EXPECT_FALSE(fs::exists(order().folder));
  ::close(held);
}

TEST_F(RootFilesystemTest, AnImageOfManyLayersAndOneOfNoneAreMounted) {
  RootOrder many = order();
  many.layers.clear();
  for (int n = 0; n < 127; ++n) {
    const fs::path layer = folder_ / "layers" / ("with:colon,comma " + std::to_string(n));
    fs::create_directories(layer);
    std::ofstream(layer / std::to_string(n)) << n;
    many.layers.push_back(layer);
  }
  const auto root = mount_root(many);
  ASSERT_TRUE(root) << root.error().message << root.error().detail;
  EXPECT_EQ(text_of(*root + "/126"), "126");
  RootOrder none = order();
  none.folder = folder_ / "none";
  none.layers.clear();
  const auto empty = mount_root(none);
  ASSERT_TRUE(empty) << empty.error().message << empty.error().detail;
  EXPECT_TRUE(fs::is_empty(*empty));
}

TEST_F(RootFilesystemTest, AVolumeOutlivesItsContainerAndIsOneForAll) {
  if (const auto can = can_limit_disk(); !can) GTEST_SKIP() << can.error().message;
  const auto first = mount_volume(volume("one/v"));
  ASSERT_TRUE(first) << first.error().message << first.error().detail;
  std::ofstream(folder_ / "one/v/file") << "kept";
  const auto second = mount_volume(volume("two/v"));
  ASSERT_TRUE(second) << second.error().message << second.error().detail;
  EXPECT_EQ(text_of(folder_ / "two/v/file"), "kept");
  struct stat a{};
  struct stat b{};
  ASSERT_EQ(::stat((folder_ / "one/v").c_str(), &a), 0);
  ASSERT_EQ(::stat((folder_ / "two/v").c_str(), &b), 0);
  EXPECT_EQ(a.st_dev, b.st_dev);
  EXPECT_EQ(a.st_uid, kShift);
  EXPECT_THAT(names_in(folder_ / "one/v"), ElementsAre("file"));
  ASSERT_TRUE(remove_root(folder_ / "one"));
  ASSERT_TRUE(remove_root(folder_ / "two"));
  const auto again = mount_volume(volume("three/v"));
  ASSERT_TRUE(again);
  EXPECT_EQ(text_of(folder_ / "three/v/file"), "kept");
}

TEST_F(RootFilesystemTest, AVolumeGrowsWhenUnusedAndNeverShrinks) {
  if (const auto can = can_limit_disk(); !can) GTEST_SKIP() << can.error().message;
  const auto first = mount_volume(volume("one/v"));
  ASSERT_TRUE(first);
  std::ofstream(folder_ / "one/v/file") << "kept";
  EXPECT_EQ(mount_volume(volume("two/v", 16 * kMiB)).error().code, ErrorCode::Busy);
  ASSERT_TRUE(remove_root(folder_ / "one"));
  const auto larger = mount_volume(volume("three/v", 16 * kMiB));
  ASSERT_TRUE(larger) << larger.error().message << larger.error().detail;
  EXPECT_EQ(text_of(folder_ / "three/v/file"), "kept");
  int reason = 0;
  EXPECT_GT(fill(folder_ / "three/v/big", reason), 9 * kMiB);
  EXPECT_EQ(reason, ENOSPC);
  ASSERT_TRUE(remove_root(folder_ / "three"));
  EXPECT_EQ(mount_volume(volume("four/v")).error().code, ErrorCode::FailedPrecondition);
}

TEST_F(RootFilesystemTest, ADiskIsFoundUnderFilesAndUnderLoopDevices) {
  const auto below = disks_under({folder_, folder_});
  if (below.empty()) GTEST_SKIP() << "the temporary folder is on no disk";
  const linux::KernelTree blocks("/sys/dev/block");
  const std::string name = std::to_string(below[0].major) + ":" + std::to_string(below[0].minor);
  EXPECT_TRUE(blocks.exists(name));
  EXPECT_FALSE(blocks.exists(name + "/partition"));
  EXPECT_THAT(disks_under({"/proc"}), IsEmpty());
  if (const auto can = can_limit_disk(); !can) GTEST_SKIP() << can.error().message;
  const auto mounted = mount_volume(volume("one/v"));
  ASSERT_TRUE(mounted);
  EXPECT_EQ(disks_under({folder_ / "one/v"}), below);
}

}  // namespace
}  // namespace hm::containers_linux
