// SPDX-License-Identifier: Apache-2.0
// What outlives the daemon, and what does not outlive its monitor.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "platform/container_runtime/runtime_fixture.h"

namespace hm::container_runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AdoptionTest : public RuntimeTest {
 protected:
  void TearDown() override {
    end_owner();
    RuntimeTest::TearDown();
  }

  // Starts a container by another process, which is killed with kill_owner(). Returns when the
  // container wrote "up".
  void start_by_owner(const std::string& id, const std::string& script) {
    runtime_.reset();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const std::string program = fs::path(options_.monitor_path).parent_path() / "container-owner";
    std::vector<std::string> arguments{program,
                                       options_.state_folder,
                                       options_.monitor_path,
                                       options_.group,
                                       options_.network_tag,
                                       (folder_ / "layer").string(),
                                       id,
                                       script};
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ASSERT_EQ(::posix_spawn(&owner_, program.c_str(), &actions, nullptr, pointers.data(), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::string said;
    char c = 0;
    while (::read(ends[0], &c, 1) == 1 && c != '\n') said += c;
    ::close(ends[0]);
    ASSERT_EQ(said, "up");
  }
  void end_owner() {
    if (owner_ <= 0) return;
    ::kill(owner_, SIGKILL);
    ::waitpid(owner_, nullptr, 0);
    owner_ = -1;
  }

  // The monitors of this test's containers: processes whose command line has the state folder.
  std::vector<pid_t> monitors() const {
    std::vector<pid_t> all;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream file(entry.path() / "cmdline");
      std::stringstream text;
      text << file.rdbuf();
      if (text.str().starts_with(options_.monitor_path) &&
          text.str().find(options_.state_folder) != std::string::npos) {
        all.push_back(static_cast<pid_t>(std::stol(name)));
      }
    }
    return all;
  }
  std::vector<std::string> groups() const {
    const auto cgroups = containers_linux::Cgroups::probe(options_.group);
    return cgroups ? cgroups->list() : std::vector<std::string>{"no control groups"};
  }
  void expect_nothing_left() {
    EXPECT_THAT(containers_linux::mounts_below(folder_.string()), IsEmpty());
    EXPECT_THAT(groups(), IsEmpty());
    EXPECT_TRUE(wait_for([this] { return monitors().empty(); }));
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "state")) {
      if (entry.path().filename().string().front() != '.') names.push_back(entry.path().filename());
    }
    EXPECT_THAT(names, IsEmpty());
  }
  std::string logs(const std::string& id, std::size_t tail = kPlenty) {
    Recorder recorder;
    const auto stream = ask<std::unique_ptr<ports::ContainerStream>>([&](auto done) {
      runtime_->logs(id, tail, ports::ContainerRuntime::Follow::No, recorder, done);
    });
    EXPECT_TRUE(stream);
    (*stream)->allow(kPlenty);
    EXPECT_TRUE(ended(recorder));
    return recorder.out + recorder.error;
  }

  pid_t owner_ = -1;
};

TEST_F(AdoptionTest, AContainerOutlivesItsKilledDaemonAndIsAttachedAgain) {
  start_by_owner("lives", "echo up; read line; echo then $line; echo done >&2; exit 6");
  end_owner();
  int holds = 0;
  options_.hold_image = [&holds](const crypto::Digest&) {
    ++holds;
    return std::shared_ptr<void>();
  };
  open();
  EXPECT_EQ(holds, 1);
  const auto found = existing("lives");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, ports::ContainerState::Running);
  EXPECT_EQ(found->order.label, Bytes{7});
  EXPECT_EQ(found->order.spec.lifetime, containers::Lifetime::Detached);
  Recorder recorder;
  const auto stream = attach("lives", recorder);
  ASSERT_TRUE(stream);
  (*stream)->allow(kPlenty);
  (*stream)->write(to_bytes(as_bytes("word\n")));
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.out, "then word\n");
  EXPECT_EQ(recorder.error, "done\n");
  EXPECT_EQ(recorder.code, 6);
  EXPECT_THAT(exits_, ElementsAre(std::pair<std::string, int>("lives", 6)));
  EXPECT_THAT(logs("lives"), HasSubstr("up\nthen word\n"));
  ASSERT_TRUE(remove("lives"));
  expect_nothing_left();
}

TEST_F(AdoptionTest, WhatEndsWhileNoDaemonRunsIsKnownToTheNext) {
  start_by_owner("ends", "echo up; sleep 0.2; echo late; exit 5");
  end_owner();
  ASSERT_TRUE(wait_for([this] { return fs::exists(folder_ / "state/ends/exit"); }));
  open();
  const auto found = existing("ends");
  ASSERT_TRUE(found && found->exit);
  EXPECT_EQ(found->state, ports::ContainerState::Exited);
  EXPECT_EQ(found->exit->code, 5);
  EXPECT_EQ(logs("ends"), "up\nlate\n");
  // What nobody had seen yet.
  Recorder recorder;
  const auto stream = attach("ends", recorder);
  ASSERT_TRUE(stream);
  (*stream)->allow(kPlenty);
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.out, "late\n");
  EXPECT_EQ(recorder.code, 5);
  ASSERT_TRUE(remove("ends"));
  expect_nothing_left();
}

TEST_F(AdoptionTest, AKilledMonitorEndsItsContainerNowOrAtTheNextOpening) {
  ASSERT_TRUE(start(order("now", {"/bin/sleep", "1000"}), nullptr));
  ASSERT_THAT(monitors(), SizeIs(1));
  ::kill(monitors().front(), SIGKILL);
  ASSERT_TRUE(has_exited("now"));
  EXPECT_EQ(existing("now")->exit->code, 137);
  EXPECT_THAT(exits_, ElementsAre(std::pair<std::string, int>("now", 137)));
  ASSERT_TRUE(remove("now"));

  start_by_owner("later", "echo up; sleep 1000");
  end_owner();
  ASSERT_THAT(monitors(), SizeIs(1));
  ::kill(monitors().front(), SIGKILL);
  ASSERT_TRUE(wait_for([this] { return monitors().empty(); }));
  EXPECT_THAT(groups(), ElementsAre("later"));
  open();
  const auto found = existing("later");
  ASSERT_TRUE(found && found->exit);
  EXPECT_EQ(found->exit->code, 137);
  EXPECT_THAT(groups(), IsEmpty());
  ASSERT_TRUE(remove("later"));
  expect_nothing_left();
}

TEST_F(AdoptionTest, AMonitorIgnoresEverySignalThatCanBeIgnored) {
  ASSERT_TRUE(start(order("calm", {"/bin/sleep", "1000"}), nullptr));
  ASSERT_THAT(monitors(), SizeIs(1));
  for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGUSR1, SIGALRM}) {
    ::kill(monitors().front(), number);
  }
  const auto usage = ask<ports::ContainerUsage>([&](auto done) { runtime_->usage("calm", done); });
  EXPECT_TRUE(usage);
  EXPECT_EQ(existing("calm")->state, ports::ContainerState::Running);
  EXPECT_THAT(monitors(), SizeIs(1));
}

TEST_F(AdoptionTest, HalfMadeContainersAndStrayGroupsAreLeftoversAndAreRemoved) {
  runtime_.reset();
  const fs::path half = folder_ / "state/half/files/root";
  fs::create_directories(half);
  ASSERT_EQ(::mount("hm-test", half.c_str(), "tmpfs", 0, "size=64k"), 0);
  const auto cgroups = containers_linux::Cgroups::probe(options_.group);
  ASSERT_TRUE(cgroups);
  const fs::path pids =
      cgroups->layout() == containers::CgroupLayout::V2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
  fs::create_directories(pids / options_.group / "stray");
  const auto found = find_leftovers(options_);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->folders, ElementsAre("half"));
  EXPECT_THAT(found->groups, ElementsAre("stray"));
  EXPECT_THAT(found->mounts, ElementsAre(half.string()));
  ASSERT_TRUE(remove_leftovers(options_, *found));
  EXPECT_TRUE(find_leftovers(options_)->empty());
  expect_nothing_left();
  open();
}

TEST_F(AdoptionTest, ARunningContainerIsNoLeftover) {
  start_by_owner("lives", "echo up; sleep 1000");
  end_owner();
  EXPECT_TRUE(find_leftovers(options_)->empty());
  open();
  EXPECT_EQ(existing("lives")->state, ports::ContainerState::Running);
}

TEST_F(AdoptionTest, ManyContainersLeaveNothing) {
  constexpr int kAll = 20;
  constexpr std::size_t kAtATime = 4;
  struct One {
    std::string id;
    Recorder recorder;
    std::unique_ptr<ports::ContainerStream> stream;
    bool is_asked = false;
    bool is_removed = false;
  };
  std::vector<std::unique_ptr<One>> all;
  const auto running = [&all] {
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [](const auto& one) { return !one->is_removed; }));
  };
  const auto remove_ended = [&] {
    for (const auto& one : all) {
      if (one->recorder.ends == 0 || std::exchange(one->is_asked, true)) continue;
      runtime_->remove(one->id, [&one = *one](Result<void> removed) {
        EXPECT_TRUE(removed);
        one.is_removed = true;
      });
    }
  };
  for (int i = 0; i < kAll; ++i) {
    ASSERT_TRUE(wait_for([&] { return remove_ended(), running() < kAtATime; }));
    all.push_back(std::make_unique<One>());
    One& one = *all.back();
    one.id = "many-" + std::to_string(i);
    runtime_->start(order(one.id, shell("echo " + one.id + "; exit " + std::to_string(i))), image(),
                    &one.recorder, [&one](ports::StreamResult started) {
                      ASSERT_TRUE(started);
                      one.stream = std::move(*started);
                      one.stream->allow(kPlenty);
                    });
  }
  ASSERT_TRUE(wait_for([&] { return remove_ended(), running() == 0; }));
  for (int i = 0; i < kAll; ++i) {
    const One& one = *all[static_cast<std::size_t>(i)];
    EXPECT_EQ(one.recorder.out, one.id + "\n");
    EXPECT_EQ(one.recorder.code, i);
  }
  EXPECT_THAT(runtime_->existing(), IsEmpty());
  expect_nothing_left();
}

TEST_F(AdoptionTest, RemovingOneThatRunsEndsItAndLeavesNothing) {
  Recorder recorder;
  const auto stream =
      start(order("runs", shell("trap '' TERM; yes & sleep 1000")), &recorder, 1000);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(remove("runs"));
  EXPECT_EQ(recorder.ends, 1);
  EXPECT_EQ(recorder.code, 137);
  EXPECT_LE(recorder.out.size(), 1000U);
  ASSERT_TRUE(remove("runs"));  // fine if there is none
  expect_nothing_left();
}

}  // namespace
}  // namespace hm::container_runtime
