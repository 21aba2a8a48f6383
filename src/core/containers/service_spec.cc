// SPDX-License-Identifier: Apache-2.0
#include "core/containers/service_spec.h"

#include <algorithm>
#include <limits>

#include "core/containers/limits.h"
#include "foundation/base/hex.h"

namespace hm::containers {
namespace {

// What goes into a request's first line as it is.
bool is_url_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= kMaxHealthPath &&
         std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::string_view name_of(HealthKind kind) {
  switch (kind) {
    case HealthKind::None: return "none";
    case HealthKind::Tcp: return "tcp";
    case HealthKind::Http: return "http";
    case HealthKind::Exec: return "exec";
  }
  return "unknown";
}

std::optional<HealthKind> parse_health_kind(std::string_view name) {
  for (const HealthKind kind :
       {HealthKind::None, HealthKind::Tcp, HealthKind::Http, HealthKind::Exec}) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

std::string_view name_of(ServiceError error) {
  switch (error) {
    case ServiceError::BadRun: return "bad_run";
    case ServiceError::BadName: return "bad_name";
    case ServiceError::NotDetached: return "not_detached";
    case ServiceError::BadReplicas: return "bad_replicas";
    case ServiceError::BadDuration: return "bad_duration";
    case ServiceError::BadPlace: return "bad_place";
    case ServiceError::BadPort: return "bad_port";
    case ServiceError::BadPath: return "bad_path";
    case ServiceError::BadCommand: return "bad_command";
    case ServiceError::BadInterval: return "bad_interval";
    case ServiceError::BadTimeout: return "bad_timeout";
    case ServiceError::BadRetries: return "bad_retries";
  }
  return "unknown";
}

Result<void, ServiceError> validate(const HealthCheck& check) {
  const auto refuse = [](ServiceError error) { return std::unexpected(error); };
  const bool has_port = check.kind == HealthKind::Tcp || check.kind == HealthKind::Http;
  if (has_port != (check.port != 0)) return refuse(ServiceError::BadPort);
  if (check.kind == HealthKind::Http ? !is_url_path(check.path) : !check.path.empty()) {
    return refuse(ServiceError::BadPath);
  }
  const bool has_command = check.kind == HealthKind::Exec;
  if (has_command != !check.command.empty() || check.command.size() > kMaxHealthCommand ||
      check.command.find('\0') != std::string::npos) {
    return refuse(ServiceError::BadCommand);
  }
  if (check.interval_ms < kMinHealthInterval || check.interval_ms > kMaxHealthInterval) {
    return refuse(ServiceError::BadInterval);
  }
  if (check.timeout_ms == 0 || check.timeout_ms > check.interval_ms) {
    return refuse(ServiceError::BadTimeout);
  }
  if (check.retries == 0 || check.retries > kMaxHealthRetries) {
    return refuse(ServiceError::BadRetries);
  }
  return {};
}

Result<void, ServiceError> validate(const ServiceSpec& spec) {
  const auto refuse = [](ServiceError error) { return std::unexpected(error); };
  if (spec.name.empty() || spec.name.size() > kMaxServiceName) {
    return refuse(ServiceError::BadName);
  }
  if (spec.run.lifetime != Lifetime::Detached || spec.run.process.terminal == Terminal::Pty) {
    return refuse(ServiceError::NotDetached);
  }
  // With the longest that its replicas add.
  const RunSpec longest = replica_spec(spec, std::numeric_limits<std::uint32_t>::max(), {});
  if (const auto valid = validate(longest); !valid) {
    return refuse(valid.error() == SpecError::BadName ? ServiceError::BadName
                                                      : ServiceError::BadRun);
  }
  if (!spec.run.name.empty()) return refuse(ServiceError::BadRun);
  if (spec.replicas == 0 || spec.replicas > kMaxServiceReplicas) {
    return refuse(ServiceError::BadReplicas);
  }
  if (spec.duration_ms < kMinServiceLease) return refuse(ServiceError::BadDuration);
  if (spec.place.size() > kMaxServicePlace) return refuse(ServiceError::BadPlace);
  if (spec.image.size() > kMaxServiceImage) return refuse(ServiceError::BadRun);
  return validate(spec.health);
}

RunSpec replica_spec(const ServiceSpec& spec, std::uint64_t number, const ReplicaToken& token) {
  RunSpec run = spec.run;
  const std::string digits = std::to_string(number);
  run.name = spec.name + "-" + digits;
  run.process.environment.push_back("HYPERMESH_SERVICE=" + spec.name);
  run.process.environment.push_back("HYPERMESH_REPLICA=" + digits + "." + to_hex(token));
  return run;
}

}  // namespace hm::containers
