// SPDX-License-Identifier: Apache-2.0
// One replica of a service on the machine that was chosen for it: its leases are asked for, its
// container started, its leases renewed, and it is looked at until it is not wanted any more. It
// says how it is; what follows from that is kept_service.h's to decide.
//
// Which leases and which run are its own it knows by the purpose that no other replica has, so that
// one that an earlier process was about to place is found, too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/hosting/health_probe.h"
#include "node/hosting/service_record.h"
#include "node/lease_market.h"
#include "node/own_operations.h"

namespace hm::hosting {

struct ServiceCounters {
  std::uint64_t placed = 0;
  std::uint64_t checks_passed = 0;
  std::uint64_t checks_failed = 0;
  // Replicas that had to be replaced, by why.
  std::uint64_t unreachable = 0;
  std::uint64_t unhealthy = 0;
  std::uint64_t ended = 0;
  std::uint64_t lost_lease = 0;
  std::uint64_t never_began = 0;
};

// Where records outlive the process: the encoding of a ServiceRecord, or none to forget it.
using RememberService =
    std::function<Result<void>(const ServiceId& service, const std::optional<Bytes>& record)>;

// What every service of a node stands on.
struct ServicePorts {
  node::Node& node;
  node::OwnOperations& operations;
  SessionMux& mux;
  ContainerDesk& desk;
  RememberService remember;
  std::function<node::RoundTrips()> round_trips;
  ServiceCounters& counters;
  std::function<void()> wake;  // something happened: look soon
};

enum class Standing : std::uint8_t {
  Placing,   // on its way
  Checking,  // it runs, and has not passed a check yet
  Healthy,
  Failing,  // it has to be replaced, and is kept until then
  Lost,     // there is nothing of it that could be kept
  Leaving,
};
std::string_view name_of(Standing standing);

enum class Cause : std::uint8_t { Unreachable, Unhealthy, Ended, LostLease, NeverBegan };

struct Trouble {
  Cause cause = Cause::Ended;
  std::string why;
  std::optional<Blame> blame;
  MonoTime since{};
};

class Replica : public std::enable_shared_from_this<Replica> {
 public:
  // `record` is remembered already.
  Replica(ServicePorts& ports, const containers::ServiceSpec& service, ReplicaRecord record);

  // Asks for these; none: it is on this node. Once, of a new one.
  void begin(const std::vector<ledger::OpenLease>& leases);
  // Finds out what became of one that an earlier process remembered.
  void recall();
  void look();
  // Nothing of it is wanted any more.
  void leave();
  // One that fails and is in order again goes on.
  bool has_recovered() const;
  void recover();

  Standing standing() const;
  // It left, and there is nothing more to come of it.
  bool is_gone() const;
  // The same, but for what an earlier process may have asked for and was not seen yet.
  bool is_over() const;
  const ReplicaRecord& record() const { return record_; }
  const std::optional<Trouble>& trouble() const { return trouble_; }
  std::uint32_t failures() const { return failures_; }
  const std::string& last_failure() const { return last_failure_; }
  std::vector<ledger::LeaseId> leases() const;  // that are open
  // When it should be looked at again.
  MonoTime next_due() const;

 private:
  // Until when an operation of an earlier process may still come into a block.
  struct Unsure {
    std::uint64_t sequence = 0;
    std::uint64_t height = 0;
  };

  void look_placing();
  void look_up();
  void look_leaving();
  void start_run();
  void find_run();
  bool leases_hold();
  ledger::LeaseEnd end_of(const ledger::LeaseId& id) const;
  void renew(const ledger::LeaseId& id, const ledger::LeaseRecord& lease);
  bool is_reached();
  void check();
  void judge(const std::optional<std::string>& failure);
  void fail(Cause cause, std::string why, std::optional<Blame> blame);
  void lose(Cause cause, std::string why, std::optional<Blame> blame);
  std::string end_of_run(const RunRecord& run) const;
  MonoTime now() const { return ports_.node.ports().clock.now(); }

  ServicePorts& ports_;
  const containers::ServiceSpec& service_;
  ReplicaRecord record_;
  containers::RunSpec spec_;
  crypto::Digest purpose_;
  MonoTime began_{};  // this phase, in this process
  // Leases.
  std::size_t wanted_leases_ = 0;
  std::size_t opening_ = 0;
  std::vector<ledger::LeaseId> seen_leases_;
  std::optional<ledger::Refused> refusal_;
  std::set<ledger::LeaseId> under_way_;  // an operation about it is
  MonoTime renew_due_{};
  std::set<ledger::LeaseId> unrenewed_;  // their renewal was refused
  std::optional<Unsure> unsure_;
  // The container.
  std::shared_ptr<Stream> start_;
  bool is_forgotten_ = false;
  std::optional<MonoTime> unreachable_since_;
  // Checks.
  std::unique_ptr<HealthProbe> probe_;
  MonoTime probe_until_{};
  MonoTime probe_due_{};
  std::uint32_t failures_ = 0;  // in a row
  std::uint32_t passes_ = 0;    // in a row
  std::string last_failure_;
  bool is_ready_ = false;  // it passed a check of this process
  bool is_known_ = false;  // or of an earlier one: it has as many tries as any other
  std::optional<Trouble> trouble_;
  bool is_lost_ = false;
};

}  // namespace hm::hosting
