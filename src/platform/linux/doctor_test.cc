// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "platform/linux/doctor_checks.h"
#include "platform/linux/kernel_tree.h"
#include "platform/linux/planted_tree.h"

namespace hm::linux {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr Duration kPatient = 20s;  // for attempts that must succeed on a loaded machine

TEST(DoctorTrial, AChildsAnswerComesBackWithItsReason) {
  const Attempt good = run_in_child([] { return works("seen"); }, kPatient);
  EXPECT_EQ(good.outcome, Outcome::Works);
  EXPECT_EQ(good.text, "seen");
  const Attempt bad = run_in_child(
      [] {
        errno = ENOENT;
        return fails("the thing");
      },
      kPatient);
  EXPECT_EQ(bad.outcome, Outcome::Fails);
  EXPECT_EQ(bad.text, "the thing: No such file or directory");
}

TEST(DoctorTrial, AChildThatHangsIsKilledAtTheDeadline) {
  PlantedTree folder;
  const std::string proof = folder.root() + "/alive";
  const Attempt attempt = run_in_child(
      [&]() -> Attempt {
        ::sleep(60);
        std::ofstream(proof) << "still here";
        return works();
      },
      50ms);
  EXPECT_EQ(attempt.outcome, Outcome::TimedOut);
  EXPECT_FALSE(std::filesystem::exists(proof));
}

TEST(DoctorTrial, AChildThatDiesWithoutAnAnswerIsNoSuccess) {
  const Attempt attempt = run_in_child(
      []() -> Attempt {
        ::kill(::getpid(), SIGKILL);
        return works();
      },
      kPatient);
  EXPECT_EQ(attempt.outcome, Outcome::Crashed);
}

TEST(DoctorTrial, ProgramsAreFoundRunAndBounded) {
  const auto shell = find_program("sh", {});
  ASSERT_TRUE(shell.has_value());
  const ProgramRun good = run_program({*shell, "-c", "echo out; echo err >&2"}, kPatient);
  EXPECT_EQ(good.outcome, Outcome::Works);
  EXPECT_EQ(good.output, "out\nerr\n");
  EXPECT_EQ(run_program({*shell, "-c", "exit 3"}, kPatient).exit_status, 3);
  EXPECT_EQ(run_program({*shell, "-c", "sleep 60 & sleep 60"}, 50ms).outcome, Outcome::TimedOut);
  EXPECT_EQ(run_program({"/does/not/exist"}, kPatient).exit_status, 127);
  const ProgramRun chatty =
      run_program({*shell, "-c",
                   "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789;"
                   " i=$((i+1)); done"},
                  kPatient);
  EXPECT_EQ(chatty.output.size(), kMaxProgramOutput);
  EXPECT_EQ(find_program("sh", {"/does/not/exist"}), std::nullopt);
}

class PlantedDoctor : public ::testing::Test {
 protected:
  DoctorOptions options() { return {.proc_root = proc.root(), .sys_root = sys.root()}; }
  PlantedTree proc;
  PlantedTree sys;
};

TEST_F(PlantedDoctor, EveryCgroupLayoutIsNamed) {
  EXPECT_EQ(check_cgroups(options(), CgroupTrial::ReadOnly).verdict, DoctorVerdict::No);

  proc.file("self/mountinfo", "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  sys.file("fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  const DoctorCheck unified = check_cgroups(options(), CgroupTrial::ReadOnly);
  EXPECT_EQ(unified.verdict, DoctorVerdict::Ok);
  EXPECT_THAT(unified.found, HasSubstr("version 2"));
  EXPECT_TRUE(unified.costs.empty());

  proc.file("self/mountinfo",
            "1 0 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
            "2 0 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "3 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  const DoctorCheck hybrid = check_cgroups(options(), CgroupTrial::ReadOnly);
  EXPECT_EQ(hybrid.verdict, DoctorVerdict::Limited);
  EXPECT_THAT(hybrid.found, HasSubstr("hybrid"));
  EXPECT_THAT(hybrid.found, HasSubstr("missing cpuset io pids"));
  EXPECT_FALSE(hybrid.costs.empty());
  EXPECT_FALSE(hybrid.remedy.empty());
}

TEST_F(PlantedDoctor, AGroupThatCannotBeMadeIsANo) {
  proc.file("self/mountinfo", "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(check_cgroups(options(), CgroupTrial::MakeFolder).verdict, DoctorVerdict::No)
      << "the folder does not exist";
}

TEST_F(PlantedDoctor, MissingCapabilitiesAreNamed) {
  EXPECT_EQ(check_capabilities(options()).verdict, DoctorVerdict::Unknown);
  proc.file("self/status", "Name:\tx\nCapEff:\t000001fffeffffff\n");
  const DoctorCheck without_resource = check_capabilities(options());
  EXPECT_EQ(without_resource.verdict, DoctorVerdict::Limited);
  EXPECT_EQ(without_resource.found, "missing CAP_SYS_RESOURCE");
  proc.file("self/status", "CapEff:\t0000000000000000\n");
  EXPECT_EQ(check_capabilities(options()).verdict, DoctorVerdict::No);
  proc.file("self/status", "CapEff:\t000001ffffffffff\n");
  EXPECT_EQ(check_capabilities(options()).verdict, DoctorVerdict::Ok);
  proc.file("self/status", "CapEff:\tzebra\n");
  EXPECT_EQ(check_capabilities(options()).verdict, DoctorVerdict::Unknown);
}

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    names.insert(entry.path().filename());
  }
  return names;
}

TEST(Doctor, ExplainsEveryNoOnThisMachineAndLeavesNothingBehind) {
  PlantedTree data;
  data.file("keep", "mine");
  const auto checks = run_doctor({.data_directory = data.root(), .per_check = kPatient});
  std::set<std::string> seen;
  for (const DoctorCheck& check : checks) {
    EXPECT_TRUE(seen.insert(check.name).second) << check.name << " twice";
    EXPECT_FALSE(check.title.empty()) << check.name;
    EXPECT_FALSE(check.found.empty()) << check.name;
    const bool is_ok = check.verdict == DoctorVerdict::Ok;
    EXPECT_EQ(check.costs.empty(), is_ok) << check.name;
    EXPECT_EQ(check.remedy.empty(), is_ok) << check.name;
  }
  EXPECT_GE(checks.size(), 25U);
  EXPECT_EQ(names_in(data.root()), std::set<std::string>{"keep"});
  for (const std::string& name : names_in(std::filesystem::temp_directory_path())) {
    EXPECT_THAT(name, ::testing::Not(HasSubstr("hypermesh-doctor-" + std::to_string(::getpid()))));
  }
  const std::string mounts = KernelTree("/proc").text("self/mountinfo").value_or("");
  EXPECT_THAT(mounts, ::testing::Not(HasSubstr("hypermesh-doctor")));
  EXPECT_THAT(mounts, ::testing::Not(HasSubstr("- tmpfs hypermesh")));
}

}  // namespace
}  // namespace hm::linux
