// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/user_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hm::containers_linux {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken:x:1:2\n"
    "huge:x:99999:1::/:/bin/sh\n"
    "spaced:x: 5:5::/:/bin/sh\n"
    "app:x:1000:1001:App:/srv/app:/bin/sh\n"
    "relative:x:7:7::home:/bin/sh\n";
constexpr std::string_view kGroup =
    "root:x:0:\nwheel:x:10:root,app\napp:x:1001:\nbad:x:-1:app\nmore:x:20:zapp,app\n"
    "twice:x:20:app\n";

containers::UserIds found(std::string_view user) {
  const auto ids = resolve_user_in(kPasswd, kGroup, user);
  EXPECT_TRUE(ids) << user;
  return ids.value_or(containers::UserIds{.user = 1U << 31U});
}

ErrorCode refused(std::string_view user) {
  const auto ids = resolve_user_in(kPasswd, kGroup, user);
  EXPECT_FALSE(ids) << user;
  return ids ? ErrorCode{} : ids.error().code;
}

TEST(UserLookupTest, NoUserIsRoot) {
  EXPECT_EQ(found("").user, 0U);
  EXPECT_EQ(found("").home, "/root");
  const auto bare = resolve_user_in("", "", "");
  ASSERT_TRUE(bare);
  EXPECT_EQ(*bare, containers::UserIds{});
}

TEST(UserLookupTest, NamesAndNumbersFindTheSameAccount) {
  EXPECT_EQ(found("app"), found("1000"));
  EXPECT_EQ(found("app").user, 1000U);
  EXPECT_EQ(found("app").group, 1001U);
  EXPECT_EQ(found("app").home, "/srv/app");
  EXPECT_THAT(found("app").groups, ElementsAre(10U, 20U));
}

TEST(UserLookupTest, AGivenGroupIsTheOnlyOne) {
  EXPECT_EQ(found("app:wheel").group, 10U);
  EXPECT_THAT(found("app:wheel").groups, IsEmpty());
  EXPECT_EQ(found("app:77").group, 77U);
  EXPECT_EQ(found("4242:wheel").user, 4242U);
}

TEST(UserLookupTest, AnUnknownNumberIsItselfAnUnknownNameIsRefused) {
  EXPECT_EQ(found("4242").user, 4242U);
  EXPECT_EQ(found("4242").group, 0U);
  EXPECT_EQ(refused("nobody"), ErrorCode::NotFound);
  EXPECT_EQ(refused("app:nogroup"), ErrorCode::NotFound);
}

TEST(UserLookupTest, LinesThatDoNotParseNameNobody) {
  EXPECT_EQ(refused("broken"), ErrorCode::NotFound);
  EXPECT_EQ(refused("huge"), ErrorCode::NotFound);
  EXPECT_EQ(refused("spaced"), ErrorCode::NotFound);
  EXPECT_EQ(refused("app:bad"), ErrorCode::NotFound);
  EXPECT_EQ(found("relative").home, "/");
}

TEST(UserLookupTest, IdsThatTheContainerHasNotAreRefused) {
  EXPECT_EQ(refused("65536"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused("99999999999999999999"), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused("0:65536"), ErrorCode::InvalidArgument);
  EXPECT_EQ(found("65535").user, 65535U);
}

class UserLookupInRootTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "hm-users-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::filesystem::create_directories(folder_ / "root/etc");
    std::ofstream(folder_ / "outside") << "evil:x:666:666::/:/bin/sh\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(UserLookupInRootTest, TheImagesOwnFilesCount) {
  std::ofstream(folder_ / "root/etc/passwd") << kPasswd;
  std::ofstream(folder_ / "root/etc/group") << kGroup;
  const auto ids = resolve_user(folder_ / "root", "app");
  ASSERT_TRUE(ids);
  EXPECT_EQ(*ids, found("app"));
}

TEST_F(UserLookupInRootTest, ALinkOutOfTheRootFindsNothing) {
  for (const std::string& target : {(folder_ / "outside").string(), std::string("../../outside")}) {
    std::filesystem::remove(folder_ / "root/etc/passwd");
    std::filesystem::create_symlink(target, folder_ / "root/etc/passwd");
    EXPECT_FALSE(resolve_user(folder_ / "root", "evil")) << target;
  }
}

TEST_F(UserLookupInRootTest, ALinkInsideTheRootIsFollowedInsideIt) {
  std::ofstream(folder_ / "root/accounts") << kPasswd;
  std::filesystem::create_symlink("/accounts", folder_ / "root/etc/passwd");
  EXPECT_TRUE(resolve_user(folder_ / "root", "app"));
}

TEST_F(UserLookupInRootTest, WhatIsNoFileIsNotRead) {
  ASSERT_EQ(::mkfifo((folder_ / "root/etc/passwd").c_str(), 0644), 0);
  EXPECT_FALSE(resolve_user(folder_ / "root", "app"));
  EXPECT_TRUE(resolve_user(folder_ / "root", "7"));
}

}  // namespace
}  // namespace hm::containers_linux
