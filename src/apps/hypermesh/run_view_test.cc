// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/run_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/attached_stream.h"
#include "apps/hypermesh/service_view.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr UnixMillis kNow(1'000'000'000);

ordered_json running() {
  return ordered_json::parse(R"({
    "run": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    "name": "web", "image_name": "alpine:3", "node": "aa", "node_name": "node2",
    "phase": "running", "created_ms": 999940000, "leases": ["ab", "cd"],
    "spec": {"image": "ff", "command": ["sh", "-c", "sleep 1"], "cpu_millicores": 500,
             "memory_bytes": 268435456, "disk_bytes": 0, "network": "mesh",
             "isolation": "container", "pids": 512,
             "volumes": [{"name": "data", "path": "/data", "bytes": 1048576, "read_only": true}]},
    "report": {"phase": "running", "restarts": 2, "started_ms": 999990000,
               "usage": {"cpu_us": 5000000, "memory_bytes": 1048576, "pids": 3}}})");
}

std::string text_at(const std::vector<Terminal::Cell>& row, const std::vector<std::string>& heads,
                    const std::string& head) {
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (heads[i] == head) return row.at(i).text;
  }
  ADD_FAILURE() << head;
  return {};
}

TEST(RunView, TheStateSaysHowItEnded) {
  ordered_json run = running();
  EXPECT_EQ(run_state(run), "running");
  run["report"]["phase"] = "waiting";
  EXPECT_EQ(run_state(run), "waiting");
  run["phase"] = "ended";
  EXPECT_EQ(run_state(run), "ended");
  run["failure"] = "its node does not have it any more";
  EXPECT_EQ(run_state(run), "ended: its node does not have it any more");
  run["exit"] = {{"code", 137U}, {"out_of_memory", true}, {"at_ms", 1U}};
  EXPECT_EQ(run_state(run), "ended with 137, out of memory");
}

TEST(ServiceView, RowsSayWhatIsThereAndWhyTheRestIsNot) {
  const auto service = ordered_json::parse(R"({
    "name": "web", "state": "waiting", "replicas": 3, "healthy": 1, "waiting": "no machine",
    "image_name": "web:1", "created_ms": 999940000, "placed": 4, "on": "", "duration_ms": 3600000,
    "health": {"kind": "http", "port": 80, "path": "/ready", "interval_ms": 10000,
               "timeout_ms": 5000, "retries": 3},
    "members": [], "left_out": []})");
  const auto row = service_row(service, kNow);
  EXPECT_EQ(row.size(), service_heads().size());
  EXPECT_EQ(text_at(row, service_heads(), "HEALTHY"), "1/3");
  EXPECT_EQ(text_at(row, service_heads(), "WHY"), "no machine");
  std::string all;
  for (const auto& [name, value] : service_lines(service, kNow)) all += name + " " + value + "\n";
  EXPECT_NE(all.find("http:80/ready every 10 s"), std::string::npos) << all;
  EXPECT_NE(all.find("waits no machine"), std::string::npos) << all;

  const auto replica = ordered_json::parse(R"({"number": 4, "owner_name": "bob", "node_name": "n2",
    "state": "failing", "since_ms": 999990000, "last_failure": "it answers 500", "why": "checks"})");
  EXPECT_EQ(replica_row(replica, kNow).size(), replica_heads().size());
  EXPECT_EQ(text_at(replica_row(replica, kNow), replica_heads(), "WHY"), "checks");
  const auto entry = ordered_json::parse(R"({"owner_name": "bob", "node_name": "n2",
    "why": "its node cannot be reached", "at_ms": 999990000, "until_ms": 1000060000, "times": 2})");
  EXPECT_EQ(left_out_row(entry, kNow).size(), left_out_heads().size());
  EXPECT_EQ(text_at(left_out_row(entry, kNow), left_out_heads(), "FOR"), "1 min");
  EXPECT_EQ(service_row(ordered_json::object(), kNow).size(), service_heads().size());
}

TEST(RunView, ARowHasAsManyCellsAsHeads) {
  EXPECT_EQ(run_row(running(), kNow).size(), run_heads().size());
  EXPECT_EQ(hosted_row(running()).size(), hosted_heads().size());
  UsageLooks looks;
  EXPECT_EQ(looks.row(running(), kNow).size(), UsageLooks::heads().size());
  EXPECT_EQ(image_row(ordered_json::object(), kNow).size(), image_heads().size());
  EXPECT_EQ(text_at(run_row(running(), kNow), run_heads(), "AGE"), "60 s");
  EXPECT_EQ(text_at(run_row(running(), kNow), run_heads(), "COMMAND"), "sh -c sleep 1");
}

TEST(RunView, DocumentsOfAnotherVersionAreShownAsFarAsTheyGo) {
  for (const char* text : {"{}", "null", "[]", R"({"spec": 1, "report": [], "leases": [1]})"}) {
    const ordered_json run = ordered_json::parse(text);
    EXPECT_EQ(run_row(run, kNow).size(), run_heads().size());
    EXPECT_EQ(hosted_row(run).size(), hosted_heads().size());
    EXPECT_FALSE(run_lines(run, kNow).empty());
    UsageLooks looks;
    looks.row(run, kNow);
  }
}

TEST(RunView, ProcessorsAreThoseSinceTheLastChange) {
  UsageLooks looks;
  ordered_json run = running();
  // 5 s of a processor in the 10 s since it started.
  EXPECT_EQ(text_at(looks.row(run, kNow), UsageLooks::heads(), "CPU"), "50.0%");
  // Not read anew: what was said stands.
  EXPECT_EQ(text_at(looks.row(run, UnixMillis(kNow.value + 500)), UsageLooks::heads(), "CPU"),
            "50.0%");
  run["report"]["usage"]["cpu_us"] = 5'250'000U;
  EXPECT_EQ(text_at(looks.row(run, UnixMillis(kNow.value + 2000)), UsageLooks::heads(), "CPU"),
            "12.5%");
}

TEST(RunView, WhatIsNotMeasuredIsNotZero) {
  UsageLooks looks;
  ordered_json run = running();
  run["report"]["usage"] = ordered_json::object();
  const auto row = looks.row(run, kNow);
  EXPECT_EQ(text_at(row, UsageLooks::heads(), "CPU"), "-");
  EXPECT_EQ(text_at(row, UsageLooks::heads(), "PIDS"), "-");
  EXPECT_EQ(text_at(row, UsageLooks::heads(), "DISK"), "-");
}

TEST(RunView, ProcessorsAreSaidToTheThousandth) {
  EXPECT_EQ(cores_in_words(50), "0.05 cores");
  EXPECT_EQ(cores_in_words(1000), "1 core");
  EXPECT_EQ(cores_in_words(2500), "2.5 cores");
  EXPECT_EQ(cores_in_words(0), "0 cores");
  EXPECT_EQ(cores_in_words(10'001), "10.001 cores");
}

TEST(RunView, AnExitCodeIsTheCommands) {
  EXPECT_TRUE(outcome_of_exit({{"exit", {{"code", 0U}}}}));
  const auto ended = outcome_of_exit({{"exit", {{"code", 42U}}}});
  ASSERT_FALSE(ended);
  EXPECT_EQ(static_cast<int>(ended.error().exit), 42);
  // Said by the container itself, if it had anything to say.
  EXPECT_TRUE(ended.error().what.empty());
}

}  // namespace
}  // namespace hm::cli
