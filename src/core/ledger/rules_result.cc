// SPDX-License-Identifier: Apache-2.0
// Results of runs of one purpose that one tenant had with several owners.
#include <set>

#include "core/ledger/execution.h"
#include "core/ledger/job_result.h"

namespace hm::ledger {

Execution::Checked Execution::act(const ReportDisagreement& action) {
  std::set<identity::OwnerId> providers;
  std::optional<crypto::Digest> purpose;
  for (const SignedResult& result : action.results) {
    if (!layer_.leases.contains(result.lease)) return refuse(Refusal::UnknownLease);
    leases_.catch_up(result.lease);
    const LeaseRecord* lease = layer_.leases.find(result.lease);
    if (lease == nullptr) return refuse(Refusal::UnknownLease);
    if (const auto refused = check_result_of(result, *lease)) return refused;
    if (!lease->purpose || (purpose && *purpose != *lease->purpose)) {
      return refuse(Refusal::ResultsOfOtherRuns);
    }
    purpose = lease->purpose;
    if (!providers.insert(lease->placement.provider).second) {
      return refuse(Refusal::ResultProviderTwice);
    }
  }
  const Tally counted = tally(action.results);
  if (!counted.has_majority || counted.agreeing < action.quorum) {
    return refuse(Refusal::NoMajority, counted.agreeing,
                  std::max<std::uint64_t>(action.quorum, action.results.size() / 2 + 1));
  }
  if (counted.dissenting.empty()) return refuse(Refusal::NoDisagreement);
  const crypto::Digest evidence = evidence_hash(layer_.chain().chain_id, action.results);
  for (const SignedResult& result : action.results) leases_.remember(result.lease, evidence);
  for (const std::size_t i : counted.dissenting) leases_.outvote(action.results[i].lease);
  return std::nullopt;
}

// The word of the lease's node, for the acting tenant, in time and for the first time.
Execution::Checked Execution::check_result_of(const SignedResult& result,
                                              const LeaseRecord& lease) const {
  const Placement& placement = lease.placement;
  if (lease.tenant != acting_.owner) return refuse(Refusal::NotTheTenant);
  if (placement.provider == lease.tenant) return refuse(Refusal::ResultOfOwn);
  if (placement.accepted.value == 0) return refuse(Refusal::LeaseNotActive);
  // An asset may lie on a node of an owner that gave it away: that node answers for nobody.
  const bool is_nodes = identity::node_id_of(result.key) == placement.node;
  if (!is_nodes || layer_.nodes.find(placement.node)->binding.owner != placement.provider) {
    return refuse(Refusal::ResultNotByNode);
  }
  if (placement.evidence) return refuse(Refusal::ResultsKnown);
  if (lease.is_open()) return std::nullopt;
  const std::uint64_t window = policy_of(layer_.chain().preset).evidence_window_ms;
  const std::uint64_t since = frame_.time.value - lease.ends.value;
  if (since > window) return refuse(Refusal::ResultTooLate, since, window);
  return std::nullopt;
}

}  // namespace hm::ledger
