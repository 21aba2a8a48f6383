// SPDX-License-Identifier: Apache-2.0
#include "node/storing/shard_gate.h"

#include <algorithm>
#include <string>

#include "foundation/codec/writer.h"

namespace hm::storing {
namespace {

using ledger::LeaseState;

Error denied(std::string message, std::string detail) {
  return {ErrorCode::PermissionDenied, std::move(message), std::move(detail)};
}

// The lease of another node of the same owner may be used, as long as that node is on the ledger.
bool is_for_shards(const node::Node& node, const identity::NodeId& from,
                   const ledger::LeaseRecord& lease) {
  if (lease.purpose == storage_purpose(from)) return true;
  return std::ranges::any_of(node.ledger().tables().nodes, [&](const auto& entry) {
    return entry.second.binding.owner == lease.tenant &&
           lease.purpose == storage_purpose(entry.first);
  });
}

bool is_storage(const node::Node& node, const ledger::LeaseRecord& lease) {
  const assets::AssetRecord* asset = node.ledger().asset(lease.placement.choice.asset.hash);
  return asset != nullptr && asset->id.kind == assets::AssetKind::Storage &&
         asset->terms.quantity.unit == "bytes";
}

}  // namespace

crypto::Digest storage_purpose(const identity::NodeId& tenant) {
  return crypto::tagged_hash("hm.storage.purpose.v1", tenant.bytes);
}

ports::HolderId holder_of(const ledger::LeaseId& lease, ShardKind kind) {
  codec::Writer writer;
  writer.write(lease);
  writer.write(kind);
  return ports::HolderId{crypto::tagged_hash("hm.storage.holder.v1", writer.bytes()).bytes};
}

std::optional<Error> objection(const node::Node& node, const identity::NodeId& from,
                               const ledger::LeaseId& id, LeaseUse use) {
  const ledger::NodeRecord* asking = node.ledger().node(from);
  if (asking == nullptr) return denied("the asking node is not on the ledger here", {});
  const ledger::LeaseRecord* lease = node.ledger().lease(id);
  const std::string name = id.to_string();
  if (lease == nullptr || lease->tenant != asking->binding.owner) {
    return denied("lease " + name + " is not the asking owner's",
                  "open one of this node's storage");
  }
  if (lease->placement.node != node.id()) {
    return denied("lease " + name + " lies on another node", "ask that one");
  }
  const bool is_left = lease->state == LeaseState::Draining || is_lease_dark(node, *lease);
  const bool is_usable = lease->state == LeaseState::Active || (is_left && use == LeaseUse::Look);
  if (!is_usable) {
    return Error{ErrorCode::FailedPrecondition,
                 "lease " + name + " is " + std::string(ledger::name_of(lease->state)),
                 use == LeaseUse::Keep ? "only under an active lease are shards kept"
                                       : "what was kept under it is gone once it has ended"};
  }
  if (use == LeaseUse::Look) return std::nullopt;
  if (!is_storage(node, *lease)) {
    return Error{ErrorCode::Unsupported, "lease " + name + " is not of bytes of storage",
                 "lease a storage asset whose record says how large it is"};
  }
  if (!is_for_shards(node, from, *lease)) {
    return denied("lease " + name + " is for something else",
                  "its purpose is that of no node of its owner");
  }
  return std::nullopt;
}

bool is_lease_expected(const node::Node& node, const ledger::LeaseId& id) {
  const ledger::LeaseRecord* lease = node.ledger().lease(id);
  return lease == nullptr || lease->state == LeaseState::Requested;
}

bool is_lease_dark(const node::Node& node, const ledger::LeaseRecord& lease) {
  const ledger::Placement& placement = lease.placement;
  if (lease.state == LeaseState::Failed) return placement.end == ledger::LeaseEnd::Dark;
  if (lease.state != LeaseState::Closed || placement.end != ledger::LeaseEnd::ByOwner) return false;
  if (placement.accepted.value == 0 || lease.tenant == placement.provider) return false;
  // A provider ends a lease whose tenant signs nothing just before it would count as dark.
  const ledger::Policy& policy = node.ledger().policy();
  const std::uint64_t missed = std::uint64_t{placement.next_interval} + policy.dark_after_intervals;
  return lease.ends.value >= placement.accepted.value + missed * policy.meter_interval_ms;
}

bool is_lease_held(const node::Node& node, const ledger::LeaseRecord* lease) {
  if (lease == nullptr || lease->placement.node != node.id()) return false;
  return lease->state == LeaseState::Active || lease->state == LeaseState::Draining ||
         is_lease_dark(node, *lease);
}

bool is_lease_gone(const node::Node& node, const ledger::LeaseRecord& lease) {
  if (is_lease_held(node, &lease)) return false;
  const bool lies_here = lease.placement.node == node.id() && !lease.is_open();
  return lies_here || std::ranges::any_of(lease.past, [&](const ledger::Placement& placement) {
           return placement.node == node.id();
         });
}

}  // namespace hm::storing
