// SPDX-License-Identifier: Apache-2.0
#include "core/containers/service_spec.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/containers/limits.h"

namespace hm::containers {
namespace {

ServiceSpec web() {
  ServiceSpec spec;
  spec.name = "web";
  spec.run.lifetime = Lifetime::Detached;
  spec.duration_ms = 3'600'000;
  spec.replicas = 2;
  spec.health = {.kind = HealthKind::Http, .port = 8080, .path = "/ready"};
  return spec;
}

TEST(ServiceSpec, EachReplicaHasAPurposeOfItsOwnAndKnowsWhichItIs) {
  const ServiceSpec spec = web();
  const RunSpec first = replica_spec(spec, 1, {1});
  EXPECT_EQ(first.name, "web-1");
  EXPECT_EQ(first.process.environment.front(), "HYPERMESH_SERVICE=web");
  EXPECT_EQ(purpose_of(first), purpose_of(replica_spec(spec, 1, {1})));
  EXPECT_NE(purpose_of(first), purpose_of(replica_spec(spec, 2, {1})));
  EXPECT_NE(purpose_of(first), purpose_of(replica_spec(spec, 1, {2}))) << "of another node";
}

TEST(ServiceSpec, WhatCannotBeKeptIsRefusedByName) {
  ASSERT_TRUE(validate(web()));
  const auto error = [](const std::function<void(ServiceSpec&)>& change) {
    ServiceSpec spec = web();
    change(spec);
    const auto valid = validate(spec);
    return valid ? "valid" : name_of(valid.error());
  };
  EXPECT_EQ(error([](auto& s) { s.name = ""; }), "bad_name");
  EXPECT_EQ(error([](auto& s) { s.name = "Web"; }), "bad_name");
  EXPECT_EQ(error([](auto& s) { s.name = std::string(kMaxServiceName, 'w'); }), "valid");
  EXPECT_EQ(error([](auto& s) { s.name = std::string(kMaxServiceName + 1, 'w'); }), "bad_name");
  EXPECT_EQ(error([](auto& s) { s.run.lifetime = Lifetime::Attached; }), "not_detached");
  EXPECT_EQ(error([](auto& s) { s.run.limits.pids = 0; }), "bad_run");
  EXPECT_EQ(error([](auto& s) { s.run.name = "x"; }), "bad_run");
  EXPECT_EQ(error([](auto& s) { s.run.process.environment.assign(kMaxVariables - 1, "A=1"); }),
            "bad_run");
  EXPECT_EQ(error([](auto& s) { s.replicas = 0; }), "bad_replicas");
  EXPECT_EQ(error([](auto& s) { s.replicas = 17; }), "bad_replicas");
  EXPECT_EQ(error([](auto& s) { s.duration_ms = kMinServiceLease - 1; }), "bad_duration");
  EXPECT_EQ(error([](auto& s) { s.health.port = 0; }), "bad_port");
  EXPECT_EQ(error([](auto& s) { s.health.path = "ready"; }), "bad_path");
  EXPECT_EQ(error([](auto& s) { s.health.path = "/a b"; }), "bad_path");
  EXPECT_EQ(error([](auto& s) { s.health.path = "/\r\nHost: x"; }), "bad_path");
  EXPECT_EQ(error([](auto& s) { s.health.command = "true"; }), "bad_command");
  EXPECT_EQ(error([](auto& s) { s.health = {.kind = HealthKind::Exec}; }), "bad_command");
  EXPECT_EQ(error([](auto& s) { s.health = {.kind = HealthKind::None, .port = 1}; }), "bad_port");
  EXPECT_EQ(error([](auto& s) { s.health.interval_ms = 999; }), "bad_interval");
  EXPECT_EQ(error([](auto& s) { s.health.timeout_ms = s.health.interval_ms + 1; }), "bad_timeout");
  EXPECT_EQ(error([](auto& s) { s.health.retries = 0; }), "bad_retries");
}

TEST(ServiceSpec, KindsOfChecksAreReadAsTheyAreWritten) {
  for (const auto kind : {HealthKind::None, HealthKind::Tcp, HealthKind::Http, HealthKind::Exec}) {
    EXPECT_EQ(parse_health_kind(name_of(kind)), kind);
  }
  EXPECT_FALSE(parse_health_kind("udp"));
}

}  // namespace
}  // namespace hm::containers
