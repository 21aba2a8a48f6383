// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/volumes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/container_runtime/limits.h"

namespace hm::container_runtime {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::system_clock;

class Volumes : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "hm-volumes-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string made(const std::string& tenant, const std::string& name) {
    fs::create_directories(folder_ + "/" + tenant);
    const std::string file = volume_file(folder_, tenant, name);
    std::ofstream(file) << "x";
    return file;
  }

  std::string folder_;
};

TEST_F(Volumes, WhatNobodyUsedForLongGoesAndNothingElse) {
  const auto idle = made("alice", "idle");
  const auto used = made("alice", "used");
  const auto other = made("bob", "idle");
  const auto now = system_clock::now();
  EXPECT_EQ(sweep_volumes(folder_, {used}, now + kKeepVolume - hours(1)), 0U);
  EXPECT_EQ(sweep_volumes(folder_, {used}, now + kKeepVolume + hours(1)), 2U);
  EXPECT_FALSE(fs::exists(idle));
  EXPECT_TRUE(fs::exists(used)) << "a container has it";
  EXPECT_FALSE(fs::exists(other));
  EXPECT_FALSE(fs::exists(folder_ + "/bob")) << "nor is a folder left of who has none";
  // Its time runs from its last use.
  EXPECT_EQ(sweep_volumes(folder_, {}, now + 2 * kKeepVolume), 0U);
  EXPECT_EQ(sweep_volumes(folder_, {}, now + 2 * kKeepVolume + hours(2)), 1U);
  EXPECT_EQ(sweep_volumes(folder_ + "/none", {}, now), 0U);
}

TEST_F(Volumes, UsedAgainItIsYoungAgain) {
  const auto file = made("alice", "data");
  const auto now = system_clock::now();
  sweep_volumes(folder_, {file}, now - kKeepVolume - hours(1));
  EXPECT_TRUE(take_volume(file));
  EXPECT_EQ(sweep_volumes(folder_, {}, now), 0U);
}

TEST_F(Volumes, OfOneTenantThereAreOnlySoMany) {
  for (std::size_t i = 0; i < kMaxVolumesPerTenant; ++i) made("alice", std::to_string(i));
  EXPECT_TRUE(take_volume(volume_file(folder_, "alice", "0"))) << "what is there may be used";
  EXPECT_EQ(take_volume(volume_file(folder_, "alice", "new")).error().code, ErrorCode::NoCapacity);
  EXPECT_TRUE(take_volume(volume_file(folder_, "bob", "new")));
}

TEST_F(Volumes, ALinkInTheFolderIsNotFollowedAndStays) {
  const auto target = made("bob", "data");
  fs::create_directories(folder_ + "/alice");
  fs::create_symlink(target, folder_ + "/alice/link");
  sweep_volumes(folder_, {target}, system_clock::now() + kKeepVolume + hours(1));
  EXPECT_TRUE(fs::exists(target));
  EXPECT_TRUE(fs::is_symlink(folder_ + "/alice/link"));
}

}  // namespace
}  // namespace hm::container_runtime
