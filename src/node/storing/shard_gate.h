// SPDX-License-Identifier: Apache-2.0
// Whether a node may have shards kept here, listed and dropped: its owner must be the tenant of a
// lease of this node's storage. Whoever names a root may read: 256 bits that only manifests and
// auditors know. docs/protocols/storage.md §10.
#pragma once

#include <cstdint>
#include <optional>

#include "foundation/base/error.h"
#include "node/node.h"
#include "node/storing/shard_message.h"

namespace hm::storing {

// The purpose of a lease under which a node has shards kept: H("hm.storage.purpose.v1", node id).
crypto::Digest storage_purpose(const identity::NodeId& tenant);

// By whom the store has them held: H("hm.storage.holder.v1", lease, kind).
ports::HolderId holder_of(const ledger::LeaseId& lease, ShardKind kind);

enum class LeaseUse : std::uint8_t {
  Keep,  // more than before
  Look,  // list, count, drop
};

// Why not; none: it may.
std::optional<Error> objection(const node::Node& node, const identity::NodeId& from,
                               const ledger::LeaseId& lease, LeaseUse use);

// It is not here yet, or only requested: a later block may change that.
bool is_lease_expected(const node::Node& node, const ledger::LeaseId& lease);

// It ended because the machine of one side, or the way between them, was away: nobody read it, or
// its tenant signed nothing for so long that its provider reclaimed it.
bool is_lease_dark(const node::Node& node, const ledger::LeaseRecord& lease);

// What is kept under it stays: it is active or draining; or it went dark, since then the machine or
// the way to it was away, and what lies here may be all that is left. That is kept as long as the
// ledger remembers the lease.
bool is_lease_held(const node::Node& node, const ledger::LeaseRecord* lease);

// It lay here, and does not any more.
bool is_lease_gone(const node::Node& node, const ledger::LeaseRecord& lease);

}  // namespace hm::storing
