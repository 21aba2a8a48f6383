// SPDX-License-Identifier: Apache-2.0
// The way back for a node whose catalogue of objects is lost, or older than what the node committed
// to: what lies under its leases is listed, the manifests in the bundles, which the owner opens,
// become objects of the catalogue again, and their shards have the places where they were found.
// docs/protocols/storage.md, "Recovery".
//
// Promises. Nothing is dropped and no lease is closed before it ends; what is broken off begins
// anew. When it ends, what no object refers to is looked for and dropped, as after a failed upload.
//
// Does not do. It opens nothing, as the owner's keys are not here. With whom an object was shared
// is not in its manifest. All calls on the loop thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "node/storing/keeper_parts.h"

namespace hm::storing {

class StorageRecovery {
 public:
  struct Found {
    std::vector<ports::ShardRoot> bundles;
    std::size_t shards = 0;                // of objects
    std::vector<identity::NodeId> silent;  // that hold something, and did not say all of it
  };
  // What somebody with the owner's key read from a bundle.
  struct Object {
    storage::Manifest manifest;          // of the object itself
    std::vector<storage::Stripe> outer;  // those of longer manifests' encodings, outermost first
    crypto::Digest commitment;           // of the box
    ports::ShardRoot bundle;
  };
  using Done = std::function<void(Result<void>)>;

  explicit StorageRecovery(KeeperParts& parts) : parts_(parts) {}
  ~StorageRecovery() { *alive_ = false; }
  StorageRecovery(const StorageRecovery&) = delete;
  StorageRecovery& operator=(const StorageRecovery&) = delete;

  // Asks all who hold something. NoCapacity: more shards than kMaxRecoveredShards; Busy: they are
  // being asked. Who names more than fits into its lease counts as silent.
  void list(std::function<void(Result<Found>)> done);
  bool is_listed() const { return is_listed_; }
  // InvalidArgument: not an object of this node; AlreadyExists: the catalogue has this version or a
  // newer one, or something else of this name; Unavailable: too few of its shards were found, and
  // who is silent may have them. Requires: is_listed().
  void adopt(Object object, Done done);
  // Where anything may lie that no object refers to.
  const std::vector<storage::Place>& places() const { return places_; }

 private:
  struct Listing;

  void list_next(const std::shared_ptr<Listing>& listing);
  Result<StripeRow> locate(ShardKind kind, const storage::Stripe& stripe) const;
  Result<CatalogueChange> change_for(Object object) const;

  KeeperParts& parts_;
  std::vector<storage::Place> places_;
  // Sorted: of each shard, the number of a place that has it.
  std::vector<std::pair<ports::ShardRoot, std::uint32_t>> shards_;
  struct Copies {
    std::uint64_t bytes = 0;  // of each
    std::vector<storage::Place> places;
  };
  std::map<ports::ShardRoot, Copies> bundles_;
  bool is_listing_ = false;
  bool is_listed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
