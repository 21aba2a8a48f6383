// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "apps/hypermesh/command_line.h"

namespace hm::cli {
namespace {

template <class Options>
Options parsed(std::vector<std::string> arguments) {
  const auto result = parse_command_line(std::move(arguments));
  const auto* invocation = std::get_if<Invocation>(&result);
  if (invocation == nullptr) {
    const auto* failure = std::get_if<Failure>(&result);
    ADD_FAILURE() << (failure != nullptr ? failure->what : "help");
    return {};
  }
  const auto* options = std::get_if<Options>(&invocation->command);
  EXPECT_NE(options, nullptr) << "another command";
  return options == nullptr ? Options{} : *options;
}

TEST(StorageCommandLine, PutTakesEveryOption) {
  const auto put =
      parsed<ObjectPut>({"put",           "--as",     "x/",        "--code", "4+2",    "--profile",
                         "backup",        "--with",   "bob,carol", "--with", "dave",   "--private",
                         "--no-compress", "--new",    "--meta",    "a=1",    "--meta", "b=2",
                         "--keep-going",  "--resume", "one",       "two"});
  EXPECT_EQ(put.files, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(put.as, "x/");
  EXPECT_EQ(put.code, "4+2");
  EXPECT_EQ(put.profile, "backup");
  EXPECT_EQ(put.with, (std::vector<std::string>{"bob,carol", "dave"}));
  EXPECT_EQ(put.metadata, (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_TRUE(put.is_alone && put.no_compress && put.only_new && put.keep_going && put.resume);
  EXPECT_EQ(parsed<ObjectPut>({"put", "--as", "x", "-"}).files, std::vector<std::string>{"-"});
}

TEST(StorageCommandLine, GetAndTheOthersTakeTheirs) {
  const auto get = parsed<ObjectGet>(
      {"get", "-r", "photos", "-o", "out", "--force", "--resume", "--as", "x", "--range", "0-9"});
  EXPECT_EQ(get.name, "photos");
  EXPECT_EQ(get.out, "out");
  EXPECT_EQ(get.as, "x");
  EXPECT_EQ(get.range, "0-9");
  EXPECT_TRUE(get.recursive && get.force && get.resume);
  EXPECT_EQ(parsed<ObjectGet>({"get", "a", "-o", "-"}).out, "-");
  EXPECT_EQ(parsed<ObjectGet>({"get", "--", "-dash"}).name, "-dash");
  EXPECT_EQ(parsed<ObjectCat>({"cat", "a", "--range=-5"}).range, "-5");
  const auto list = parsed<ObjectList>({"ls", "-l", "-R", "photos/"});
  EXPECT_TRUE(list.details && list.recursive);
  EXPECT_EQ(list.prefix, "photos/");
  EXPECT_EQ(parsed<ObjectStat>({"stat", "a"}).name, "a");
  EXPECT_EQ(parsed<ObjectPin>({"pin", "a", "--as", "b"}).as, "b");
  EXPECT_TRUE(parsed<StorageStatus>({"storage", "--held"}).held);
  EXPECT_TRUE(parsed<StorageStatus>({"storage", "status", "--held"}).held);
  parsed<StorageCollect>({"storage", "gc"});
  EXPECT_EQ(parsed<StorageUploads>({"storage", "uploads", "--end", "1f"}).end, "1f");
  EXPECT_EQ(parsed<StorageDrain>({"storage", "drain", "node3"}).node, "node3");
  EXPECT_FALSE(parsed<StorageRecover>({"storage", "recover"}).without_missing);
  EXPECT_TRUE(parsed<StorageRecover>({"storage", "recover", "--without-missing"}).without_missing);
}

TEST(StorageCommandLine, RemoveIsOfRunsAndObjects) {
  const auto remove = parsed<Remove>({"rm", "-r", "-y", "a", "b"});
  EXPECT_EQ(remove.names.size(), 2U);
  EXPECT_TRUE(remove.recursive && remove.yes);
  EXPECT_TRUE(parsed<Remove>({"rm", "--run", "web"}).runs);
  EXPECT_TRUE(parsed<Remove>({"rm", "--object", "web"}).objects);
}

TEST(StorageCommandLine, ShareWithoutAPartIsOfAnObject) {
  const auto share =
      parsed<ObjectShare>({"share", "a.pdf", "--with", "bob,carol", "--revoke", "x"});
  EXPECT_EQ(share.name, "a.pdf");
  EXPECT_EQ(share.with, std::vector<std::string>{"bob,carol"});
  EXPECT_EQ(share.revoke, std::vector<std::string>{"x"});
  EXPECT_EQ(parsed<Share>({"share", "gpu", "50%", "--with", "bob"}).words.share, "50%");
  // What only a grant says means a grant whose part was forgotten.
  EXPECT_EQ(parsed<Share>({"share", "gpu", "--with", "bob", "--price", "0"}).what, "gpu");
}

TEST(StorageCommandLine, MistakesAreUsage) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"put"},
                                                    {"put", "a", "--profile", "odd"},
                                                    {"get"},
                                                    {"get", "a", "b"},
                                                    {"cat"},
                                                    {"stat"},
                                                    {"pin"},
                                                    {"rm"},
                                                    {"rm", "--run", "--object", "a"},
                                                    {"ls", "a", "b"},
                                                    {"storage", "drain"},
                                                    {"storage", "odd"}}) {
    const auto result = parse_command_line(arguments);
    const auto* failure = std::get_if<Failure>(&result);
    ASSERT_NE(failure, nullptr) << arguments.front();
    EXPECT_EQ(failure->exit, ExitCode::Usage);
    EXPECT_FALSE(failure->why.empty());
  }
}

}  // namespace
}  // namespace hm::cli
