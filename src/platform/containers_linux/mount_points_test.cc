// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/mount_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace hm::containers_linux {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class MountPointsTest : public testing::Test {
 protected:
  MountPointsTest() {
    std::string pattern = testing::TempDir() + "hm-points-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) folder_ = pattern;
    for (const char* name : {"root/proc", "root/dev", "root/run/deep", "root/srv", "volume/in"}) {
      fs::create_directories(folder_ / name);
    }
    std::ofstream(folder_ / "root/file") << "x";
  }
  ~MountPointsTest() override { fs::remove_all(folder_); }

  void link(const std::string& path, const std::string& target) const {
    fs::create_symlink(target, folder_ / path);
  }
  Result<void> check(std::vector<MountPoint> points) const {
    return check_mount_points(folder_ / "root", std::move(points));
  }
  void expect_fine(std::vector<MountPoint> points) const {
    const auto result = check(std::move(points));
    EXPECT_TRUE(result) << result.error().message;
  }
  void expect_refused(std::vector<MountPoint> points, const std::string& why) const {
    const std::string path = points.back().path;
    const auto result = check(std::move(points));
    ASSERT_FALSE(result) << path;
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(result.error().message, HasSubstr(path));
    EXPECT_THAT(result.error().message, HasSubstr(why));
    EXPECT_NE(result.error().detail, "");
  }

  fs::path folder_;
};

TEST_F(MountPointsTest, FoldersAndWhatIsNotThereYetAreFine) {
  expect_fine({});
  expect_fine({{"/srv", ""}, {"/new/and/deep", ""}, {"/run/deep/er", ""}, {"/procession", ""}});
  expect_fine({{"/dev/shm", ""}});
}

TEST_F(MountPointsTest, ALinkOnTheWayIsFollowedInsideTheRoot) {
  link("root/var", "/run");
  link("root/up", "../../../../../srv");
  expect_fine({{"/var/deep", ""}, {"/var/new", ""}, {"/up/x", ""}});
}

TEST_F(MountPointsTest, AMountPointThatIsALinkIsRefused) {
  link("root/link", "/srv");
  link("root/nowhere", "/not/there");
  expect_refused({{"/link", ""}}, "is a link");
  expect_refused({{"/nowhere", ""}}, "is a link");
}

TEST_F(MountPointsTest, WhatLeadsToTheKernelsFoldersIsRefused) {
  link("root/data", "/proc");
  link("root/far", "data");
  link("root/devices", "../../dev");
  expect_refused({{"/data/self", ""}}, "leads to /proc/self");
  expect_refused({{"/far/self", ""}}, "leads to /proc/self");
  expect_refused({{"/devices/null", ""}}, "leads to /dev/null");
  for (const char* path : {"/proc", "/proc/self", "/sys", "/sys/fs", "/dev", "/dev/null"}) {
    expect_refused({{path, ""}}, "belongs to the kernel");
  }
}

TEST_F(MountPointsTest, AWayThatEndsIsRefused) {
  link("root/nowhere", "/not/there");
  link("root/round", "/round");
  expect_refused({{"/nowhere/x", ""}}, "/nowhere leads to no folder");
  expect_refused({{"/round/x", ""}}, "/round leads to no folder");
  expect_refused({{"/file", ""}}, "/file leads to no folder");
  expect_refused({{"/file/x", ""}}, "/file leads to no folder");
}

TEST_F(MountPointsTest, ALinkOfTheKernelsOwnIsNotFollowed) {
  link("root/self", "/proc/self/cwd");
  expect_refused({{"/self/x", ""}}, "/self leads to no folder");
}

TEST_F(MountPointsTest, InsideAVolumeNoLinkIsOnTheWay) {
  link("volume/link", "in");
  link("volume/out", "/proc");
  std::ofstream(folder_ / "volume/file") << "x";
  const MountPoint volume{"/v", folder_ / "volume"};
  expect_fine({volume, {"/v/in", ""}, {"/v/in/new", ""}, {"/v/new", ""}});
  expect_refused({volume, {"/v/link", ""}}, "in the volume");
  expect_refused({volume, {"/v/out/self", ""}}, "in the volume");
  expect_refused({volume, {"/v/file", ""}}, "in the volume");
  // In the innermost of several, by whichever way it is reached.
  fs::create_directory(folder_ / "inner");
  link("inner/out", "/proc");
  const MountPoint inner{"/v/in", folder_ / "inner"};
  expect_fine({volume, inner, {"/v/in/new", ""}, {"/v/in/new/out", ""}});
  expect_refused({volume, inner, {"/v/in/out", ""}}, "in the volume");
  link("root/way", "/");
  expect_refused({volume, {"/way/v/out/self", ""}}, "in the volume");
}

TEST_F(MountPointsTest, InAnEmptyOneNothingOfTheImageIsSeen) {
  link("root/srv/link", "/proc");
  expect_fine({{"/srv", ""}, {"/srv/link/self", ""}});
  expect_refused({{"/srv/link/self", ""}}, "leads to /proc/self");
}

TEST_F(MountPointsTest, AnImageWhoseProcOrDevIsALinkIsRefused) {
  fs::remove(folder_ / "root/proc");
  expect_fine({});
  link("root/proc", "/srv");
  EXPECT_THAT(check({}).error().message, HasSubstr("/proc"));
  fs::remove(folder_ / "root/proc");
  fs::remove(folder_ / "root/dev");
  std::ofstream(folder_ / "root/dev") << "x";
  EXPECT_THAT(check({}).error().message, HasSubstr("/dev"));
}

}  // namespace
}  // namespace hm::containers_linux
