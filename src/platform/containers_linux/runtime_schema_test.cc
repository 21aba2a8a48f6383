// SPDX-License-Identifier: Apache-2.0
// The configuration against the JSON schemas of the OCI runtime specification, where the machine
// has them (packages golang-github-opencontainers-specs-dev and python3-jsonschema).
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/containers/image_config.h"
#include "core/containers/runtime_config.h"
#include "platform/linux/doctor_trial.h"
#include "platform/linux/kernel_text.h"

namespace hm::containers_linux {
namespace {

constexpr const char* kSchemas =
    "/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema";
// Says "ok" or what is wrong, a line for each file.
constexpr const char* kProgram = R"(
import json, pathlib, sys
import jsonschema
schema_file = pathlib.Path(sys.argv[1]) / 'config-schema.json'
schema = json.loads(schema_file.read_text())
resolver = jsonschema.RefResolver(schema_file.as_uri(), schema)
validator = jsonschema.Draft4Validator(schema, resolver=resolver)
for name in sys.argv[2:]:
    errors = validator.iter_errors(json.loads(pathlib.Path(name).read_text()))
    print('; '.join(f'{list(e.absolute_path)}: {e.message}' for e in errors) or 'ok')
)";
constexpr Duration kPatience = std::chrono::seconds(60);

std::string write(const std::string& folder, const std::string& name, const std::string& json) {
  std::ofstream(folder + "/" + name) << json;
  return folder + "/" + name;
}

std::string config_for(containers::CgroupLayout layout) {
  containers::RunSpec spec;
  spec.limits.read_bytes_per_second = 1 << 20;
  spec.limits.cpu_mode = containers::CpuMode::Pinned;
  spec.scratch = {{.path = "/scratch", .bytes = 1 << 20}};
  containers::ImageConfig image;
  image.command = {"/bin/true"};
  const auto config = containers::make_runtime_config(
      spec, image, {.cgroups = layout, .has_swap_limit = true, .has_io_limit = true},
      {.root = "/state/root",
       .network = "/state/net",
       .cgroup = "/hypermesh/one",
       .host_name = "one",
       .processors = {0},
       .volumes = {{.source = "/state/volume", .path = "/volume"}},
       .disks = {{.major = 8, .minor = 0}}});
  EXPECT_TRUE(config);
  return config ? config->json : std::string();
}

TEST(RuntimeSchemaTest, ConfigurationsOfEveryLayoutAreValidAndAWrongOneIsNot) {
  if (!std::filesystem::exists(kSchemas)) {
    GTEST_SKIP() << "needs golang-github-opencontainers-specs-dev";
  }
  const auto python = linux::find_program("python3", {"/usr/bin"});
  if (!python) GTEST_SKIP() << "needs python3";
  std::string folder = testing::TempDir() + "hm-schema-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::string wrong = config_for(containers::CgroupLayout::V2);
  wrong.replace(wrong.find("\"cgroup\""), 8, "\"bogus!\"");
  const auto run =
      linux::run_program({*python, "-c", kProgram, kSchemas,
                          write(folder, "hybrid", config_for(containers::CgroupLayout::Hybrid)),
                          write(folder, "v2", config_for(containers::CgroupLayout::V2)),
                          write(folder, "wrong", wrong)},
                         kPatience);
  std::filesystem::remove_all(folder);
  if (run.output.find("No module named") != std::string::npos) {
    GTEST_SKIP() << "needs python3-jsonschema";
  }
  const auto lines = linux::split_lines(run.output);
  ASSERT_GE(lines.size(), 3U) << run.output;
  EXPECT_EQ(lines[0], "ok");
  EXPECT_EQ(lines[1], "ok");
  EXPECT_NE(lines[2].find("bogus!"), std::string::npos) << run.output;
}

}  // namespace
}  // namespace hm::containers_linux
