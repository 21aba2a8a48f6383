// SPDX-License-Identifier: Apache-2.0
// What a tenant wants to be there always: a run, so many times, each on a machine of another owner,
// and how it is seen that one of them does what it should. docs/guide/containers.md, "Services".
//
// Every replica that is placed has a spec of its own, made from the service's: a name, and two
// variables that tell it which it is. So the purpose of its leases is that of no other replica, and
// whoever finds a lease on the ledger knows what it is for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/caesar/amount.h"
#include "core/containers/run_spec.h"

namespace hm::containers {

// How the tenant's node looks for itself. No kind is proof against a provider that answers in the
// container's place; Exec and None believe its word, Tcp and Http go the way that users go.
enum class HealthKind : std::uint8_t {
  None,  // it runs, says its node
  Tcp,   // a connection to the port is taken
  Http,  // GET of the path is answered with 200 to 399
  Exec,  // a command inside ends with 0
};
std::string_view name_of(HealthKind kind);
std::optional<HealthKind> parse_health_kind(std::string_view name);

struct HealthCheck {
  HealthKind kind = HealthKind::None;
  std::uint16_t port = 0;  // Tcp, Http
  std::string path;        // Http: from its "/" on
  std::string command;     // Exec: for /bin/sh -c
  std::uint32_t interval_ms = 10'000;
  std::uint32_t timeout_ms = 5'000;
  std::uint32_t retries = 3;  // failures in a row that count
  bool operator==(const HealthCheck&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.kind, self.port, self.path, self.command, self.interval_ms,
                    self.timeout_ms, self.retries);
  }
};

struct ServiceSpec {
  std::string name;
  RunSpec run;                                  // detached; without a name
  std::string image;                            // as it was named
  std::string place;                            // on which machines: a filter of core/scheduling
  std::uint64_t duration_ms = 0;                // of one lease, which is renewed
  std::optional<caesar::Amount> highest_price;  // of all leases of one replica, for an hour
  std::uint32_t replicas = 1;
  HealthCheck health;
  bool operator==(const ServiceSpec&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.run, self.image, self.place, self.duration_ms,
                    self.highest_price, self.replicas, self.health);
  }
};

enum class ServiceError : std::uint8_t {
  BadRun,       // the run's spec is none that a replica can have
  BadName,      // not [a-z0-9][a-z0-9.-]*, or longer than kMaxServiceName
  NotDetached,  // or with a terminal
  BadReplicas,  // not 1 to kMaxServiceReplicas
  BadDuration,  // shorter than kMinServiceLease
  BadPlace,     // longer than a filter may be
  BadPort,
  BadPath,
  BadCommand,
  BadInterval,
  BadTimeout,  // 0, or longer than the interval
  BadRetries,
};
std::string_view name_of(ServiceError error);

Result<void, ServiceError> validate(const HealthCheck& check);
Result<void, ServiceError> validate(const ServiceSpec& spec);

// Drawn for each replica that is placed.
using ReplicaToken = std::array<std::uint8_t, 16>;

// "web-3" with HYPERMESH_SERVICE=web and HYPERMESH_REPLICA=3.‹token›.
RunSpec replica_spec(const ServiceSpec& spec, std::uint64_t number, const ReplicaToken& token);

}  // namespace hm::containers

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::containers::HealthKind> =
    hm::containers::HealthKind::Exec;
