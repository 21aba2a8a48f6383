// SPDX-License-Identifier: Apache-2.0
// The provider's side of shards: keeps what tenants send under their leases of this node's storage,
// gives it back and proves it to whoever knows its root, and drops it with the lease.
// docs/protocols/storage.md §10.
//
// Promises: every request that decodes is answered once, unless its peer is lost. What one peer may
// have waiting here is bounded, in bytes and number, and so is what the disk is asked at one time.
// Nothing is kept under a lease that does not lie here and is active; what was kept is dropped in
// the turn of the block that ends it, and at start, whatever happened meanwhile. Nothing is dropped
// for a tenant's node before this node's ledger has its commitment to an generation without it.
//
// Does not do. It neither meters nor accepts leases, and repairs nothing: a damaged shard is told
// to whoever asks for it, and counted.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "node/node.h"
#include "node/storing/limits.h"
#include "node/storing/request_queue.h"
#include "node/storing/shard_message.h"
#include "ports/shard_store.h"
#include "ports/timer.h"
#include "ports/workers.h"

namespace hm::storing {

inline constexpr std::size_t kErrorCodes = static_cast<std::size_t>(ErrorCode::Io) + 1;

struct ShardHostCounters {
  std::uint64_t puts = 0;
  std::uint64_t put_bytes = 0;
  std::uint64_t gets = 0;
  std::uint64_t got_bytes = 0;
  std::uint64_t proofs = 0;
  std::uint64_t drops = 0;             // requests
  std::uint64_t dropped_by_lease = 0;  // shards
  std::uint64_t malformed = 0;         // messages that do not decode
  std::uint64_t scrubbed_bytes = 0;
  std::uint64_t damage_found = 0;     // by scrubbing, each round anew, and by compaction
  std::uint64_t compacted_bytes = 0;  // freed
  std::array<std::uint64_t, kErrorCodes> refused{};
};

class ShardHost final : public node::NodeObserver {
 public:
  // The last generation that a node committed to on this node's ledger; 0 before the first.
  using CommittedGeneration = std::function<std::uint64_t(const identity::NodeId&)>;

  // `disk` runs what blocks. The store outlives its jobs.
  ShardHost(node::Node& node, ports::ShardStore& store, ports::Workers& disk,
            CommittedGeneration committed_generation);
  ~ShardHost() override;

  // Once, when the ledger is there: drops what no open lease holds, and begins to look after the
  // store.
  void start();
  // What a peer, or this node itself, asks. `reply` may be called within.
  void handle(const identity::NodeId& from, Request request, ReplySink reply);

  const ShardHostCounters& counters() const { return counters_; }
  // As it was when the store was last looked after.
  const ports::ShardStoreUsage& usage() const { return usage_; }

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;
  void on_disconnected(const identity::NodeId& peer) override;
  void on_storage_message(const identity::NodeId& from, ByteView payload) override;

 private:
  struct Objection {
    Error error;
    bool may_pass = false;  // with a later block
  };
  friend struct RequestJudge;
  struct Job {
    HostedRequest hosted;
    Reply reply;
  };

  // shard_host.cc: requests.
  bool charge(const HostedRequest& hosted);
  void discharge(const HostedRequest& hosted);
  std::optional<Objection> objection_to(const HostedRequest& hosted) const;
  void admit(HostedRequest hosted);
  void pump();
  void run(HostedRequest hosted);
  void on_done(Job& job);
  void finish(HostedRequest& hosted, Reply reply);
  void count(const Request& request, const Reply& reply);
  void retry_parked();

  // host_care.cc: what time and blocks bring.
  void reclaim_lease(const ledger::LeaseId& lease);
  void reclaim_holders(const std::vector<ports::HolderId>& holders);
  void run_reclaims();
  bool is_ledger_fresh() const;
  void sweep();
  void drop_unleased(const std::vector<ports::HolderId>& holders);
  void look();
  void care();
  struct CareReport {
    ports::ShardStoreUsage usage;
    std::optional<Result<ports::ScrubReport>> scrub;
    std::optional<Result<ports::CompactionReport>> compaction;
  };
  void on_cared(const CareReport& report);
  MonoTime now() const { return node_.ports().clock.now(); }

  node::Node& node_;
  ports::ShardStore& store_;
  ports::Workers& disk_;
  CommittedGeneration committed_generation_;

  RequestQueue writes_;
  RequestQueue reads_;
  std::size_t write_jobs_ = 0;
  std::size_t read_jobs_ = 0;
  std::vector<HostedRequest> parked_;                 // bounded by the shares, like all that waits
  std::map<identity::NodeId, std::uint64_t> shares_;  // cost of what each peer has here
  std::uint64_t held_bytes_ = 0;

  std::vector<ports::HolderId> to_reclaim_;
  std::set<ports::HolderId> reclaiming_;  // these, and those that a job drops
  bool reclaim_runs_ = false;
  MonoTime reclaim_due_{};
  bool is_started_ = false;
  bool is_swept_ = false;
  MonoTime sweep_due_{};

  bool care_runs_ = false;
  MonoTime scrub_due_{};
  MonoTime compact_due_{};
  std::uint64_t compact_above_ = kCompactWorth;  // needless bytes
  ports::ShardStoreUsage usage_;

  ShardHostCounters counters_;
  std::unique_ptr<ports::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
