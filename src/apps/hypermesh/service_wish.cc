// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/service_wish.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/hypermesh/duration.h"
#include "core/api/container_json.h"
#include "core/api/service_request.h"
#include "core/containers/limits.h"

namespace hm::cli {
namespace {

using containers::HealthCheck;
using containers::HealthKind;
using nlohmann::ordered_json;

std::unexpected<Failure> no_check(const std::string& text) {
  return failed(ExitCode::Usage, fmt::format("--health: '{}' is no check", text),
                "it is tcp:PORT, http:PORT/path or exec:COMMAND",
                "for example --health http:8080/ready");
}

// The port that the text begins with; what follows it is left.
std::uint16_t take_port(std::string_view& text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (parsed.ec != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return port;
}

Answer<std::uint32_t> time_of(const char* option, const std::string& text) {
  HM_CLI_TRY(const std::uint64_t time, duration_of(option, text));
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(time, containers::kMaxHealthInterval + 1));
}

Answer<HealthCheck> kind_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto kind = containers::parse_health_kind(text.substr(0, colon));
  if (colon == std::string::npos || !kind || *kind == HealthKind::None) return no_check(text);
  HealthCheck check{.kind = *kind};
  std::string_view rest = std::string_view(text).substr(colon + 1);
  if (*kind == HealthKind::Exec) {
    check.command = rest;
    return check;
  }
  check.port = take_port(rest);
  if (*kind == HealthKind::Http) {
    check.path = rest.empty() ? "/" : rest;
  } else if (!rest.empty()) {
    return no_check(text);
  }
  return check;
}

}  // namespace

Answer<HealthCheck> health_of(const ContainerRun& options) {
  HealthCheck check;
  if (options.health) {
    HM_CLI_TRY(check, kind_of(*options.health));
  }
  if (options.health_interval) {
    HM_CLI_TRY(check.interval_ms, time_of("--health-interval", *options.health_interval));
  }
  check.timeout_ms = std::min(check.timeout_ms, check.interval_ms);
  if (options.health_timeout) {
    HM_CLI_TRY(check.timeout_ms, time_of("--health-timeout", *options.health_timeout));
  }
  check.retries = options.health_retries.value_or(check.retries);
  const auto valid = containers::validate(check);
  if (valid) return check;
  switch (valid.error()) {
    case containers::ServiceError::BadInterval:
      return failed(ExitCode::Usage, "--health-interval is out of its range",
                    "a check is a connection each time", "1s to 1h, for example 10s");
    case containers::ServiceError::BadTimeout:
      return failed(ExitCode::Usage, "--health-timeout is longer than the interval",
                    "one check ends before the next begins", "for example 5s");
    default: return no_check(options.health.value_or(""));
  }
}

Outcome check_service(const ContainerRun& options) {
  if (options.quorum) {
    return failed(ExitCode::Usage, "--quorum and --detach do not go together",
                  "a quorum agrees on a result, and a service has none", "leave one of them out");
  }
  if (options.local || options.input || options.terminal || options.remove) {
    return failed(ExitCode::Usage, "a service is nobody's terminal and not only here",
                  "--local, -i, -t and --rm do not go with -d --replicas", "leave them out");
  }
  if (options.name.empty() || options.name.size() > containers::kMaxServiceName) {
    return failed(ExitCode::Usage, "a service has a name",
                  fmt::format("by which it is found again; at most {} characters",
                              containers::kMaxServiceName),
                  "for example --name web");
  }
  if (const auto health = health_of(options); !health) return std::unexpected(health.error());
  return {};
}

Outcome create_service(const Context& context, ContainerAccess& access, const ContainerRun& options,
                       const RunWish& wish) {
  HM_CLI_TRY(const HealthCheck health, health_of(options));
  api::JsonWriter json;
  json.begin_object().member("image_name", wish.image).member("on", wish.filter);
  json.member("duration_ms", wish.duration_ms);
  if (wish.highest_price) json.member("highest_price", caesar::to_string(*wish.highest_price));
  json.member("replicas", *options.replicas).key("health");
  api::write_health(json, health);
  api::write_spec_members(json, wish.spec);
  json.end_object();
  HM_CLI_TRY(
      const ordered_json made,
      access.client.post("/services", ordered_json::parse(std::move(json).take()), access.token()));
  context.terminal.data(context.globals.json ? made.dump() : wish.spec.name);
  return {};
}

}  // namespace hm::cli
