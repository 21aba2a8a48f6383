// SPDX-License-Identifier: Apache-2.0
#include "core/containers/runtime_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/containers/image_config.h"
#include "core/containers/limits.h"
#include "core/containers/seccomp.h"

namespace hm::containers {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

MachineFacts machine() {
  return {.has_swap_limit = true, .has_io_limit = true, .open_files = 1'048'576, .processors = 8};
}

ContainerPlace place() {
  return {.root = "/state/one/root",
          .network = "/state/net/one",
          .cgroup = "/hypermesh/one",
          .host_name = "one",
          .user = {},
          .processors = {},
          .volumes = {},
          .disks = {{.major = 254, .minor = 0}}};
}

ImageConfig image() {
  ImageConfig config;
  config.entrypoint = {"/bin/sh"};
  config.command = {"-c", "true"};
  config.environment = {"A=image", "B=image"};
  config.working_directory = "/srv";
  return config;
}

json made(const RunSpec& spec, const MachineFacts& facts = machine(),
          const ContainerPlace& at = place()) {
  const auto config = make_runtime_config(spec, image(), facts, at);
  EXPECT_TRUE(config) << (config ? "" : name_of(config.error()));
  return config ? json::parse(config->json) : json();
}

ConfigError refused(const RunSpec& spec, const MachineFacts& facts = machine(),
                    const ContainerPlace& at = place(), const ImageConfig& from = image()) {
  const auto config = make_runtime_config(spec, from, facts, at);
  EXPECT_FALSE(config);
  return config ? ConfigError{} : config.error();
}

std::set<std::string> namespaces_of(const json& config) {
  std::set<std::string> types;
  for (const json& entry : config["linux"]["namespaces"]) types.insert(entry["type"]);
  return types;
}

// --- what every configuration has, whatever the spec ---

rc::Gen<RunSpec> any_spec() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange(kMinMillicores, 8001U),
                     rc::gen::inRange<std::uint64_t>(kMinMemory, kMaxMemory),
                     rc::gen::inRange(1U, kMaxPids), rc::gen::arbitrary<bool>(),
                     rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>(),
                     rc::gen::element(privacy::NetworkClass::None, privacy::NetworkClass::Mesh,
                                      privacy::NetworkClass::Internet),
                     rc::gen::arbitrary<bool>()),
      [](const auto& drawn) {
        const auto& [cpu, memory, pids, plus, pinned, limited, network, terminal] = drawn;
        RunSpec spec;
        spec.limits.cpu_millicores = cpu;
        if (pinned) {
          spec.limits.cpu_mode = CpuMode::Pinned;
          spec.limits.cpu_millicores = std::max(1U, cpu / 1000) * 1000;
        }
        spec.limits.memory_bytes = memory;
        spec.limits.pids = pids;
        if (limited) spec.limits.write_bytes_per_second = memory;
        if (plus) {
          spec.isolation = Isolation::ContainerPlus;
          spec.root = Access::ReadOnly;
        }
        spec.network = network;
        spec.process.terminal = terminal ? Terminal::Pty : Terminal::None;
        return spec;
      });
}

rc::Gen<MachineFacts> any_machine() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::element(CgroupLayout::V1, CgroupLayout::V2, CgroupLayout::Hybrid),
                     rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>(),
                     rc::gen::inRange<std::uint64_t>(64, 2'000'000), rc::gen::inRange(-1000, 1001)),
      [](const auto& drawn) {
        const auto& [layout, swap, raise, files, score] = drawn;
        MachineFacts facts = machine();
        facts.cgroups = layout;
        facts.has_swap_limit = swap;
        facts.has_resource_capability = raise;
        facts.open_files = files;
        facts.oom_score_adjust = score;
        return facts;
      });
}

RC_GTEST_PROP(RuntimeConfigProperty, EveryConfigurationCarriesEveryLimitAndEveryFence, ()) {
  const RunSpec spec = *any_spec();
  const MachineFacts facts = *any_machine();
  ContainerPlace at = place();
  if (spec.limits.cpu_mode == CpuMode::Pinned) {
    for (std::uint32_t n = 0; n < spec.limits.cpu_millicores / 1000; ++n)
      at.processors.push_back(n);
  }
  const auto made = make_runtime_config(spec, image(), facts, at);
  RC_ASSERT(made);
  const json config = json::parse(made->json);
  const json& resources = config["linux"]["resources"];
  RC_ASSERT(resources["cpu"]["quota"].get<std::uint64_t>() ==
            spec.limits.cpu_millicores * kCpuPeriodUs / 1000);
  RC_ASSERT(resources["cpu"]["period"] == kCpuPeriodUs);
  RC_ASSERT(resources["cpu"]["shares"].get<std::uint64_t>() >= 2);
  RC_ASSERT(resources["memory"]["limit"] == spec.limits.memory_bytes);
  RC_ASSERT(resources["memory"].contains("swap") == facts.has_swap_limit);
  if (facts.has_swap_limit) RC_ASSERT(resources["memory"]["swap"] == spec.limits.memory_bytes);
  RC_ASSERT(resources["pids"]["limit"] == spec.limits.pids);
  const json& io = resources["blockIO"];
  if (const auto rate = spec.limits.write_bytes_per_second) {
    RC_ASSERT(io["throttleWriteBpsDevice"][0]["rate"] == *rate);
  } else {
    RC_ASSERT(io.contains("throttleWriteBpsDevice") == (facts.cgroups != CgroupLayout::V2));
  }
  RC_ASSERT(resources["devices"][0]["allow"] == false);
  RC_ASSERT(resources["devices"][0]["access"] == "rwm");
  RC_ASSERT(namespaces_of(config) ==
            (std::set<std::string>{"pid", "mount", "ipc", "uts", "cgroup", "user", "network"}));
  RC_ASSERT(config["linux"]["uidMappings"][0]["hostID"] == facts.uid_shift);
  RC_ASSERT(config["linux"]["gidMappings"][0]["hostID"] == facts.uid_shift);
  RC_ASSERT(!config["linux"]["seccomp"]["syscalls"].empty());
  RC_ASSERT(!config["linux"]["maskedPaths"].empty());
  RC_ASSERT(!config["linux"]["readonlyPaths"].empty());
  const json& process = config["process"];
  RC_ASSERT(process["noNewPrivileges"] == true);
  RC_ASSERT(process["oomScoreAdj"].get<int>() >= facts.oom_score_adjust);
  const auto files = process["rlimits"][0]["hard"].get<std::uint64_t>();
  RC_ASSERT(facts.has_resource_capability || files <= facts.open_files);
  if (spec.isolation == Isolation::ContainerPlus) {
    RC_ASSERT(config["root"]["readonly"] == true);
    RC_ASSERT(process["capabilities"]["bounding"].empty());
  }
}

// --- process ---

TEST(RuntimeConfigTest, ANetworkInWhichTheRuntimeIsStartedIsNotNamed) {
  ContainerPlace inside = place();
  inside.network.clear();
  EXPECT_EQ(namespaces_of(made(RunSpec{}, machine(), inside)),
            (std::set<std::string>{"pid", "mount", "ipc", "uts", "cgroup", "user"}));
}

TEST(RuntimeConfigTest, ArgumentsFollowTheEntrypointAndReplaceTheImagesCommand) {
  RunSpec spec;
  EXPECT_EQ(made(spec)["process"]["args"], (json{"/bin/sh", "-c", "true"}));
  spec.process.arguments = {"-c", "echo"};
  EXPECT_EQ(made(spec)["process"]["args"], (json{"/bin/sh", "-c", "echo"}));
  spec.entrypoint = RunSpec::Entrypoint::Replaced;
  spec.process.arguments = {"/bin/other"};
  EXPECT_EQ(made(spec)["process"]["args"], json::array({"/bin/other"}));
}

TEST(RuntimeConfigTest, TheSpecsVariablesWinOverTheImages) {
  RunSpec spec;
  spec.process.environment = {"B=spec", "C=spec", "HOME=/mine"};
  const json environment = made(spec)["process"]["env"];
  EXPECT_THAT(environment, Contains("A=image"));
  EXPECT_THAT(environment, Contains("B=spec"));
  EXPECT_THAT(environment, Not(Contains("B=image")));
  EXPECT_THAT(environment, Contains("HOME=/mine"));
}

TEST(RuntimeConfigTest, NothingToRunIsRefused) {
  RunSpec spec;
  ImageConfig nothing;
  EXPECT_EQ(refused(spec, machine(), place(), nothing), ConfigError::NoCommand);
  spec.entrypoint = RunSpec::Entrypoint::Replaced;
  EXPECT_EQ(refused(spec), ConfigError::NoCommand);
}

TEST(RuntimeConfigTest, WhatJsonCannotCarryIsRefused) {
  RunSpec spec;
  spec.process.arguments = {"\xff"};
  EXPECT_EQ(refused(spec), ConfigError::NotText);
  spec.process.arguments = {};
  spec.scratch = {{.path = "/\xc0", .bytes = 1}};
  EXPECT_EQ(refused(spec), ConfigError::NotText);
  ContainerPlace at = place();
  at.volumes = {{.source = "/a\xff", .path = "/b"}};
  EXPECT_EQ(refused({}, machine(), at), ConfigError::NotText);
}

TEST(RuntimeConfigTest, NothingThatATenantWritesTakesThePlaceOfTheFilter) {
  RunSpec spec;
  spec.process.arguments = {R"("seccomp":null)", R"(","linux":{"seccomp":null}})"};
  spec.process.environment = {R"(A="seccomp":null)"};
  const json config = made(spec);
  EXPECT_EQ(config["process"]["args"][1], R"("seccomp":null)");
  EXPECT_GT(config["linux"]["seccomp"]["syscalls"].size(), 100U);
}

TEST(RuntimeConfigTest, AWorkingDirectoryBelowProcIsRefused) {
  RunSpec spec;
  for (const char* folder : {"/proc", "/proc/self/fd/7", "/proc/1/root"}) {
    spec.process.working_directory = folder;
    EXPECT_EQ(refused(spec), ConfigError::FolderInProc) << folder;
  }
  spec.process.working_directory = "/processes";
  EXPECT_EQ(made(spec)["process"]["cwd"], "/processes");
}

TEST(RuntimeConfigTest, IdsBeyondTheUserNamespaceAreRefused) {
  ContainerPlace at = place();
  at.user.user = kMappedIds;
  EXPECT_EQ(refused({}, machine(), at), ConfigError::BadUserId);
  at.user = {.user = 1, .group = 1, .groups = {70'000}};
  EXPECT_EQ(refused({}, machine(), at), ConfigError::BadUserId);
  at.user.groups = {kMappedIds - 1};
  EXPECT_EQ(made({}, machine(), at)["process"]["user"]["additionalGids"],
            json::array({kMappedIds - 1}));
}

TEST(RuntimeConfigTest, DangerousCapabilitiesAreInNoClass) {
  const json capabilities = made({})["process"]["capabilities"];
  for (const char* set : {"bounding", "effective", "permitted"}) {
    EXPECT_EQ(capabilities[set].size(), 10U) << set;
    for (const char* name : {"CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_MKNOD",
                             "CAP_NET_ADMIN", "CAP_SYS_MODULE", "CAP_DAC_READ_SEARCH"}) {
      EXPECT_THAT(capabilities[set], Not(Contains(name)));
    }
  }
  EXPECT_TRUE(capabilities["ambient"].empty());
  EXPECT_TRUE(capabilities["inheritable"].empty());
}

TEST(RuntimeConfigTest, OpenFilesAreClampedToWhatThisProcessMaySet) {
  MachineFacts facts = machine();
  facts.open_files = 20'000;
  const auto config = make_runtime_config({}, image(), facts, place());
  ASSERT_TRUE(config);
  EXPECT_EQ(json::parse(config->json)["process"]["rlimits"][0]["hard"], 20'000);
  EXPECT_THAT(config->clamped, ElementsAre(HasSubstr("open files: 20000")));
  facts.has_resource_capability = true;
  const auto raised = make_runtime_config({}, image(), facts, place());
  ASSERT_TRUE(raised);
  EXPECT_TRUE(raised->clamped.empty());
}

TEST(RuntimeConfigTest, AProcessOfARunningContainerIsConfinedLikeItsOwn) {
  RunSpec spec;
  spec.isolation = Isolation::ContainerPlus;
  spec.process.environment = {"B=spec"};
  const ProcessSpec process{
      .arguments = {"id"}, .environment = {"C=exec"}, .terminal = Terminal::Pty};
  const auto config = make_process_config(process, spec, image(), machine(), {.user = 7});
  ASSERT_TRUE(config);
  const json all = json::parse(config->json);
  EXPECT_EQ(all["args"], json::array({"id"}));
  EXPECT_EQ(all["cwd"], "/srv");
  EXPECT_EQ(all["terminal"], true);
  EXPECT_EQ(all["noNewPrivileges"], true);
  EXPECT_EQ(all["user"]["uid"], 7);
  EXPECT_TRUE(all["capabilities"]["bounding"].empty());
  EXPECT_THAT(all["env"], Contains("B=spec"));
  EXPECT_THAT(all["env"], Contains("C=exec"));
  EXPECT_FALSE(make_process_config({}, spec, image(), machine(), {}));
}

// --- limits ---

TEST(RuntimeConfigTest, PinnedTakesExactlyItsProcessors) {
  RunSpec spec;
  spec.limits.cpu_millicores = 2000;
  spec.limits.cpu_mode = CpuMode::Pinned;
  EXPECT_EQ(refused(spec), ConfigError::NoProcessors);
  ContainerPlace at = place();
  at.processors = {2, 5};
  EXPECT_EQ(made(spec, machine(), at)["linux"]["resources"]["cpu"]["cpus"], "2,5");
}

TEST(RuntimeConfigTest, MoreTimeThanTheMachineHasIsRefused) {
  RunSpec spec;
  spec.limits.cpu_millicores = 8001;
  EXPECT_EQ(refused(spec), ConfigError::TooManyCores);
}

TEST(RuntimeConfigTest, ARateThatCannotBeHeldIsRefusedAndAWeakOneIsTold) {
  RunSpec spec;
  spec.limits.write_bytes_per_second = 1000;
  MachineFacts facts = machine();
  facts.has_io_limit = false;
  EXPECT_EQ(refused(spec, facts), ConfigError::NoIoLimit);
  ContainerPlace at = place();
  at.disks.clear();
  EXPECT_EQ(refused(spec, machine(), at), ConfigError::NoIoLimit);
  facts = machine();
  facts.cgroups = CgroupLayout::Hybrid;
  const auto config = make_runtime_config(spec, image(), facts, place());
  ASSERT_TRUE(config);
  EXPECT_THAT(config->clamped, ElementsAre(HasSubstr("direct I/O only")));
  const json io = json::parse(config->json)["linux"]["resources"]["blockIO"];
  EXPECT_EQ(io["throttleWriteBpsDevice"],
            json::array({{{"major", 254}, {"minor", 0}, {"rate", 1000}}}));
  EXPECT_EQ(io["throttleReadBpsDevice"][0]["rate"], 0);  // counted, not limited
}

TEST(RuntimeConfigTest, WithoutSwapAccountingSwapIsAvoidedAndThatIsTold) {
  MachineFacts facts = machine();
  facts.has_swap_limit = false;
  facts.cgroups = CgroupLayout::V1;
  const auto config = make_runtime_config({}, image(), facts, place());
  ASSERT_TRUE(config);
  EXPECT_THAT(config->clamped, ElementsAre(HasSubstr("swap")));
  EXPECT_EQ(json::parse(config->json)["linux"]["resources"]["memory"]["swappiness"], 0);
}

// --- files ---

TEST(RuntimeConfigTest, AParentIsMountedBeforeWhatLiesInIt) {
  RunSpec spec;
  spec.scratch = {{.path = "/data/cache", .bytes = 4096}};
  ContainerPlace at = place();
  at.volumes = {{.source = "/state/v", .path = "/data", .access = Access::ReadOnly}};
  const json mounts = made(spec, machine(), at)["mounts"];
  ASSERT_EQ(mounts.size(), 7U);
  EXPECT_EQ(mounts[5]["destination"], "/data");
  EXPECT_THAT(mounts[5]["options"], Contains("ro"));
  EXPECT_THAT(mounts[5]["options"], Contains("nodev"));
  EXPECT_EQ(mounts[6]["destination"], "/data/cache");
  EXPECT_THAT(mounts[6]["options"], Contains("size=4096"));
}

TEST(RuntimeConfigTest, SharedMemoryIsSizedAndSysIsAbsent) {
  RunSpec spec;
  spec.limits.memory_bytes = 64U << 20U;
  const json mounts = made(spec)["mounts"];
  const auto shared = std::ranges::find(mounts, json("/dev/shm"),
                                        [](const json& entry) { return entry["destination"]; });
  ASSERT_NE(shared, mounts.end());
  EXPECT_THAT((*shared)["options"], Contains("size=33554432"));
  for (const json& entry : mounts) {
    EXPECT_FALSE(entry["destination"].get<std::string>().starts_with("/sys"));
  }
}

// --- system calls ---

std::set<std::string_view> unconditional(Isolation isolation) {
  std::set<std::string_view> names;
  for (const CallRule& rule : call_rules(isolation)) {
    if (rule.arguments.empty()) names.insert(rule.name);
  }
  return names;
}

TEST(SeccompTest, TheStricterClassRefusesAllThatTheOtherDoes) {
  const auto plain = unconditional(Isolation::Container);
  const auto strict = unconditional(Isolation::ContainerPlus);
  EXPECT_TRUE(std::ranges::includes(strict, plain));
  EXPECT_GT(strict.size(), plain.size());
  for (const char* name : {"mount", "unshare", "setns", "ptrace", "bpf", "keyctl", "clone3",
                           "io_uring_setup", "open_by_handle_at", "userfaultfd", "kexec_load"}) {
    EXPECT_TRUE(plain.contains(name)) << name;
  }
}

TEST(SeccompTest, NoCallThatOrdinaryProgramsNeedIsRefusedOutright) {
  const auto strict = unconditional(Isolation::ContainerPlus);
  for (const char* name : {"clone", "socket", "ioctl", "execve", "openat", "mmap", "futex",
                           "personality", "seccomp", "prctl", "vfork", "fork"}) {
    EXPECT_FALSE(strict.contains(name)) << name;
  }
}

// What the filter answers to one call, as the kernel would judge it.
bool is_refused(Isolation isolation, std::string_view name, std::array<std::uint64_t, 3> values) {
  return std::ranges::any_of(call_rules(isolation), [&](const CallRule& rule) {
    return rule.name == name && std::ranges::all_of(rule.arguments, [&](const ArgumentRule& test) {
             const std::uint64_t value = values.at(test.index);
             switch (test.test) {
               case ArgumentTest::Equal: return value == test.value;
               case ArgumentTest::AtLeast: return value >= test.value;
               case ArgumentTest::Masked: return (value & test.mask) == test.value;
             }
             return true;
           });
  });
}

TEST(SeccompTest, EveryNewNamespaceIsRefusedAndPlainThreadsAreNot) {
  for (const std::uint64_t flag :
       {0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000}) {
    EXPECT_TRUE(is_refused(Isolation::Container, "clone", {flag | 17, 0, 0})) << flag;
  }
  EXPECT_FALSE(is_refused(Isolation::Container, "clone", {0x003d0f00, 0, 0}));  // pthread_create
  EXPECT_FALSE(is_refused(Isolation::Container, "clone", {0x01200011, 0, 0}));  // fork
}

TEST(SeccompTest, OnlyUnixInternetAndRouteSocketsAreLeft) {
  for (std::uint64_t family = 0; family < 64; ++family) {
    const bool plain = family == 1 || family == 2 || family == 10;
    EXPECT_EQ(is_refused(Isolation::Container, "socket", {family, 1, 0}), !plain && family != 16)
        << family;
    EXPECT_EQ(is_refused(Isolation::ContainerPlus, "socket", {family, 1, 0}), !plain) << family;
  }
  EXPECT_TRUE(is_refused(Isolation::Container, "socket", {16, 3, 15}));  // kernel events
  EXPECT_TRUE(is_refused(Isolation::Container, "socket", {(1ULL << 32U) | 40, 1, 0}));
  EXPECT_TRUE(is_refused(Isolation::Container, "socket", {2, 3, 1}));              // raw
  EXPECT_TRUE(is_refused(Isolation::Container, "socket", {10, 3 | 0x80800, 58}));  // raw, cloexec
  EXPECT_FALSE(is_refused(Isolation::Container, "socket", {10, 2 | 0x80800, 17}));
}

TEST(SeccompTest, OnlyPlainPersonalitiesAreLeft) {
  EXPECT_FALSE(is_refused(Isolation::Container, "personality", {0, 0, 0}));
  EXPECT_FALSE(is_refused(Isolation::Container, "personality", {8, 0, 0}));
  EXPECT_TRUE(is_refused(Isolation::Container, "personality", {0x40000, 0, 0}));
  EXPECT_TRUE(is_refused(Isolation::Container, "personality", {0x400000, 0, 0}));
}

TEST(SeccompTest, NoRuleTestsOneArgumentTwice) {
  // The runtime takes two tests of one argument as alternatives, not as both.
  for (const Isolation isolation : {Isolation::Container, Isolation::ContainerPlus}) {
    for (const CallRule& rule : call_rules(isolation)) {
      std::set<std::uint32_t> indexes;
      for (const ArgumentRule& test : rule.arguments) {
        EXPECT_TRUE(indexes.insert(test.index).second) << rule.name;
      }
    }
  }
}

}  // namespace
}  // namespace hm::containers
