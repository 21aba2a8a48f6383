// SPDX-License-Identifier: Apache-2.0
#include "core/api/container_request.h"

#include <gtest/gtest.h>

#include "core/api/container_json.h"

namespace hm::api {
namespace {

containers::RunSpec full() {
  containers::RunSpec spec;
  spec.image.bytes.fill(7);
  spec.name = "web";
  spec.entrypoint = containers::RunSpec::Entrypoint::Replaced;
  spec.process = {.arguments = {"sh", "-c", "echo \"hi\""},
                  .environment = {"A=b", "C="},
                  .working_directory = "/srv",
                  .user = "1000:1000",
                  .terminal = containers::Terminal::Pty};
  spec.limits = {.cpu_millicores = 2000,
                 .cpu_mode = containers::CpuMode::Pinned,
                 .memory_bytes = 64 << 20,
                 .disk_bytes = 128 << 20,
                 .pids = 17,
                 .read_bytes_per_second = 1000,
                 .write_bytes_per_second = 2000};
  spec.network = privacy::NetworkClass::Internet;
  spec.isolation = containers::Isolation::ContainerPlus;
  spec.root = containers::Access::ReadOnly;
  spec.volumes = {{"data", "/data", 8 << 20, containers::Access::ReadOnly}};
  spec.scratch = {{"/tmp", 4096}};
  spec.restart = {containers::RestartWhen::OnFailure, 5};
  spec.lifetime = containers::Lifetime::Detached;
  return spec;
}

std::string start_of(const containers::RunSpec& spec) {
  JsonWriter json;
  json.begin_object().member("node", "self");
  write_spec_members(json, spec);
  json.end_object();
  return std::move(json).take();
}

TEST(ContainerRequest, ASpecThatIsWrittenIsReadAsItWas) {
  for (const containers::RunSpec& spec : {full(), containers::RunSpec{}}) {
    const auto read = decode_start(start_of(spec));
    ASSERT_TRUE(read) << read.error().field << ' ' << read.error().problem;
    EXPECT_EQ(read->spec, spec);
    EXPECT_EQ(containers::purpose_of(read->spec), containers::purpose_of(spec));
  }
}

std::string problem(std::string_view body) {
  const auto read = decode_container_stream(body);
  return read ? "none" : read.error().field + " " + read.error().problem;
}

TEST(ContainerRequest, WhatIsNotKnownMissingOrOutOfRangeIsRefusedByName) {
  const std::string image(64, 'a');
  const auto start = [&](const std::string& more) {
    return problem(R"({"start":{"node":"self","image":")" + image + "\"" + more + "}}");
  };
  EXPECT_EQ(start(""), "none");
  EXPECT_EQ(start(R"(,"privileged":true)"), "start.privileged is not known here");
  EXPECT_EQ(start(R"(,"cpu_millicores":4294967296)"), "start.cpu_millicores is too large");
  EXPECT_EQ(start(R"(,"memory_bytes":-1)"), "start.memory_bytes is not a whole number");
  EXPECT_EQ(start(R"(,"network":"host")"), "start.network is none of 'none', 'mesh', 'internet'");
  EXPECT_EQ(start(R"(,"leases":["x"])"), "start.leases has an entry that is no lease's id");
  EXPECT_NE(start(R"(,"environment":["novalue"])").find("bad_variable"), std::string::npos);
  EXPECT_NE(start(R"(,"volumes":[{"name":"a","path":"../x","bytes":9999999}])").find("bad_path"),
            std::string::npos);
  EXPECT_EQ(problem(R"({"start":{"image":")" + image + R"("}})"), "start.node is missing");
  EXPECT_EQ(problem(R"({"start":{},"exec":{}})"), "exec is not known here");
  EXPECT_EQ(problem(R"({"connect":{"run":"a","port":65536}})"), "connect.port is too large");
  EXPECT_EQ(problem(R"({"copy":{"run":"a","way":"into","path":"x"}})"),
            "copy.path is not an absolute path");
  EXPECT_EQ(problem(R"({"exec":{"run":"a"}})"), "exec.command is missing");
  EXPECT_EQ(problem("{}"), " does not say what the stream is for");
  EXPECT_EQ(problem("[1]"), " is not an object");
}

TEST(ContainerRequest, WordsOnAStreamAreExact) {
  EXPECT_EQ(std::get<SignalWord>(*decode_stream_word(R"({"signal":15})")).number, 15);
  EXPECT_EQ(
      std::get<ResizeWord>(*decode_stream_word(R"({"resize":{"rows":24,"columns":80}})")).rows, 24);
  EXPECT_TRUE(decode_stream_word(R"({"end_of_input":true})"));
  EXPECT_FALSE(decode_stream_word(R"({"signal":65})"));
  EXPECT_FALSE(decode_stream_word(R"({"signal":15,"more":1})"));
  EXPECT_FALSE(decode_stream_word("{}"));
}

}  // namespace
}  // namespace hm::api
