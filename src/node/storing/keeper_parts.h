// SPDX-License-Identifier: Apache-2.0
// What everything on the tenant's side of storage stands on. All of it outlives its users.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/storage/stripe_writer.h"
#include "node/node.h"
#include "node/storing/catalogue.h"
#include "node/storing/catalogue_queue.h"
#include "node/storing/shard_client.h"
#include "node/storing/storage_leases.h"

namespace hm::storing {

class ObjectUpload;
class ObjectDownload;

struct KeeperParts {
  node::Node& node;
  ShardClient& client;
  StorageLeases& leases;
  std::shared_ptr<const Catalogue> catalogue;  // for reading
  CatalogueQueue& queue;                       // for writing

  // The catalogue changed: the ledger is to have a new commitment.
  std::function<void()> changed;
  // Somewhere a shard may be that nothing refers to.
  std::function<void()> unsure;
  // Of a node that did not keep, or not give, what it took.
  std::function<void(FaultRow)> fault;

  std::uint64_t next_version = 1;  // of the object that begins next
  std::uint64_t next_upload = 1;
  std::uint64_t generation = 0;  // of the last commitment that was asked of the ledger
  // Under way; they outlive the keeper where somebody holds them, and do nothing any more then.
  std::set<ObjectUpload*> uploads;
  std::set<ObjectDownload*> downloads;

  // What did not answer in time is asked last until then, if others can answer instead.
  std::map<identity::NodeId, MonoTime> slow_until;

  // Its node still keeps what lies there: the lease is open, or went dark.
  bool is_kept_under(const storage::Place& place) const;
  UnixMillis wall() const { return node.ports().clock.wall(); }
  MonoTime now() const { return node.ports().clock.now(); }
};

// Unpredictable bytes for a worker, from a fresh seed of the node's randomness.
storage::Randomness fresh_randomness(node::Node& node);

// The owner of this node. None: it is not on the ledger.
std::optional<identity::OwnerId> own_owner(const node::Node& node);

}  // namespace hm::storing
