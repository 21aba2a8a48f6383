// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "platform/files/atomic_file.h"
#include "platform/files/key_file.h"
#include "platform/files/process_lock.h"
#include "platform/files/scratch_folder.h"

namespace hm::files {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hm-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  unsigned mode_of(const std::string& name) const {
    struct stat info{};
    EXPECT_EQ(::stat(path(name).c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  std::string text_of(const std::string& name) const {
    std::ifstream in(path(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& name, const std::string& text, unsigned mode = 0600) const {
    std::ofstream(path(name)) << text;
    ::chmod(path(name).c_str(), mode);
  }

  fs::path folder_;
};

TEST_F(Files, SecretIsWrittenForItsOwnerOnlyAndLeavesNoTemporaryFile) {
  ASSERT_TRUE(write_file(path("s"), as_bytes("x"), Access::Secret, Existing::Refuse));
  EXPECT_EQ(mode_of("s"), 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, ExistingFileIsKeptUnlessReplacementIsAsked) {
  ASSERT_TRUE(write_file(path("f"), as_bytes("one"), Access::Public, Existing::Refuse));
  const auto refused = write_file(path("f"), as_bytes("two"), Access::Public, Existing::Refuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(text_of("f"), "one");
  ASSERT_TRUE(write_file(path("f"), as_bytes("two"), Access::Public, Existing::Replace));
  EXPECT_EQ(text_of("f"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, ReadingIsBoundedAndRefusesWhatIsNoFile) {
  put("f", "12345");
  EXPECT_EQ(read_file(path("f"), 5, Access::Public)->size(), 5u);
  EXPECT_FALSE(read_file(path("f"), 4, Access::Public));
  EXPECT_FALSE(read_file(folder_.string(), 4, Access::Public));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(read_file(path("pipe"), 4, Access::Public));
  EXPECT_EQ(read_file(path("none"), 4, Access::Public).error().code, ErrorCode::NotFound);
}

TEST_F(Files, KeyRoundTripsAndIsCreatedOnce) {
  const auto first = load_or_create_node_key(path("k"));
  const auto second = load_or_create_node_key(path("k"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->public_key(), second->public_key());
  EXPECT_EQ(mode_of("k"), 0600u);
  EXPECT_FALSE(write_node_key(path("k"), *first));
}

TEST_F(Files, KeyThatOthersMayReadIsRefusedByName) {
  ASSERT_TRUE(load_or_create_node_key(path("k")));
  for (const unsigned mode : {0640u, 0604u, 0620u, 0601u}) {
    ::chmod(path("k").c_str(), mode);
    const auto refused = read_node_key(path("k"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::PermissionDenied);
    EXPECT_NE(refused.error().message.find(path("k")), std::string::npos);
  }
}

TEST_F(Files, KeyOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  ASSERT_TRUE(load_or_create_node_key(path("k")));
  ASSERT_EQ(::chown(path("k").c_str(), 12345, 12345), 0);
  EXPECT_EQ(read_node_key(path("k")).error().code, ErrorCode::PermissionDenied);
}

TEST_F(Files, KeyBehindASymbolicLinkIsRefused) {
  ASSERT_TRUE(load_or_create_node_key(path("k")));
  fs::create_symlink(path("k"), path("link"));
  EXPECT_FALSE(read_node_key(path("link")));
}

TEST_F(Files, DamagedKeyFileIsRefusedAndNeverReplaced) {
  ASSERT_TRUE(load_or_create_node_key(path("k")));
  const std::string good = text_of("k");
  std::string wrong_public = good;
  wrong_public[wrong_public.size() - 2] = good[good.size() - 2] == '0' ? '1' : '0';
  for (const std::string& bad : {std::string(), good.substr(0, good.size() - 1), good + "x\n",
                                 "hypermesh-node-key 2" + good.substr(20), wrong_public}) {
    put("k", bad);
    const auto refused = load_or_create_node_key(path("k"));
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::Corrupt);
    EXPECT_EQ(text_of("k"), bad);
  }
}

TEST_F(Files, LockNamesItsHolderAndIsFreeAfterTheHolderDied) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = ProcessLock::take(path("lock"));
    const char answer = lock ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  const auto refused = ProcessLock::take(path("lock"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(std::to_string(child)), std::string::npos);
  EXPECT_EQ(lock_holder(path("lock")).value(), child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(lock_holder(path("lock")).value(), std::nullopt);
  EXPECT_TRUE(ProcessLock::take(path("lock")));
  EXPECT_EQ(lock_holder(path("absent")).value(), std::nullopt);
  ::close(ready[0]);
  ::close(ready[1]);
}

// As after a kill, when the first thread is gone and another one still has the files.
TEST_F(Files, AHolderThatIsEndingIsWaitedFor) {
  int ready[2];
  int go[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(go), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = ProcessLock::take(path("lock"));
    std::thread([&] {
      const char answer = lock ? 'y' : 'n';
      char word = 0;
      if (::write(ready[1], &answer, 1) != 1 || ::read(go[0], &word, 1) != 1) ::_exit(1);
      ::_exit(0);
    }).detach();
    ::syscall(SYS_exit, 0);  // this thread alone
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  while (text_of("/proc/" + std::to_string(child) + "/stat").find(") Z") == std::string::npos) {
    std::this_thread::yield();
  }
  EXPECT_EQ(lock_holder(path("lock")).value(), std::nullopt);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // take() has asked by then
    EXPECT_EQ(::write(go[1], "x", 1), 1);
  });
  EXPECT_TRUE(ProcessLock::take(path("lock")));
  later.join();
  ::waitpid(child, nullptr, 0);
  for (const int end : {ready[0], ready[1], go[0], go[1]}) ::close(end);
}

TEST_F(Files, FoldersAreMadeWithTheirParents) {
  ASSERT_TRUE(make_folder(path("a/b/c"), 0700));
  EXPECT_EQ(mode_of("a/b/c"), 0700u);
  EXPECT_TRUE(make_folder(path("a/b/c"), 0700));
  put("a/file", "");
  EXPECT_FALSE(make_folder(path("a/file/d"), 0700));
}

TEST_F(Files, AScratchFileIsGoneWithItsObjectAndWithTheNextProcess) {
  const auto folder = open_scratch_folder(path("scratch"));
  ASSERT_TRUE(folder);
  auto file = (*folder)->create();
  ASSERT_TRUE(file);
  const std::string name = (*file)->path();
  ASSERT_TRUE((*file)->append(as_bytes("hello ")));
  ASSERT_TRUE((*file)->append(as_bytes("world")));
  EXPECT_EQ(*(*file)->size(), 11U);
  EXPECT_EQ(as_text(*(*file)->read(6, 100)), "world");
  EXPECT_TRUE((*file)->read(11, 1)->empty());
  file->reset();
  EXPECT_FALSE(fs::exists(name));
  std::ofstream(path("scratch/left")) << "by a killed process";
  ASSERT_TRUE(open_scratch_folder(path("scratch")));
  EXPECT_TRUE(fs::is_empty(path("scratch")));
}

}  // namespace
}  // namespace hm::files
