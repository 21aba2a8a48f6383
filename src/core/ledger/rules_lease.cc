// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/execution.h"

namespace hm::ledger {

Execution::Checked Execution::act(const OpenLease& action) {
  return leases_.open(LeaseId{id_.bytes}, acting_.owner, acting_.node, action);
}

Execution::Checked Execution::act(const AcceptLease& action) {
  if (const auto refused = check_open(action.lease)) return refused;
  if (const auto refused = check_provider(action.lease)) return refused;
  return leases_.accept(action.lease);
}

Execution::Checked Execution::act(const DeclineLease& action) {
  if (const auto refused = check_open(action.lease)) return refused;
  if (const auto refused = check_provider(action.lease)) return refused;
  return leases_.decline(action.lease);
}

Execution::Checked Execution::act(const RenewLease& action) {
  if (const auto refused = check_open(action.lease)) return refused;
  if (const auto refused = check_tenant(action.lease)) return refused;
  return leases_.renew(action.lease, acting_.node, action.extra_ms);
}

Execution::Checked Execution::act(const CloseLease& action) {
  if (const auto refused = check_open(action.lease)) return refused;
  if (const auto refused = check_tenant(action.lease)) return refused;
  return leases_.close(action.lease);
}

Execution::Checked Execution::act(const ReclaimLease& action) {
  if (const auto refused = check_open(action.lease)) return refused;
  if (const auto refused = check_provider(action.lease)) return refused;
  return leases_.reclaim(action.lease, action.notice);
}

Execution::Checked Execution::act(const MeterLease& action) {
  const MeterReading& reading = action.reading;
  if (const auto refused = check_open(reading.lease)) return refused;
  const LeaseRecord& lease = *layer_.leases.find(reading.lease);
  // An asset may lie on a node of an owner that gave it away, perhaps the tenant: that node does
  // not speak for the provider.
  if (!signs_for(reading.provider.key, lease.placement.provider)) {
    return refuse(Refusal::MeterNotByProvider);
  }
  if (!signs_for(reading.tenant.key, lease.tenant)) return refuse(Refusal::MeterNotByTenant);
  return leases_.meter(reading);
}

Execution::Checked Execution::act(const SettleLease& action) {
  if (!layer_.leases.contains(action.lease)) return refuse(Refusal::UnknownLease);
  // Whatever its clock brings about pays what was due.
  if (leases_.catch_up(action.lease)) return std::nullopt;
  return leases_.settle(action.lease);
}

Execution::Checked Execution::act(const SetAllowance& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  const NodeRecord* node = layer_.nodes.find(action.node);
  if (node == nullptr) return refuse(Refusal::UnknownNode);
  if (node->binding.owner != acting_.owner) return refuse(Refusal::NodeNotOwned);
  NodeRecord& allowed = layer_.nodes.edit(action.node);
  allowed.allowance = action.amount;
  // So that what comes back from earlier leases does not raise it again.
  ++allowed.allowance_version;
  return std::nullopt;
}

// There is such a lease, and with what the time of this block brings about it is still open.
Execution::Checked Execution::check_open(const LeaseId& id) {
  if (!layer_.leases.contains(id)) return refuse(Refusal::UnknownLease);
  leases_.catch_up(id);
  const LeaseRecord* lease = layer_.leases.find(id);
  if (lease == nullptr || !lease->is_open()) return refuse(Refusal::LeaseEnded);
  return std::nullopt;
}

Execution::Checked Execution::check_tenant(const LeaseId& id) const {
  if (layer_.leases.find(id)->tenant != acting_.owner) return refuse(Refusal::NotTheTenant);
  return std::nullopt;
}

Execution::Checked Execution::check_provider(const LeaseId& id) const {
  const Placement& placement = layer_.leases.find(id)->placement;
  if (placement.provider != acting_.owner) return refuse(Refusal::NotTheProvider);
  if (acting_.node && *acting_.node != placement.node) return refuse(Refusal::NotOnThisNode);
  return std::nullopt;
}

// The owner's own key, or that of one of its nodes.
bool Execution::signs_for(const crypto::PublicKey& key, const identity::OwnerId& owner) const {
  if (layer_.owner_keys.find(owner)->bundle.has_ed25519(key)) return true;
  const NodeRecord* node = layer_.nodes.find(identity::node_id_of(key));
  return node != nullptr && node->binding.owner == owner;
}

}  // namespace hm::ledger
