// SPDX-License-Identifier: Apache-2.0
#include "core/api/service_request.h"

#include <gtest/gtest.h>

#include "core/api/container_json.h"

namespace hm::api {
namespace {

const std::string kImage = R"("image":")" + std::string(64, 'a') + R"(")";

std::string error_of(const std::string& members) {
  const auto decoded = decode_service("{" + kImage + members + "}");
  return decoded ? "" : decoded.error().field + ": " + decoded.error().problem;
}

TEST(ServiceRequest, AWholeServiceIsReadAndTheNameIsTheServices) {
  const auto decoded =
      decode_service("{" + kImage +
                     R"(,"name":"web","image_name":"web:1","on":"trust>=600","duration_ms":60000,)"
                     R"("highest_price":"0.5","replicas":3,"memory_bytes":33554432,)"
                     R"("health":{"kind":"http","port":8080,"interval_ms":2000,"retries":4}})");
  ASSERT_TRUE(decoded) << decoded.error().field << decoded.error().problem;
  EXPECT_EQ(decoded->name, "web");
  EXPECT_EQ(decoded->run.name, "");
  EXPECT_EQ(decoded->run.lifetime, containers::Lifetime::Detached);
  EXPECT_EQ(decoded->run.limits.memory_bytes, 33554432U);
  EXPECT_EQ(decoded->place, "trust>=600");
  EXPECT_EQ(decoded->highest_price, caesar::Amount{500'000'000});
  EXPECT_EQ(decoded->replicas, 3U);
  EXPECT_EQ(decoded->health, (containers::HealthCheck{.kind = containers::HealthKind::Http,
                                                      .port = 8080,
                                                      .path = "/",
                                                      .interval_ms = 2000,
                                                      .timeout_ms = 2000,
                                                      .retries = 4}));
  JsonWriter json;
  json.begin_object().member("name", "web").member("replicas", 1U).key("health");
  write_health(json, decoded->health);
  write_spec_members(json, decoded->run);
  json.end_object();
  const auto again = decode_service(std::move(json).take());
  ASSERT_TRUE(again) << again.error().field << again.error().problem;
  EXPECT_EQ(again->health, decoded->health);
  EXPECT_EQ(again->run, decoded->run);
}

TEST(ServiceRequest, WhatIsNoServiceIsRefusedByName) {
  EXPECT_EQ(error_of(R"(,"name":"web")"), "replicas: is missing");
  EXPECT_EQ(error_of(R"(,"name":"web","replicas":17)"), "replicas: is not 1 to 16");
  EXPECT_EQ(error_of(R"(,"replicas":1)"), ": asks for what no service is: bad_name");
  EXPECT_EQ(error_of(R"(,"name":"web","replicas":1,"terminal":true)"),
            ": asks for what no service is: not_detached");
  EXPECT_EQ(error_of(R"(,"name":"web","replicas":1,"health":{"kind":"udp"})").substr(0, 12),
            "health.kind:");
  EXPECT_EQ(error_of(R"(,"name":"web","replicas":1,"health":{"kind":"tcp"})"),
            ": asks for what no service is: bad_port");
  EXPECT_EQ(error_of(R"(,"name":"web","replicas":1,"highest_price":"x")").substr(0, 14),
            "highest_price:");
  EXPECT_NE(error_of(R"(,"name":"web","replicas":1,"quorum":2)"), "");
  EXPECT_EQ(decode_scale(R"({"replicas":4})").value(), 4U);
  EXPECT_FALSE(decode_scale(R"({"replicas":0})"));
  EXPECT_FALSE(decode_scale(R"({"replicas":1,"x":1})"));
}

}  // namespace
}  // namespace hm::api
