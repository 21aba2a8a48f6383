// SPDX-License-Identifier: Apache-2.0
// The care for what is stored: that the ledger has a commitment to it, that nodes prove that they
// have it, that what is lost is made anew elsewhere, and that nothing is left that nobody needs.
//
// Promises. Repair takes the stripe with the fewest shards to spare first, and is limited in bytes.
// An audit asks for a page of a shard that the hash of a final block chooses, which nobody knew
// before. Nothing is dropped before the commitment without it is final.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/own_operations.h"
#include "node/storing/keeper_parts.h"
#include "ports/timer.h"

namespace hm::storing {

struct KeeperCounters;

class StorageCare final : public node::NodeObserver {
 public:
  StorageCare(KeeperParts& parts, node::OwnOperations& operations, KeeperCounters& counters);
  ~StorageCare() override;

  // Reads the catalogue, then `done`.
  void start(std::function<void(Result<void>)> done);

  // The catalogue was recovered: from here on it counts as as new as the last commitment, and
  // whatever else lies at these places is an orphan. Whether it has exactly the objects of that.
  void go_on(std::vector<storage::Place> places, std::function<void(Result<bool>)> done);

  void changed();
  void report(FaultRow fault);
  void collect();
  // Looks for orphans: soon, or when the nodes are back that were not reachable.
  void hunt();
  void drain(const identity::NodeId& node);

  std::uint64_t committed() const;
  bool is_pending() const { return is_dirty_ || is_committing_; }
  std::size_t repairs_waiting() const { return repairs_.size() + (repair_ ? 1 : 0); }
  const std::string& trouble() const { return trouble_; }
  // Older than what this node committed to.
  bool is_stale() const;
  // A shard that can be counted on.
  bool is_healthy(const storage::Place& place, const crypto::Digest& root) const;

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;
  void on_connected(const identity::NodeId& peer) override;
  void on_disconnected(const identity::NodeId& peer) override;

 private:
  struct Damage {
    std::size_t spare = 0;  // healthy shards beyond those that are needed
    StripeId id;
    StripeRow row;
    std::vector<std::uint8_t> bad;
  };
  struct Repair;
  struct Hunt;  // for orphans under one lease
  struct Inventory;
  struct Judge;  // what is healthy, as of one moment, for a worker

  // storage_care.cc
  void commit();
  void audit();
  void on_audited(const storage::Place& place, const crypto::Digest& root,
                  const Result<ports::ProvenPage>& page);
  void drop_garbage();
  void drop(Bytes key, GarbageRow row);
  Judge judge() const;
  MonoTime now() const { return parts_.now(); }

  // storage_repair.cc
  void look();
  void repair_next();
  void fetch(const std::shared_ptr<Repair>& repair);
  void on_fetched(const std::shared_ptr<Repair>& repair, std::uint8_t index,
                  Result<ShardPart> part);
  void rebuild(const std::shared_ptr<Repair>& repair);
  void place(const std::shared_ptr<Repair>& repair);
  void put(const std::shared_ptr<Repair>& repair, const std::vector<storage::Place>& places);
  void finish(const std::shared_ptr<Repair>& repair);
  void end_repair(const Repair& repair);
  void give_up(const std::shared_ptr<Repair>& repair, const std::string& why);

  // storage_inventory.cc
  void check(const identity::NodeId& node);
  void check_next();
  void check_part(const std::shared_ptr<Inventory>& inventory);
  void on_states(const Inventory& inventory,
                 const std::vector<std::optional<ports::ShardState>>& states);

  // storage_orphans.cc
  bool choose_place(Hunt& hunt);
  void list_next(const std::shared_ptr<Hunt>& hunt);
  void on_listed(const std::shared_ptr<Hunt>& hunt);
  void drop_orphans(const std::shared_ptr<Hunt>& hunt);

  KeeperParts& parts_;
  node::OwnOperations& operations_;
  KeeperCounters& counters_;
  bool is_started_ = false;
  bool is_dirty_ = false;
  bool is_committing_ = false;
  std::string trouble_;
  std::set<std::pair<ledger::LeaseId, crypto::Digest>> faulty_;
  std::map<identity::NodeId, MonoTime> away_;  // since when
  std::set<identity::NodeId> draining_;
  bool is_looking_ = false;
  bool look_again_ = false;
  std::vector<Damage> repairs_;  // the most urgent last
  std::shared_ptr<Repair> repair_;
  std::set<std::uint64_t> repairs_under_way_;  // numbers in the catalogue
  std::vector<ports::ShardRoot> repairing_;    // roots of that stripe
  std::size_t drops_ = 0;                      // under way
  bool is_garbage_waiting_ = false;            // for a generation that the ledger does not have
  bool is_auditing_ = false;
  std::shared_ptr<Hunt> hunt_;
  bool hunt_again_ = false;
  std::set<identity::NodeId> to_check_;
  std::shared_ptr<Inventory> inventory_;
  std::unique_ptr<ports::Timer> commit_timer_;
  std::unique_ptr<ports::Timer> audit_timer_;
  std::unique_ptr<ports::Timer> garbage_timer_;
  std::unique_ptr<ports::Timer> look_timer_;
  std::unique_ptr<ports::Timer> repair_timer_;
  std::unique_ptr<ports::Timer> inventory_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
