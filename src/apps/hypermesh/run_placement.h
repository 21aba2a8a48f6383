// SPDX-License-Identifier: Apache-2.0
// Where a run may go and what that costs: nodes by the rank of the plan for their processors, of
// which each has to have the memory and the storage too. And the leases of one of them, opened
// together.
//
// The node that is asked is not believed: what is signed is what the run needs, for no more than
// was allowed, with the hash of the run as its purpose.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/interruption.h"
#include "apps/hypermesh/run_wish.h"
#include "core/identity/owner_keys.h"
#include "core/ledger/lending_actions.h"
#include "node/hosting/run_plan.h"

namespace hm::cli {

// More nodes than this are not tried for one run: each costs a few blocks.
inline constexpr std::size_t kMaxNodesTried = 4;

struct PlannedPart {
  hosting::NeededLease need;
  nlohmann::ordered_json choice;  // as the node's plan has it
  ledger::OpenLease action;       // its one choice
  caesar::Amount escrow;
};
struct PlannedNode {
  std::string node;
  std::string name;
  std::string owner;
  bool is_asked = false;  // it is the node that is asked: nothing has to be leased
  std::vector<PlannedPart> parts;
  caesar::Amount escrow;
};
// Why a node that has the processors is not taken.
struct Unfit {
  std::string node_name;
  std::string asset;  // of its processors
  std::string rule;
  std::string message;
};

class RunPlanner {
 public:
  // `client` outlives it. `tenant`: the owner of the node that is asked.
  RunPlanner(ApiClient& client, const RunWish& wish, const identity::OwnerId& tenant,
             std::string asked_node, const identity::ChainId& chain);

  // The nodes for the processors, best first. `explain`: with the rejected.
  Outcome begin(bool explain);
  // The next node that has everything; none: there is no further one.
  Answer<std::optional<PlannedNode>> next();
  // After next() gave none: that nothing is to be had, and the first reason.
  Failure nothing_left();

  const nlohmann::ordered_json& cpu_plan() const { return cpu_plan_; }
  const std::vector<Unfit>& unfit() const { return unfit_; }

 private:
  Answer<nlohmann::ordered_json> ask(const hosting::NeededLease& need, const std::string& filter,
                                     std::size_t choices, bool explain);
  Answer<PlannedPart> part_of(const hosting::NeededLease& need, const std::string& filter,
                              std::size_t choices, const nlohmann::ordered_json& plan,
                              const nlohmann::ordered_json& choice) const;
  Answer<std::optional<PlannedNode>> whole_node(const nlohmann::ordered_json& choice);

  ApiClient& client_;
  const RunWish& wish_;
  identity::OwnerId tenant_;
  std::string asked_node_;
  identity::ChainId chain_;
  std::vector<hosting::NeededLease> needs_;
  nlohmann::ordered_json cpu_plan_;
  std::size_t at_ = 0;
  std::vector<Unfit> unfit_;
};

// A signal that came while leases were held and nothing ran yet.
Failure interrupted_by(int signal);

// Opens the leases of the node and waits until all of them are active. If they do not become so,
// those that were opened are closed again. Gives their ids.
Answer<std::vector<std::string>> open_leases(ApiClient& client, const identity::OwnerKeys& keys,
                                             const PlannedNode& node, const crypto::Digest& purpose,
                                             const Interruption& interruption);
// Closes those that are open.
void close_leases(ApiClient& client, const identity::OwnerKeys& keys,
                  const std::vector<std::string>& ids);

}  // namespace hm::cli
