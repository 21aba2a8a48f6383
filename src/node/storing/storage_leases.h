// SPDX-License-Identifier: Apache-2.0
// The leases under which a node stores its owner's objects elsewhere: which there are, what is left
// in them, and new ones of other owners where that is not enough, out of the node's allowance.
// Whose they are follows from the ledger alone: their purpose is storage_purpose(node).
//
// Promises. Places that are given are of different owners, each with the room that was asked for,
// which stays reserved until it is used or given back. Leases that hold something are renewed;
// those that hold nothing are closed. As long as it is not known what they hold, all are renewed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/storage/stripe.h"
#include "node/lease_market.h"
#include "node/own_operations.h"
#include "ports/timer.h"

namespace hm::storing {

struct PlacesWanted {
  std::size_t most = 0;   // so many would be best
  std::size_t least = 0;  // with fewer it fails
  std::uint64_t bytes_each = 0;
  std::set<identity::OwnerId> not_by;
};

struct StorageLease {
  ledger::LeaseId lease;
  identity::OwnerId owner;
  identity::NodeId node;
  std::uint64_t quantity = 0;
  std::uint64_t used = 0;
  UnixMillis until;
  bool is_reachable = false;
};

class StorageLeases final : public node::NodeObserver {
 public:
  // Best first.
  using Done = std::function<void(Result<std::vector<storage::Place>>)>;

  StorageLeases(node::Node& node, node::OwnOperations& operations,
                std::function<node::RoundTrips()> round_trips);
  ~StorageLeases() override;

  // What each lease holds, as the catalogue says, and whether that is still all that they hold.
  // Once, before places are asked for.
  void set_used(std::map<ledger::LeaseId, std::uint64_t> used, std::function<bool()> is_all);

  // How many owners could hold something of this size now, with new leases.
  std::size_t owners(std::uint64_t bytes_each) const;
  // Later; NoCapacity says why there are too few.
  void reserve(PlacesWanted wanted, Done done);
  void release(const storage::Place& place, std::uint64_t bytes);
  // Of what was reserved, so much is there now.
  void use(const storage::Place& place, std::uint64_t bytes);
  void free(const storage::Place& place, std::uint64_t bytes);
  // Nothing new goes to its owner for a while.
  void avoid(const identity::NodeId& node);

  // The lease is open, stays so for a while, and lies on that node.
  bool stands(const storage::Place& place) const;
  std::optional<identity::OwnerId> owner_of(const storage::Place& place) const;
  std::vector<StorageLease> leases() const;
  // Why the last lease was not opened or renewed; empty if none failed since.
  const std::string& trouble() const { return trouble_; }

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;
  void on_connected(const identity::NodeId& peer) override;

 private:
  struct Room {
    std::uint64_t used = 0;
    std::uint64_t reserved = 0;
    MonoTime empty_since{};
  };
  struct Waiting {
    PlacesWanted wanted;
    Done done;
    bool has_asked = false;   // for new leases
    std::size_t opening = 0;  // of them, not yet in a block
    MonoTime until{};
  };

  bool is_reachable(const identity::NodeId& node) const;
  std::vector<storage::Place> find(const PlacesWanted& wanted) const;
  bool is_expected() const;
  std::size_t ask(const std::shared_ptr<Waiting>& waiting, std::size_t missing,
                  std::set<identity::OwnerId> not_by);
  void serve();
  void wake();
  void care();
  void renew(const ledger::LeaseId& id, const ledger::LeaseRecord& lease);
  std::vector<ledger::OpenLease> plan(std::size_t count, std::uint64_t bytes,
                                      const std::set<identity::OwnerId>& not_by,
                                      std::string* first_reason) const;
  MonoTime now() const { return node_.ports().clock.now(); }

  node::Node& node_;
  node::OwnOperations& operations_;
  std::function<node::RoundTrips()> round_trips_;
  crypto::Digest purpose_;
  std::map<ledger::LeaseId, Room> rooms_;
  std::function<bool()> is_all_;  // whether `rooms_` is what they hold; none: not known yet
  std::map<identity::OwnerId, MonoTime> avoided_;
  std::deque<std::shared_ptr<Waiting>> waiting_;  // one at a time asks for leases
  std::set<ledger::LeaseId> under_way_;           // renewed or closed
  std::string trouble_;
  std::unique_ptr<ports::Timer> serve_timer_;
  std::unique_ptr<ports::Timer> care_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
