// SPDX-License-Identifier: Apache-2.0
// Every limit, exceeded by a real program in a real container: the kernel refuses.
#include "core/containers/runtime_config.h"
#include "platform/container_runtime/hostile_test.h"
#include "platform/containers_linux/cgroup_text.h"

namespace hm::container_runtime {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;

class HostileLimitsTest : public HostileTest {
 protected:
  static int first_processor() {
    cpu_set_t own;
    CPU_ZERO(&own);
    ::sched_getaffinity(0, sizeof own, &own);
    int number = 0;
    while (number < CPU_SETSIZE - 1 && !CPU_ISSET(number, &own)) ++number;
    return number;
  }
};

TEST_F(HostileLimitsTest, AForkBombStopsAtTheLimitAndIsEndedAsAWhole) {
  ports::ContainerOrder order = attack({"fork"});
  order.spec.limits.pids = 64;
  Recorder recorder;
  const auto stream = start(std::move(order), &recorder);
  ASSERT_TRUE(stream) << stream.error().message;
  ASSERT_TRUE(ended(recorder));
  const Told told = lines_of(recorder.out);
  EXPECT_EQ(told.at("fork"), "EAGAIN");
  EXPECT_THAT(number_of(told, "children"), AllOf(Ge(32U), Le(64U)));
  // Its first process ended, and with it all the others.
  EXPECT_TRUE(remove("attack"));
}

TEST_F(HostileLimitsTest, KilledAForkBombLeavesNothing) {
  ports::ContainerOrder order = attack({"bomb"});
  order.spec.limits.pids = 64;
  const auto going = begin(std::move(order));
  EXPECT_TRUE(ask<void>([&](auto done) { runtime_->kill("attack", done); }));
  EXPECT_TRUE(ended(going->recorder));
  EXPECT_EQ(going->recorder.code, 137);
  EXPECT_EQ(text_of(group_file("attack", "pids", "cgroup.procs", "cgroup.procs")), "");
}

TEST_F(HostileLimitsTest, AMemoryHogIsEndedAtItsLimitSwapIncluded) {
  ports::ContainerOrder order = attack({"memory", "512"});
  order.spec.limits.memory_bytes = 32 * kMiB;
  Recorder recorder;
  const auto stream = start(order, &recorder);
  ASSERT_TRUE(stream) << stream.error().message;
  ASSERT_TRUE(ended(recorder));
  EXPECT_EQ(recorder.code, 137);
  EXPECT_TRUE(recorder.out_of_memory);
  EXPECT_THAT(recorder.out, Not(HasSubstr("memory: done")));
}

TEST_F(HostileLimitsTest, SwapIsLimitedTogetherWithMemory) {
  ports::ContainerOrder order = attack({"wait"});
  order.spec.limits.memory_bytes = 32 * kMiB;
  const auto going = begin(std::move(order));
  const std::string file =
      group_file("attack", "memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
  if (!fs::exists(file)) GTEST_SKIP() << "this kernel does not count swap";
  const std::string wanted = file.ends_with("swap.max") ? "0\n" : std::to_string(32 * kMiB) + "\n";
  EXPECT_EQ(text_of(file), wanted);
}

TEST_F(HostileLimitsTest, WhatIsWrittenInMemoryEndsAtTheLimit) {
  ports::ContainerOrder order = attack({"fill", "/dev/shm/big", "512"});
  order.spec.limits.memory_bytes = 64 * kMiB;
  const Told told = attempt(std::move(order));
  EXPECT_EQ(told.at("fill"), "ENOSPC");
  EXPECT_LE(number_of(told, "written"), 32 * kMiB);
  ports::ContainerOrder scratch = attack({"fill", "/mine/big", "512"});
  scratch.spec.scratch = {{.path = "/mine", .bytes = 4 * kMiB}};
  EXPECT_EQ(number_of(attempt(std::move(scratch)), "written"), 4 * kMiB);
}

TEST_F(HostileLimitsTest, ADiskFillerIsToldThatTheDiskIsFullAndTheHostsDiskIsNot) {
  if (const auto can = containers_linux::can_limit_disk(); !can)
    GTEST_SKIP() << can.error().message;
  ports::ContainerOrder order = attack({"fill", "/big", "512"});
  order.spec.limits.disk_bytes = 16 * kMiB;
  Recorder recorder;
  const auto stream = start(std::move(order), &recorder);
  ASSERT_TRUE(stream) << stream.error().message << stream.error().detail;
  ASSERT_TRUE(ended(recorder));
  const Told told = lines_of(recorder.out);
  EXPECT_EQ(told.at("fill"), "ENOSPC");
  EXPECT_LE(number_of(told, "written"), 16 * kMiB);
  std::uint64_t on_host = 0;
  for (const auto& entry : fs::recursive_directory_iterator(
           options_.state_folder, fs::directory_options::skip_permission_denied)) {
    struct stat info{};
    if (entry.path().extension() != ".img" || ::stat(entry.path().c_str(), &info) != 0) continue;
    on_host += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  EXPECT_THAT(on_host, AllOf(Ge(8 * kMiB), Le(17 * kMiB)));
}

TEST_F(HostileLimitsTest, AVolumeIsFullAtItsSize) {
  if (const auto can = containers_linux::can_limit_disk(); !can)
    GTEST_SKIP() << can.error().message;
  ports::ContainerOrder order = attack({"fill", "/volume/big", "512"});
  order.tenant = "tenant";
  order.spec.volumes = {{.name = "data", .path = "/volume", .bytes = 16 * kMiB}};
  const Told told = attempt(std::move(order));
  EXPECT_EQ(told.at("fill"), "ENOSPC");
  EXPECT_THAT(number_of(told, "written"), AllOf(Ge(8 * kMiB), Le(16 * kMiB)));
}

TEST_F(HostileLimitsTest, OpenFilesEndAtTheLimit) {
  const Told told = attempt_to({"files"});
  EXPECT_EQ(told.at("open"), "EMFILE");
  EXPECT_LE(number_of(told, "files"), 65'536U);
}

// --- time ---

struct Throttling {
  std::uint64_t periods = 0;
  std::uint64_t throttled = 0;
};
Throttling throttling_of(const std::string& file) {
  const std::string text = text_of(file);
  return {.periods = containers_linux::flat_value(text, "nr_periods").value_or(0),
          .throttled = containers_linux::flat_value(text, "nr_throttled").value_or(0)};
}

TEST_F(HostileLimitsTest, AHogGetsNoMoreTimeThanItsQuota) {
  ports::ContainerOrder order = attack({"hog", "4"});
  order.spec.limits.cpu_millicores = 200;
  const auto hog = begin(std::move(order));
  const std::string file = group_file("attack", "cpu", "cpu.stat", "cpu.stat");
  const auto used = [this] { return usage("attack").cpu_us.value_or(0); };
  constexpr std::uint64_t kPeriods = 10;
  // From a moment at which the quota holds: what the OCI runtime used before is not counted.
  ASSERT_TRUE(wait_for([&] { return throttling_of(file).throttled > 0; }));
  const Throttling before = throttling_of(file);
  const std::uint64_t used_before = used();
  ASSERT_TRUE(
      wait_for([&] { return throttling_of(file).throttled >= before.throttled + kPeriods; }));
  const std::uint64_t used_after = used();
  const std::uint64_t periods = throttling_of(file).periods - before.periods;
  constexpr std::uint64_t kQuotaUs = 200 * containers::kCpuPeriodUs / 1000;
  EXPECT_GE(periods, kPeriods);
  // One quota more for the period that is under way at either end. The kernel looks at its clock
  // ticks, and what is used beyond the quota until then is taken off later periods: on a virtual
  // processor that was held up, some ticks' worth. Without a quota it would be five times as much.
  EXPECT_LE(used_after - used_before, kQuotaUs * (periods * 3 / 2 + 2));
  EXPECT_GT(usage("attack").throttled_us.value_or(0), 0U);
}

TEST_F(HostileLimitsTest, OwnProcessorsAreAllThatItMayUse) {
  ports::ContainerOrder order = attack({"processors"});
  order.spec.limits.cpu_mode = containers::CpuMode::Pinned;
  const Told told = attempt(std::move(order));
  EXPECT_EQ(told.at("processors"), "1");
  EXPECT_EQ(told.at("other"), "EINVAL");
}

// Two hogs on one processor, which must share whatever the rest of the machine leaves of it.
class HostileShareTest : public HostileLimitsTest {
 protected:
  bool leave_one_processor() {
    const fs::path parent =
        fs::path(group_file("x", "cpuset", "x", "x")).parent_path().parent_path();
    if (!fs::exists(parent.parent_path() / "cpuset.cpus") &&
        !fs::exists(parent / "cpuset.cpus.effective")) {
      return false;
    }
    fs::create_directory(parent);
    std::ofstream(parent / "cpuset.mems") << "0";
    std::ofstream(parent / "cpuset.cpus") << first_processor();
    return true;
  }
  // The second one's part of both's time, in percent, gets into these bounds. It is looked at again
  // and again: what a processor that is held up charges to one of them evens out.
  void expect_share(ports::ContainerOrder first, ports::ContainerOrder second, std::uint64_t least,
                    std::uint64_t most) {
    first.id = "first";
    second.id = "second";
    const auto one = begin(std::move(first));
    const auto other = begin(std::move(second));
    const auto time_of = [this](const char* id) { return usage(id).cpu_us.value_or(0); };
    const std::uint64_t one_before = time_of("first");
    const std::uint64_t other_before = time_of("second");
    constexpr std::uint64_t kEnoughUs = 1'000'000;
    std::uint64_t share = 0;
    const bool is_within = wait_for([&] {
      const std::uint64_t other_used = time_of("second") - other_before;
      const std::uint64_t all_used = time_of("first") - one_before + other_used;
      if (all_used < kEnoughUs) return false;
      share = other_used * 100 / all_used;
      return share >= least && share <= most;
    });
    EXPECT_TRUE(is_within) << share << " %, not " << least << " to " << most;
  }
};

TEST_F(HostileShareTest, AHogOfManyThreadsLeavesItsNeighbourTheNeighboursShare) {
  if (!leave_one_processor()) GTEST_SKIP() << "no cpuset controller";
  expect_share(attack({"hog", "16"}), attack({"hog", "1"}), 45, 100);
}

TEST_F(HostileShareTest, WhoLeasedHalfAsMuchGetsHalfAsMuchWhereBothWantAll) {
  if (!leave_one_processor()) GTEST_SKIP() << "no cpuset controller";
  // The quotas together are more than the processor has: what decides are the weights.
  ports::ContainerOrder half = attack({"hog", "4"});
  half.spec.limits.cpu_millicores = 500;
  expect_share(attack({"hog", "4"}), std::move(half), 28, 39);
}

// --- the disk ---

// The kernel holds a transfer back until its time has come; how long it takes beyond that is the
// machine's affair, so only "not faster" is judged.
class HostileDiskTest : public HostileLimitsTest {
 protected:
  static constexpr std::uint64_t kRate = 4 * kMiB;
  static constexpr const char* kMebibytes = "6";
  static constexpr std::uint64_t kLeastMs = 1200;  // of 1500, as bursts are let through

  // Of the transfer alone, as the program in the container saw it.
  std::uint64_t milliseconds_of(ports::ContainerOrder order) {
    const Told told = attempt(std::move(order));
    EXPECT_EQ(told.at("transfer"), "done");
    return number_of(told, "milliseconds");
  }
};

TEST_F(HostileDiskTest, WritesAreNotFasterThanTheirRate) {
  if (const auto can = containers_linux::can_limit_disk(); !can)
    GTEST_SKIP() << can.error().message;
  if (containers_linux::disks_under({folder_}).empty()) GTEST_SKIP() << "no disk under " << folder_;
  ports::ContainerOrder order = attack({"direct-write", "/big", kMebibytes});
  order.spec.limits.disk_bytes = 16 * kMiB;
  order.spec.limits.write_bytes_per_second = kRate;
  EXPECT_GE(milliseconds_of(std::move(order)), kLeastMs);
}

TEST_F(HostileDiskTest, WritesThroughThePageCacheAreNotFasterEither) {
  if (runtime_->facts().cgroups != "v2") GTEST_SKIP() << "needs cgroup v2";
  if (const auto can = containers_linux::can_limit_disk(); !can)
    GTEST_SKIP() << can.error().message;
  if (containers_linux::disks_under({folder_}).empty()) GTEST_SKIP() << "no disk under " << folder_;
  ports::ContainerOrder order = attack({"cached-write", "/big", kMebibytes});
  order.spec.limits.disk_bytes = 16 * kMiB;
  order.spec.limits.write_bytes_per_second = kRate;
  EXPECT_GE(milliseconds_of(std::move(order)), kLeastMs);
}

TEST_F(HostileDiskTest, WhatIsNotLimitedIsCountedAllTheSame) {
  if (const auto can = containers_linux::can_limit_disk(); !can)
    GTEST_SKIP() << can.error().message;
  if (containers_linux::disks_under({folder_}).empty()) GTEST_SKIP() << "no disk under " << folder_;
  ports::ContainerOrder order = attack({"direct-write", "/big", kMebibytes});
  order.spec.limits.disk_bytes = 16 * kMiB;
  const auto going = begin(std::move(order));
  ASSERT_TRUE(ended(going->recorder));
  EXPECT_GE(usage("attack").written_bytes.value_or(0), 6 * kMiB);
}

TEST_F(HostileDiskTest, ReadsAreNotFasterThanTheirRate) {
  if (containers_linux::disks_under({folder_}).empty()) GTEST_SKIP() << "no disk under " << folder_;
  const fs::path big = folder_ / "layer/big";
  std::ofstream(big) << std::string(6 * kMiB, 'x') << std::flush;
  give(big);
  ports::ContainerOrder order = attack({"direct-read", "/big", kMebibytes});
  order.spec.limits.read_bytes_per_second = kRate;
  EXPECT_GE(milliseconds_of(std::move(order)), kLeastMs);
}

}  // namespace
}  // namespace hm::container_runtime
