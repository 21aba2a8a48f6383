// SPDX-License-Identifier: Apache-2.0
#include "core/api/service_request.h"

#include <algorithm>
#include <utility>

#include "core/api/container_members.h"
#include "core/containers/limits.h"
#include "core/scheduling/limits.h"

namespace hm::api {
namespace {

Result<void, BadRequest> take_health(Members& members, containers::HealthCheck& check) {
  auto json = members.take("health");
  if (!json) return {};
  HM_TRY(Members inner, Members::of(std::move(*json), members.path_of("health")));
  HM_TRY(const auto kind, needed_text(inner, "kind"));
  const auto parsed = containers::parse_health_kind(kind);
  if (!parsed) return bad(inner.path_of("kind"), "is none of 'none', 'tcp', 'http' and 'exec'");
  check.kind = *parsed;
  HM_TRY_VOID(take_number(inner, "port", check.port));
  HM_TRY(auto path, inner.text("path", containers::kMaxHealthPath));
  check.path = std::move(path).value_or(*parsed == containers::HealthKind::Http ? "/" : "");
  HM_TRY(auto command, inner.text("command", containers::kMaxHealthCommand));
  check.command = std::move(command).value_or("");
  HM_TRY_VOID(take_number(inner, "interval_ms", check.interval_ms));
  check.timeout_ms = std::min(check.timeout_ms, check.interval_ms);
  HM_TRY_VOID(take_number(inner, "timeout_ms", check.timeout_ms));
  HM_TRY_VOID(take_number(inner, "retries", check.retries));
  return inner.finish();
}

Decoded<std::uint32_t> take_replicas(Members& members) {
  HM_TRY(const auto replicas, members.number("replicas"));
  if (!replicas) return bad(members.path_of("replicas"), "is missing");
  if (*replicas < 1 || *replicas > containers::kMaxServiceReplicas) {
    return bad(members.path_of("replicas"), "is not 1 to 16");
  }
  return static_cast<std::uint32_t>(*replicas);
}

}  // namespace

Result<containers::ServiceSpec, BadRequest> decode_service(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  containers::ServiceSpec spec;
  HM_TRY(auto image, members.text("image_name"));
  spec.image = std::move(image).value_or("");
  HM_TRY(auto place, members.text("on", containers::kMaxServicePlace));
  spec.place = std::move(place).value_or("");
  spec.duration_ms = scheduling::kDefaultDurationMs;
  HM_TRY_VOID(take_number(members, "duration_ms", spec.duration_ms));
  HM_TRY(const auto price, members.text("highest_price"));
  if (price) {
    spec.highest_price = caesar::parse_amount(*price);
    if (!spec.highest_price) return bad(members.path_of("highest_price"), "is no amount of CAES");
  }
  HM_TRY(spec.replicas, take_replicas(members));
  HM_TRY_VOID(take_health(members, spec.health));
  HM_TRY_VOID(take_spec(members, spec.run));
  HM_TRY_VOID(members.finish());
  spec.name = std::exchange(spec.run.name, {});
  spec.run.lifetime = containers::Lifetime::Detached;
  if (const auto valid = containers::validate(spec); !valid) {
    return bad("", "asks for what no service is: " + std::string(name_of(valid.error())));
  }
  return spec;
}

Result<std::uint32_t, BadRequest> decode_scale(std::string_view body) {
  HM_TRY(Members members, parse_members(body));
  HM_TRY(const std::uint32_t replicas, take_replicas(members));
  HM_TRY_VOID(members.finish());
  return replicas;
}

void write_health(JsonWriter& json, const containers::HealthCheck& check) {
  json.begin_object().member("kind", name_of(check.kind));
  if (check.port != 0) json.member("port", check.port);
  if (!check.path.empty()) json.member("path", check.path);
  if (!check.command.empty()) json.member("command", check.command);
  json.member("interval_ms", check.interval_ms).member("timeout_ms", check.timeout_ms);
  json.member("retries", check.retries).end_object();
}

}  // namespace hm::api
