// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/kernel_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hm::linux {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(KernelText, NumbersAreDecimalDigitsOnly) {
  EXPECT_EQ(parse_u64("42\n"), 42U);
  EXPECT_EQ(parse_u64("18446744073709551615"), UINT64_MAX);
  for (const char* bad :
       {"", " ", "-1", "+1", "1 2", "0x10", "12a", "max", "18446744073709551616"}) {
    EXPECT_EQ(parse_u64(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_hex("0x1003\n"), 0x1003U);
  EXPECT_EQ(parse_hex("g"), std::nullopt);
}

TEST(KernelText, CpuListsAreRangesBelowTheLimit) {
  EXPECT_THAT(*parse_cpu_list("0-2,8\n"), ElementsAre(0, 1, 2, 8));
  EXPECT_THAT(*parse_cpu_list("5,1-1,5"), ElementsAre(1, 5));
  EXPECT_THAT(*parse_cpu_list("\n"), IsEmpty());
  for (const char* bad : {"0-", "-3", "3-1", "0,,1", "a", "0-99999999999", "8192", "0 - 1"}) {
    EXPECT_EQ(parse_cpu_list(bad), std::nullopt) << bad;
  }
}

TEST(KernelText, SizesTakeBinarySuffixesAndRefuseOverflow) {
  EXPECT_EQ(parse_size("48K\n"), 49152U);
  EXPECT_EQ(parse_size("2M"), 2097152U);
  EXPECT_EQ(parse_size("7"), 7U);
  for (const char* bad :
       {"", "K", "1T", "1.5M", "-1K", "99999999999999999999G", "18014398509481984K"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(KernelText, MeminfoKeepsWhatParsesAndDropsTheRest) {
  const auto fields = parse_meminfo(
      "MemTotal:       24684084 kB\nHugePages_Total:       3\nBroken: x kB\nNoColon 5\n"
      "Other: 5 MB\n: 7\nHuge: 18446744073709551615 kB\nTrunc");
  EXPECT_EQ(fields.at("MemTotal"), 24684084ULL * 1024);
  EXPECT_EQ(fields.at("HugePages_Total"), 3U);
  EXPECT_EQ(fields.size(), 2U);
}

TEST(KernelText, CpuinfoIsSplitIntoOneBlockPerCpu) {
  const auto blocks = parse_cpuinfo(
      "processor\t: 0\nmodel name\t: A: B\nflags\t\t: fpu vme\n\nprocessor\t: 1\n\n\ngarbage\n");
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].at("model name"), "A: B");
  EXPECT_EQ(blocks[1].at("processor"), "1");
}

constexpr char kMountinfo[] =
    "21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
    "22 21 0:5 / /mnt/with\\040blank ro - tmpfs none rw\n"
    "23 21 8:1 /sub /data rw master:2 shared:3 - btrfs /dev/sda1 ro,space_cache\n"
    "24 21 8:17 / /data rw - xfs /dev/sdb1 rw\n"
    "bad line\n"
    "25 21 8 / /nocolon rw - xfs /dev/sdc rw\n"
    "26 21 8:33 / relative rw - xfs /dev/sdd rw\n"
    "27 21 8:33 / /short rw - xfs\n"
    "28 21 99999999999:1 / /big rw - xfs /dev/sde rw\n";

TEST(KernelText, MountinfoIsReadWithEscapesAndOptionalTags) {
  const auto mounts = parse_mountinfo(kMountinfo);
  ASSERT_EQ(mounts.size(), 4U);
  EXPECT_EQ(mounts[0].major, 254U);
  EXPECT_EQ(mounts[0].source, "/dev/vda");
  EXPECT_FALSE(mounts[0].read_only);
  EXPECT_EQ(mounts[1].mount_point, "/mnt/with blank");
  EXPECT_TRUE(mounts[1].read_only);
  EXPECT_EQ(mounts[2].root, "/sub");
  EXPECT_TRUE(mounts[2].read_only) << "by its superblock";
}

TEST(KernelText, AMountIsFoundByItsLongestParentAndTheLastCovers) {
  const auto mounts = parse_mountinfo(kMountinfo);
  EXPECT_EQ(mount_of(mounts, "/data/x")->filesystem, "xfs");
  EXPECT_EQ(mount_of(mounts, "/database")->filesystem, "ext4");
  EXPECT_EQ(mount_of(mounts, "/mnt/with blank")->filesystem, "tmpfs");
  EXPECT_EQ(mount_of({}, "/"), nullptr);
}

TEST(KernelText, CgroupMembershipsOfBothVersionsAreRead) {
  const auto groups =
      parse_cgroups("4:cpu,cpuacct:/a:b\n0::/user.slice\nx:cpu:/\n5:cpu\n6:cpu:rel\n");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_THAT(groups[0].controllers, ElementsAre("cpu", "cpuacct"));
  EXPECT_EQ(groups[0].path, "/a:b");
  EXPECT_EQ(groups[1].hierarchy, 0U);
  EXPECT_THAT(groups[1].controllers, IsEmpty());
}

// Every parser over every prefix and every single damaged byte of real text: nothing may crash.
TEST(KernelText, DamagedTextNeverCrashesAParser) {
  const std::string whole = kMountinfo;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::string text = whole.substr(0, size);
    if (size > 0) text[size / 2] = static_cast<char>(size);
    (void)parse_mountinfo(text);
    (void)parse_meminfo(text);
    (void)parse_cpuinfo(text);
    (void)parse_cgroups(text);
    (void)parse_cpu_list(text);
    (void)parse_size(text);
  }
}

}  // namespace
}  // namespace hm::linux
