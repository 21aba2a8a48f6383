// SPDX-License-Identifier: Apache-2.0
// The services of this node's owner that this node keeps: as many replicas as are wanted, each on a
// machine of another owner, whatever happens to some of them. The node looks for itself whether
// they do what they should. docs/guide/containers.md, "Services".
//
// Promises: services outlive the process (kept_service.h). It spends no more by itself than the
// owner allowed it (SetAllowance). It keeps nothing while its own process does not run: what runs
// then goes on until its leases end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/hosting/kept_service.h"

namespace hm::hosting {

class ServiceKeeper final : public node::NodeObserver {
 public:
  // All of it outlives the keeper.
  ServiceKeeper(node::Node& node, node::OwnOperations& operations, SessionMux& mux,
                ContainerDesk& desk, RememberService remember,
                std::function<node::RoundTrips()> round_trips);
  ~ServiceKeeper() override;

  // What earlier processes remembered, each an encoding as it was given; damaged ones are refused
  // by name. Once, after the desk recalled its runs and before anything else.
  Result<void> recall(const std::vector<Bytes>& records);
  // When the node takes operations.
  void start();

  // Requires: valid. AlreadyExists if one that is kept has this name.
  Result<void> create(containers::ServiceSpec spec);
  Result<void> scale(std::string_view name, std::uint32_t replicas);
  // It is there, as "removing", until nothing of it is.
  Result<void> remove(std::string_view name);

  // By name; none of those that are over.
  const KeptService* find(std::string_view name) const;
  std::vector<const KeptService*> services() const;
  // Of which service a run is a replica.
  const KeptService* service_of(const RunId& run) const;
  const ServiceCounters& counters() const { return counters_; }

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;
  void on_connected(const identity::NodeId& peer) override;
  void on_disconnected(const identity::NodeId& peer) override;

 private:
  Result<KeptService*> find_kept(std::string_view name);
  void wake();
  void look();

  node::Node& node_;
  ServiceCounters counters_;
  ServicePorts ports_;
  std::map<ServiceId, KeptService> services_;
  std::unique_ptr<ports::Timer> timer_;
  bool is_woken_ = false;  // since the last look began
};

}  // namespace hm::hosting
