// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/runtime.h"

#include <gmock/gmock.h>

#include <csignal>
#include <sstream>

#include "core/containers/limits.h"
#include "platform/container_runtime/runtime_fixture.h"
#include "platform/linux/activity_probe.h"

namespace hm::container_runtime {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(RuntimeTest, AProcessWritesOnTwoLanesAndEndsWithItsCode) {
  const Recorder recorder = run(order("one", shell("echo out; echo error >&2; exit 3")));
  EXPECT_EQ(recorder.out, "out\n");
  EXPECT_EQ(recorder.error, "error\n");
  EXPECT_EQ(recorder.code, 3);
  EXPECT_EQ(recorder.ends, 1);
  EXPECT_EQ(exits_, (std::vector<std::pair<std::string, int>>{{"one", 3}}));
  const auto found = existing("one");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, ports::ContainerState::Exited);
  EXPECT_EQ(found->exit->code, 3);
  EXPECT_EQ(found->order.label, (Bytes{1, 2, 3}));
}

TEST_F(RuntimeTest, SuccessIsZeroAndASignalIs128AndItsNumber) {
  EXPECT_EQ(run(order("true", {"/bin/true"})).code, 0);
  Recorder recorder;
  const auto stream = start(order("signalled", {"/bin/sleep", "1000"}), &recorder);
  ASSERT_TRUE(stream);
  EXPECT_TRUE(ask<void>([&](auto done) { runtime_->signal("signalled", SIGKILL, done); }));
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.code, 137);
  EXPECT_FALSE(recorder.out_of_memory);
}

TEST_F(RuntimeTest, TheStreamSendsSignalsToo) {
  Recorder recorder;
  const auto stream = start(
      order("trap",
            shell("trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.01; done")),
      &recorder);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(wait_for([&] { return recorder.out == "ready\n"; }));
  (*stream)->signal(SIGUSR1);
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.out, "ready\ncaught\n");
  EXPECT_EQ(recorder.code, 7);
}

TEST_F(RuntimeTest, AProgramThatIsNotThereFailsTheStartAndLeavesNothing) {
  Recorder recorder;
  const auto stream = start(order("nosuch", {"/bin/nosuch"}), &recorder);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, ErrorCode::FailedPrecondition);
  EXPECT_THAT(stream.error().detail, HasSubstr("/bin/nosuch"));
  EXPECT_EQ(recorder.ends, 0);
  EXPECT_THAT(runtime_->existing(), IsEmpty());
  EXPECT_FALSE(fs::exists(folder_ / "state/nosuch"));
}

TEST_F(RuntimeTest, AnIdIsUsedOnceAndHasABoundedSpelling) {
  ASSERT_EQ(run(order("one", {"/bin/true"})).code, 0);
  EXPECT_EQ(start(order("one", {"/bin/true"}), nullptr).error().code, ErrorCode::AlreadyExists);
  for (const char* id : {"", "../x", "A", "-a", "a/b"}) {
    EXPECT_EQ(start(order(id, {"/bin/true"}), nullptr).error().code, ErrorCode::InvalidArgument);
  }
}

TEST_F(RuntimeTest, InputComesBackAndNeverMoreThanWasAllowed) {
  constexpr std::size_t kTotal = 10 << 20;
  constexpr std::size_t kStep = 64 * 1024;
  Recorder recorder;
  const auto stream = start(order("cat", {"/bin/cat"}), &recorder, kStep);
  ASSERT_TRUE(stream);
  std::string sent;
  std::size_t allowed = kStep;
  unsigned state = 1;
  while (recorder.out.size() < kTotal) {
    while (sent.size() < kTotal &&
           sent.size() - recorder.taken + kStep <= ports::kMaxPendingInput) {
      Bytes part(kStep);
      for (auto& byte : part)
        byte = static_cast<std::uint8_t>((state = state * 1103515245 + 12345) >> 16);
      sent += as_text(part);
      (*stream)->write(std::move(part));
    }
    ASSERT_TRUE(wait_for([&] { return recorder.out.size() == allowed; }));
    allowed += kStep;
    (*stream)->allow(kStep);
    ASSERT_LE(recorder.out.size(), allowed);
  }
  (*stream)->close_input();
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.taken, kTotal);
  EXPECT_EQ(recorder.code, 0);
  EXPECT_TRUE(recorder.out == sent);
}

TEST_F(RuntimeTest, NothingComesBeforeItIsAllowedEvenAfterTheEnd) {
  Recorder recorder;
  const auto stream = start(order("late", shell("echo 123456789; exit 4")), &recorder, 0);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(wait_for([&] { return !exits_.empty(); }));
  EXPECT_THAT(recorder.out, IsEmpty());
  EXPECT_EQ(recorder.ends, 0);
  (*stream)->allow(4);
  ASSERT_TRUE(wait_for([&] { return recorder.out.size() == 4; }));
  EXPECT_EQ(recorder.ends, 0);
  (*stream)->allow(kPlenty);
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.out, "123456789\n");
  EXPECT_EQ(recorder.code, 4);
}

TEST_F(RuntimeTest, ATerminalHasASizeAndAnEndOfInput) {
  auto made =
      order("pty", shell("tty; stty size; read line; echo got $line; stty size; cat; exit 5"));
  made.spec.process.terminal = containers::Terminal::Pty;
  Recorder recorder;
  const auto stream = start(std::move(made), &recorder, 0);
  ASSERT_TRUE(stream);
  (*stream)->resize(33, 77);
  (*stream)->allow(kPlenty);
  (*stream)->write(to_bytes(as_bytes("word\n")));
  ASSERT_TRUE(wait_for([&] { return recorder.out.find("got word") != std::string::npos; }));
  (*stream)->close_input();
  ASSERT_TRUE(ended(recorder));
  EXPECT_THAT(recorder.out, HasSubstr("/dev/pts/0"));
  EXPECT_THAT(recorder.out, HasSubstr("33 77"));
  EXPECT_THAT(recorder.error, IsEmpty());
  EXPECT_EQ(recorder.code, 5);
}

TEST_F(RuntimeTest, OneMoreProcessRunsInTheContainerAndEndsWithItsStream) {
  Recorder own;
  const auto container = start(order("busy", {"/bin/sleep", "1000"}), &own);
  ASSERT_TRUE(container);
  const auto exec = [&](std::vector<std::string> arguments, Recorder& recorder) {
    containers::ProcessSpec process;
    process.arguments = std::move(arguments);
    auto stream = ask<std::unique_ptr<ports::ContainerStream>>(
        [&](auto done) { runtime_->exec("busy", process, recorder, done); });
    if (stream) (*stream)->allow(kPlenty);
    return stream;
  };
  Recorder first;
  const auto one = exec(shell("echo out; echo error >&2; cat; exit 9"), first);
  ASSERT_TRUE(one) << one.error().detail;
  (*one)->write(to_bytes(as_bytes("input")));
  (*one)->close_input();
  ASSERT_TRUE(ended(first));
  EXPECT_EQ(first.out, "out\ninput");
  EXPECT_EQ(first.error, "error\n");
  EXPECT_EQ(first.code, 9);

  Recorder quiet;
  containers::ProcessSpec process;
  process.arguments = {"/bin/false"};
  const auto silent = ask<std::unique_ptr<ports::ContainerStream>>(
      [&](auto done) { runtime_->exec("busy", process, quiet, done); });
  ASSERT_TRUE(silent && ended(quiet));
  EXPECT_EQ(quiet.code, 1);

  Recorder nosuch;
  EXPECT_EQ(exec({"/bin/nosuch"}, nosuch).error().code, ErrorCode::FailedPrecondition);

  Recorder second;
  auto two = exec(shell("echo $$; sleep 1234"), second);
  ASSERT_TRUE(two);
  ASSERT_TRUE(wait_for([&] { return !second.out.empty(); }));
  const auto count_processes = [&] {
    Recorder listed;
    const auto stream = exec(shell("ps | grep -c 'slee[p] 1234'"), listed);
    EXPECT_TRUE(stream && ended(listed));
    return listed.out;
  };
  EXPECT_NE(count_processes(), "0\n");
  two->reset();
  EXPECT_TRUE(wait_for([&] { return count_processes() == "0\n"; }));
  EXPECT_EQ(own.ends, 0);
}

TEST_F(RuntimeTest, AProcessAtATerminalHasNoDescriptorButThat) {
  auto made = order("pty", shell("for fd in /proc/$$/fd/*; do readlink $fd; done"));
  made.spec.process.terminal = containers::Terminal::Pty;
  std::istringstream lines(run(std::move(made)).out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(line == "/dev/pts/0\r" || line == "/dev/tty\r") << line;
  }
  EXPECT_GE(count, 3);
}

TEST_F(RuntimeTest, ATreeOfProcessesIsKilledAtOnce) {
  Recorder recorder;
  const auto stream =
      start(order("tree", shell("for i in 1 2 3 4 5; do (trap '' TERM INT HUP; setsid sleep 1000 & "
                                "sleep 1000) & done; echo up; sleep 1000")),
            &recorder);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(wait_for([&] { return recorder.out == "up\n"; }));
  EXPECT_TRUE(ask<void>([&](auto done) { runtime_->kill("tree", done); }));
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.code, 137);
}

TEST_F(RuntimeTest, MemoryAboveTheLimitEndsTheProcessAndIsSaid) {
  auto made = order("hungry", shell("dd if=/dev/zero of=/dev/null bs=200M count=1"));
  made.spec.limits.memory_bytes = 16 << 20;
  const Recorder recorder = run(std::move(made));
  EXPECT_NE(recorder.code, 0);
  EXPECT_TRUE(recorder.out_of_memory);
}

TEST_F(RuntimeTest, AStartAgainHasTheSameFilesAndCountsOn) {
  ASSERT_EQ(run(order("again", shell("echo line >>/data/file; wc -l </data/file; i=0; while [ $i "
                                     "-lt 20000 ]; do i=$((i+1)); done")))
                .out,
            "1\n");
  const auto before =
      ask<ports::ContainerUsage>([&](auto done) { runtime_->usage("again", done); });
  ASSERT_TRUE(before);
  EXPECT_GT(before->cpu_us.value_or(0), 0U);
  EXPECT_EQ(before->memory_bytes, 0U);
  ASSERT_TRUE(ask<void>([&](auto done) { runtime_->restart("again", done); }));
  ASSERT_TRUE(wait_for([&] { return exits_.size() == 2; }));
  const auto found = existing("again");
  EXPECT_EQ(found->restarts, 1U);
  EXPECT_EQ(found->exit->code, 0);
  const auto after = ask<ports::ContainerUsage>([&](auto done) { runtime_->usage("again", done); });
  EXPECT_GT(after->cpu_us.value_or(0), before->cpu_us.value_or(0));
  Recorder rest;
  const auto stream = attach("again", rest);
  ASSERT_TRUE(stream);
  (*stream)->allow(kPlenty);
  ASSERT_TRUE(ended(rest));
  EXPECT_EQ(rest.out, "2\n");
}

TEST_F(RuntimeTest, ARunningContainerIsNotStartedAgain) {
  ASSERT_TRUE(start(order("runs", {"/bin/sleep", "1000"}), nullptr));
  EXPECT_EQ(ask<void>([&](auto done) { runtime_->restart("runs", done); }).error().code,
            ErrorCode::FailedPrecondition);
  EXPECT_EQ(ask<void>([&](auto done) { runtime_->restart("none", done); }).error().code,
            ErrorCode::NotFound);
}

TEST_F(RuntimeTest, UsageIsMeasuredWhileItRuns) {
  ASSERT_TRUE(start(order("used", {"/bin/sleep", "1000"}), nullptr));
  const auto usage = ask<ports::ContainerUsage>([&](auto done) { runtime_->usage("used", done); });
  ASSERT_TRUE(usage);
  EXPECT_GT(usage->memory_bytes.value_or(0), 0U);
  EXPECT_GE(usage->pids.value_or(0), 1U);
  EXPECT_TRUE(usage->disk_bytes);
}

TEST_F(RuntimeTest, WhatItUsedIsNoUseByTheOwner) {
  const std::string group = containers_linux::Cgroups::time_folder(options_.group);
  ASSERT_TRUE(group.starts_with("/sys/")) << group;
  linux::ActivityProbeOptions lending;
  lending.lent_group = group.substr(std::string_view("/sys/").size());
  const auto probe = linux::make_activity_probe(lending);
  const auto read = [&probe](int second) {
    return probe->read(MonoTime(std::chrono::seconds(second)), UnixMillis(1'000'000));
  };
  read(0);
  ASSERT_TRUE(start(order("busy", shell("while :; do :; done")), nullptr));
  const auto used = [this] {
    const auto usage =
        ask<ports::ContainerUsage>([&](auto done) { runtime_->usage("busy", done); });
    return usage ? usage->cpu_us.value_or(0) : 0;
  };
  ASSERT_TRUE(wait_for([&] { return used() > 500'000; }));
  // Also of one that is gone.
  EXPECT_TRUE(remove("busy"));
  const auto after = read(1);
  ASSERT_TRUE(after.lent && after.load);
  EXPECT_GT(*after.lent, 0U);
  EXPECT_LE(*after.lent + *after.load, activity::kWholeMachine);
}

TEST_F(RuntimeTest, WhatAMachineCannotDoIsRefusedBeforeAnythingIsMade) {
  auto made = order("big", {"/bin/true"});
  made.spec.limits.cpu_millicores = containers::kMaxMillicores;
  EXPECT_EQ(runtime_->check(made.spec).error().code, ErrorCode::NoCapacity);
  EXPECT_EQ(start(std::move(made), nullptr).error().code, ErrorCode::NoCapacity);
  made = order("network", {"/bin/true"});
  made.spec.network = privacy::NetworkClass::Internet;
  EXPECT_EQ(runtime_->check(made.spec).error().code, ErrorCode::Unsupported);
  made = order("volume", {"/bin/true"});
  made.spec.volumes = {{.name = "data", .path = "/data", .bytes = 8 << 20}};
  EXPECT_EQ(start(std::move(made), nullptr).error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(runtime_->existing(), IsEmpty());
}

TEST_F(RuntimeTest, OwnProcessorsAreGivenOnceAtATime) {
  const auto cores = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  auto made = order("pinned", {"/bin/sleep", "1000"});
  made.spec.limits.cpu_mode = containers::CpuMode::Pinned;
  made.spec.limits.cpu_millicores = cores * 1000;
  if (const auto fits = runtime_->check(made.spec); !fits) GTEST_SKIP() << fits.error().message;
  ASSERT_TRUE(start(made, nullptr));
  made.id = "second";
  made.spec.limits.cpu_millicores = 1000;
  EXPECT_EQ(start(made, nullptr).error().code, ErrorCode::NoCapacity);
  ASSERT_TRUE(remove("pinned"));
  EXPECT_TRUE(start(made, nullptr));
}

}  // namespace
}  // namespace hm::container_runtime
