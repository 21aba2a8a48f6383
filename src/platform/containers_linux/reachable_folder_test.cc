// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/reachable_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hm::containers_linux {
namespace {

namespace fs = std::filesystem;

TEST(ReachableFolder, AFolderBelowAPrivateOneIsReachedByAnotherPathUntilItIsReleased) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: to mount";
  std::string pattern = (fs::temp_directory_path() / "hm-reach-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);  // mode 0700
  const std::string folder = pattern + "/private/state";
  const std::string name = "test-" + std::to_string(::getpid());
  const auto reached = reachable_folder(folder, name);
  ASSERT_TRUE(reached) << reached.error().message;
  EXPECT_NE(*reached, folder);
  std::ofstream(folder + "/file") << "the same";
  EXPECT_TRUE(fs::exists(*reached + "/file"));
  EXPECT_EQ(reachable_folder(folder, name).value_or(""), *reached) << "a later process finds it";
  for (fs::path path = *reached; path != path.root_path(); path = path.parent_path()) {
    struct stat about{};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_NE(about.st_mode & S_IXOTH, 0U) << path;
  }
  release_folder(name);
  EXPECT_FALSE(fs::exists(*reached));
  EXPECT_TRUE(fs::exists(folder + "/file"));
  fs::remove_all(pattern);
}

TEST(ReachableFolder, WhereEverybodyCanWalkNothingIsMounted) {
  std::string pattern = (fs::temp_directory_path() / "hm-reach-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  fs::permissions(pattern, fs::perms::owner_all | fs::perms::others_exec);
  const auto reached = reachable_folder(pattern + "/state", "test-none");
  if (reached && *reached != pattern + "/state") {
    release_folder("test-none");
    fs::remove_all(pattern);
    GTEST_SKIP() << "the folder for temporary files is closed to others";
  }
  EXPECT_EQ(reached.value_or(""), pattern + "/state");
  fs::remove_all(pattern);
}

}  // namespace
}  // namespace hm::containers_linux
