// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/cgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

#include "platform/containers_linux/cgroup_text.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"

namespace hm::containers_linux {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CgroupTextTest, ValuesAreFoundByTheirWholeKey) {
  constexpr std::string_view kText =
      "usage_usec 10\nuser_usec 7\nnr_throttled 3\nthrottled_usec 9\n";
  EXPECT_EQ(flat_value(kText, "usage_usec"), 10U);
  EXPECT_EQ(flat_value(kText, "throttled_usec"), 9U);
  EXPECT_EQ(flat_value(kText, "usec"), std::nullopt);
  EXPECT_EQ(flat_value("", "usage_usec"), std::nullopt);
  EXPECT_EQ(flat_value("usage_usec -1\n", "usage_usec"), std::nullopt);
  EXPECT_EQ(flat_value("usage_usec 18446744073709551616\n", "usage_usec"), std::nullopt);
  EXPECT_EQ(flat_value("usage_usec\n", "usage_usec"), std::nullopt);
}

TEST(CgroupTextTest, BlkioSumsDisksAndLeavesLoopDevicesAndTotalsOut) {
  EXPECT_EQ(parse_blkio("254:0 Read 4096\n254:0 Write 1024\n254:0 Sync 5120\n254:0 Total 5120\n"
                        "7:0 Read 9999\n8:16 Read 4\nTotal 5124\n"),
            (IoBytes{.read = 4100, .written = 1024}));
  EXPECT_EQ(parse_blkio("Total 0\n"), IoBytes{});
  EXPECT_EQ(parse_blkio(""), IoBytes{});
  EXPECT_EQ(parse_blkio("254:0 Read x\n"), std::nullopt);
  EXPECT_EQ(parse_blkio("254 Read 1\n"), std::nullopt);
  EXPECT_EQ(parse_blkio("254:0 Read\n"), std::nullopt);
  EXPECT_EQ(parse_blkio("8:0 Read 18446744073709551615\n8:1 Read 1\n"), std::nullopt);
}

TEST(CgroupTextTest, IoStatSumsDisksAndLeavesLoopDevicesOut) {
  EXPECT_EQ(parse_io_stat("8:0 rbytes=90 wbytes=10 rios=3 wios=4 dbytes=50 dios=3\n"
                          "7:1 rbytes=1 wbytes=1\n254:0 rbytes=1 wbytes=2\n"),
            (IoBytes{.read = 91, .written = 12}));
  EXPECT_EQ(parse_io_stat(""), IoBytes{});
  EXPECT_EQ(parse_io_stat("8:0\n"), IoBytes{});
  EXPECT_EQ(parse_io_stat("eight rbytes=1\n"), std::nullopt);
  EXPECT_EQ(parse_io_stat("8:0 rbytes=-1\n"), std::nullopt);
  EXPECT_EQ(parse_io_stat("8:0 rbytes=\n"), std::nullopt);
}

TEST(CgroupTextTest, ProcessesThatCannotBeSignalledAreLeftOut) {
  EXPECT_THAT(parse_processes("12\n0\n-5\n4294967297\n\nx\n99\n"), ElementsAre(12, 99));
}

TEST(CgroupTextTest, MembersAreInTheGroupOrBelowItNotBesideIt) {
  EXPECT_TRUE(is_member("3:cpuset:/\n2:pids:/hm/one\n", "/hm/one"));
  EXPECT_TRUE(is_member("0::/hm/one/deep/er\n", "/hm/one"));
  EXPECT_FALSE(is_member("0::/hm/one2\n", "/hm/one"));
  EXPECT_FALSE(is_member("0::/hm\n", "/hm/one"));
  EXPECT_FALSE(is_member("", "/hm/one"));
}

// Groups of this machine, made by hand as a runtime would make them.
class CgroupsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto probed = Cgroups::probe("hmtest-" + std::to_string(::getpid()));
    if (!probed) GTEST_SKIP() << probed.error().message;
    groups_.emplace(std::move(*probed));
  }

  void TearDown() override {
    if (!groups_) return;
    for (const std::string& id : groups_->list()) {
      EXPECT_TRUE(groups_->kill(id));
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      EXPECT_TRUE(groups_->remove(id));
    }
    groups_->remove_parent();
  }

  std::vector<std::string> hierarchies() const {
    std::vector<std::string> all;
    const auto text = linux::KernelTree("/proc").text("self/mountinfo");
    for (const auto& mount : linux::parse_mountinfo(text.value_or(""))) {
      if (mount.filesystem.starts_with("cgroup")) all.push_back(mount.mount_point);
    }
    return all;
  }

  enum class Trees { All, Version1 };
  void make(const std::string& id, Trees trees = Trees::All) {
    for (const std::string& hierarchy : hierarchies()) {
      if (trees == Trees::Version1 && hierarchy.ends_with("/unified")) continue;
      const std::string parent = hierarchy + groups_->path_of("");
      ::mkdir(parent.c_str(), 0755);
      // Version 2: what the groups below have. One by one, as one that is missing fails them all.
      for (const char* controller : {"+cpu", "+memory", "+pids"}) {
        std::ofstream(parent + "cgroup.subtree_control") << controller;
      }
      ::mkdir((parent + id).c_str(), 0755);
      if (!hierarchy.ends_with("/cpuset")) continue;
      for (const std::string& folder : {parent, parent + id}) {
        std::ofstream(folder + "/cpuset.mems") << "0";
        std::ofstream(folder + "/cpuset.cpus") << "0";
      }
    }
  }

  void enter(const std::string& id, pid_t pid) {
    for (const std::string& hierarchy : hierarchies()) {
      std::ofstream(hierarchy + groups_->path_of(id) + "/cgroup.procs") << pid;
    }
  }

  std::string members(const std::string& id) const {
    std::string all;
    for (const std::string& hierarchy : hierarchies()) {
      const linux::KernelTree tree(hierarchy + groups_->path_of(id));
      all += tree.text("cgroup.procs").value_or("");
    }
    return all;
  }

  // A child in the group that runs `work`; returns once it is in.
  template <class Work>
  pid_t start_in(const std::string& id, const Work& work) {
    std::array<int, 2> go{};
    EXPECT_EQ(::pipe(go.data()), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      char byte = 0;
      if (::read(go[0], &byte, 1) == 1) work();
      ::_exit(0);
    }
    enter(id, pid);
    EXPECT_EQ(::write(go[1], "x", 1), 1);
    ::close(go[0]);
    ::close(go[1]);
    return pid;
  }

  std::optional<Cgroups> groups_;
};

TEST_F(CgroupsTest, TheLayoutIsThatOfTheMounts) {
  bool v1 = false;
  bool v2 = false;
  const auto text = linux::KernelTree("/proc").text("self/mountinfo");
  for (const auto& mount : linux::parse_mountinfo(text.value_or(""))) {
    v1 = v1 ||
         (mount.filesystem == "cgroup" && mount.super_options.find("memory") != std::string::npos);
    v2 = v2 || mount.filesystem == "cgroup2";
  }
  const auto expected = !v1  ? containers::CgroupLayout::V2
                        : v2 ? containers::CgroupLayout::Hybrid
                             : containers::CgroupLayout::V1;
  EXPECT_EQ(groups_->layout(), expected);
}

TEST_F(CgroupsTest, WhatIsMadeIsListedAndRemovedWithEverythingBelow) {
  EXPECT_FALSE(groups_->exists("one"));
  EXPECT_TRUE(groups_->remove("one"));
  EXPECT_TRUE(groups_->kill("one"));
  make("one");
  make("two");
  make("two/inner");
  EXPECT_THAT(groups_->list(), ElementsAre("one", "two"));
  EXPECT_TRUE(groups_->exists("two"));
  ASSERT_TRUE(groups_->remove("two"));
  EXPECT_THAT(groups_->list(), ElementsAre("one"));
  ASSERT_TRUE(groups_->remove("one"));
  EXPECT_THAT(groups_->list(), IsEmpty());
  EXPECT_EQ(groups_->usage("one").error().code, ErrorCode::NotFound);
}

[[noreturn]] void multiply() {
  for (int depth = 0; depth < 5; ++depth) (void)::fork();
  ::signal(SIGTERM, SIG_IGN);
  while (true) {
    // Keeps children coming while it is being killed, but never more than a few.
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    if (child > 0) ::waitpid(child, nullptr, 0);
  }
}

TEST_F(CgroupsTest, KillEndsChildrenThatMultiplyAlsoInGroupsBelow) {
  make("bomb");
  make("bomb/inner");
  start_in("bomb", multiply);
  start_in("bomb/inner", [] { ::pause(); });
  ASSERT_TRUE(groups_->kill("bomb"));
  EXPECT_THAT(members("bomb"), IsEmpty());
  EXPECT_THAT(members("bomb/inner"), IsEmpty());
  EXPECT_TRUE(groups_->remove("bomb"));
}

TEST_F(CgroupsTest, KillEndsChildrenThatMultiplyWithoutTheAtomicKillOfVersion2) {
  if (groups_->layout() == containers::CgroupLayout::V2) GTEST_SKIP() << "needs cgroup v1";
  make("bomb", Trees::Version1);
  make("bomb/inner", Trees::Version1);
  start_in("bomb", multiply);
  start_in("bomb/inner", multiply);
  ASSERT_TRUE(groups_->kill("bomb"));
  EXPECT_THAT(members("bomb"), IsEmpty());
  EXPECT_THAT(members("bomb/inner"), IsEmpty());
  EXPECT_TRUE(groups_->remove("bomb"));
}

TEST_F(CgroupsTest, KillLeavesTheNeighbourAlone) {
  make("victim");
  make("victim2");
  start_in("victim", [] { ::pause(); });
  const pid_t neighbour = start_in("victim2", [] { ::pause(); });
  ASSERT_TRUE(groups_->kill("victim"));
  EXPECT_EQ(::waitpid(neighbour, nullptr, WNOHANG), 0);
  EXPECT_EQ(groups_->usage("victim2")->pids, 1U);
}

TEST_F(CgroupsTest, UsageIsWhatTheProcessesUsed) {
  make("busy");
  constexpr std::size_t kBytes = 8U << 20U;
  const pid_t pid = start_in("busy", [] {
    void* memory =
        ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    for (int round = 1; round < 20; ++round) std::memset(memory, round, kBytes);
    ::raise(SIGSTOP);
    ::pause();
  });
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, WUNTRACED), pid);
  ASSERT_TRUE(WIFSTOPPED(status));
  const auto usage = groups_->usage("busy");
  ASSERT_TRUE(usage);
  EXPECT_GE(usage->memory_bytes, kBytes);
  EXPECT_GE(usage->memory_peak_bytes, kBytes);
  EXPECT_GT(usage->cpu_us, 0U);
  EXPECT_EQ(usage->pids, 1U);
  EXPECT_EQ(groups_->oom_kills("busy"), 0U);
}

}  // namespace
}  // namespace hm::containers_linux
