// SPDX-License-Identifier: Apache-2.0
#include "core/containers/run_spec.h"

#include <gtest/gtest.h>

#include "core/containers/limits.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::containers {
namespace {

RunSpec usual() {
  RunSpec spec;
  spec.name = "web-1";
  spec.process.arguments = {"httpd", "-f"};
  spec.process.environment = {"PORT=80", "EMPTY="};
  spec.process.working_directory = "/srv/www";
  spec.process.user = "1000:www";
  spec.volumes = {{.name = "data", .path = "/data", .bytes = kMinDisk}};
  spec.scratch = {{.path = "/tmp", .bytes = 4096}};
  return spec;
}

std::optional<SpecError> fault(const RunSpec& spec) {
  const auto valid = validate(spec);
  return valid ? std::nullopt : std::optional(valid.error());
}

TEST(RunSpec, WhatIsUsualIsValidAndSurvivesTheWire) {
  EXPECT_EQ(fault(usual()), std::nullopt);
  EXPECT_EQ(fault(RunSpec{}), std::nullopt);
  const auto decoded = codec::decode<RunSpec>(codec::encode(usual()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, usual());
}

TEST(RunSpec, EveryWordOfItChangesItsPurpose) {
  RunSpec other = usual();
  other.process.environment[0] = "PORT=81";
  EXPECT_NE(purpose_of(usual()), purpose_of(other));
  EXPECT_EQ(purpose_of(usual()), purpose_of(usual()));
}

TEST(RunSpec, APathThatLeadsElsewhereIsRefused) {
  for (const std::string& path :
       {std::string("data"), std::string(), std::string("/data/"), std::string("//data"),
        std::string("/a/../b"), std::string("/a/./b"), std::string("/.."),
        std::string("/a\0b", 4)}) {
    RunSpec spec = usual();
    spec.volumes[0].path = path;
    EXPECT_EQ(fault(spec), SpecError::BadPath) << path;
  }
  RunSpec spec = usual();
  spec.volumes[0].path = "/";
  EXPECT_EQ(fault(spec), SpecError::BadVolume);
  spec = usual();
  spec.process.working_directory = "relative";
  EXPECT_EQ(fault(spec), SpecError::BadPath);
}

TEST(RunSpec, TwoThingsAtOnePathAreRefused) {
  RunSpec spec = usual();
  spec.scratch[0].path = "/data";
  EXPECT_EQ(fault(spec), SpecError::BadVolume);
}

TEST(RunSpec, NoLimitMeansUnlimited) {
  for (auto set : {+[](Limits& l) { l.cpu_millicores = 0; }, +[](Limits& l) { l.memory_bytes = 0; },
                   +[](Limits& l) { l.pids = 0; }, +[](Limits& l) { l.read_bytes_per_second = 0; },
                   +[](Limits& l) { l.disk_bytes = 1; }}) {
    RunSpec spec = usual();
    set(spec.limits);
    EXPECT_EQ(fault(spec), SpecError::BadLimit);
  }
}

TEST(RunSpec, PinnedProcessorsAreWholeOnes) {
  RunSpec spec = usual();
  spec.limits.cpu_mode = CpuMode::Pinned;
  spec.limits.cpu_millicores = 1500;
  EXPECT_EQ(fault(spec), SpecError::NotWholeCores);
}

TEST(RunSpec, NamesVariablesAndUsersAreWords) {
  const auto with = [](auto change) {
    RunSpec spec = usual();
    change(spec);
    return fault(spec);
  };
  EXPECT_EQ(with([](RunSpec& s) { s.name = "Web"; }), SpecError::BadName);
  EXPECT_EQ(with([](RunSpec& s) { s.name = std::string(kMaxNameBytes + 1, 'a'); }),
            SpecError::BadName);
  EXPECT_EQ(with([](RunSpec& s) { s.process.environment = {"=x"}; }), SpecError::BadVariable);
  EXPECT_EQ(with([](RunSpec& s) { s.process.environment = {"x"}; }), SpecError::BadVariable);
  EXPECT_EQ(with([](RunSpec& s) { s.process.user = "4294967295"; }), SpecError::BadUser);
  EXPECT_EQ(with([](RunSpec& s) { s.process.user = "a:b:c"; }), SpecError::BadUser);
  EXPECT_EQ(with([](RunSpec& s) { s.process.user = "root;id"; }), SpecError::BadUser);
}

TEST(RunSpec, ItsTextIsBounded) {
  RunSpec spec = usual();
  spec.process.arguments.assign(kMaxArguments + 1, "a");
  EXPECT_EQ(fault(spec), SpecError::TooLarge);
  spec.process.arguments.assign(8, std::string(kMaxTextBytes, 'a'));
  EXPECT_EQ(fault(spec), SpecError::TooLarge);
}

TEST(RunSpec, StrangersRunOnAReadOnlyRoot) {
  RunSpec spec = usual();
  spec.isolation = Isolation::ContainerPlus;
  EXPECT_EQ(fault(spec), SpecError::RootMustBeReadOnly);
  spec.root = Access::ReadOnly;
  EXPECT_EQ(fault(spec), std::nullopt);
}

}  // namespace
}  // namespace hm::containers
