// SPDX-License-Identifier: Apache-2.0
// What a node remembers of a service, so that a later process goes on with it: what is wanted,
// where its replicas are, and whom it leaves out. It is written before anything is done that it
// speaks of. What became of that is on the ledger and in the records of runs, found there by the
// purpose that each replica has alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/containers/service_spec.h"
#include "core/identity/ids.h"
#include "foundation/base/strong.h"
#include "foundation/base/time.h"
#include "node/hosting/session_message.h"

namespace hm::hosting {

// Drawn at random; a name may come again.
struct ServiceIdTag;
using ServiceId = Id32<ServiceIdTag>;

enum class ReplicaPhase : std::uint8_t {
  Placing,  // its leases are asked for, or its container starts
  Up,       // its container was started
  Leaving,  // nothing of it is wanted any more
};

struct ReplicaRecord {
  std::uint64_t number = 0;  // counts all that were ever placed, from 1
  containers::ReplicaToken token{};
  identity::NodeId provider;
  identity::OwnerId owner;  // of the provider
  RunId run;                // zero: there is none yet
  UnixMillis since;
  ReplicaPhase phase = ReplicaPhase::Placing;
  bool operator==(const ReplicaRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.number, self.token, self.provider, self.owner, self.run, self.since,
                    self.phase);
  }
};

// Whose machines the service does not use until then.
struct LeftOut {
  identity::OwnerId owner;
  identity::NodeId node;  // where it happened
  std::string why;
  UnixMillis at;
  UnixMillis until;
  std::uint32_t times = 1;  // in a row
  bool operator==(const LeftOut&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.owner, self.node, self.why, self.at, self.until, self.times);
  }
};

enum class ServiceLife : std::uint8_t { Wanted, Removed };

struct ServiceRecord {
  ServiceId id;
  containers::ServiceSpec spec;
  UnixMillis created;
  ServiceLife life = ServiceLife::Wanted;
  std::uint64_t last_number = 0;
  std::vector<ReplicaRecord> replicas;
  std::vector<LeftOut> left_out;
  bool operator==(const ServiceRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.id, self.spec, self.created, self.life, self.last_number, self.replicas,
                    self.left_out);
  }
};

// Whether a failure may be the program's or the time's as well as the provider's.
enum class Blame : std::uint8_t { Provider, Passing };

// Leaves the owner of `replica` out from now on, for twice as long as the last time.
void leave_out(ServiceRecord& service, const ReplicaRecord& replica, Blame blame, std::string why,
               UnixMillis now);
bool is_left_out(const ServiceRecord& service, const identity::OwnerId& owner, UnixMillis now);

}  // namespace hm::hosting

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::ReplicaPhase> =
    hm::hosting::ReplicaPhase::Leaving;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::hosting::ServiceLife> =
    hm::hosting::ServiceLife::Removed;
