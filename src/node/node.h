// SPDX-License-Identifier: Apache-2.0
// One node: the driver that pumps events between consensus, ledger, mempool and the world behind
// the ports. It orders nothing and judges nothing itself; it makes effects happen in the order in
// which the machines ask for them. All calls on the loop thread.
//
// Life: construct; recover() reads store and journal; start() joins the mesh; stop(). A failure of
// disk or state halts the node: it answers queries, votes and admits nothing, and says why.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/consensus/replica.h"
#include "core/ledger/ledger.h"
#include "node/chain_store.h"
#include "node/mempool.h"
#include "node/operation_checker.h"
#include "ports/clock.h"
#include "ports/journal.h"
#include "ports/random.h"
#include "ports/timer.h"
#include "ports/transport.h"
#include "ports/workers.h"

namespace hm::node {

struct NodeConfig {
  ledger::Genesis genesis;
  // This key signed votes on this chain before. With an empty journal that means a wiped disk: the
  // node abstains until it has seen a finalization newer than any view it could have signed.
  enum class KeyHistory : std::uint8_t { Fresh, UsedBefore };
  KeyHistory key_history = KeyHistory::Fresh;
  Duration heartbeat = consensus::kDefaultHeartbeat;
  std::uint64_t clock_bound_ms = consensus::kDefaultClockBoundMillis;
};

struct NodePorts {
  ports::Clock& clock;
  ports::Random& random;
  ports::Timers& timers;
  ports::Workers& workers;
};

// What became of a submitted operation at the door.
struct Admitted {
  crypto::Digest id;
};
struct Busy {
  std::chrono::milliseconds retry_after;
};
struct Halted {
  std::string reason;
};
using Admission = std::variant<Admitted, ledger::Refused, Busy, Halted>;

// What became of an operation in the chain. One that can no longer get in, because it expired or
// its sequence was used by another, has a refusal and no block.
struct FinalReceipt {
  ledger::Receipt receipt;
  std::uint64_t height = 0;
  crypto::Digest block;
};

// A final block with what it did; valid during the call only.
struct FinalEvent {
  const consensus::Block& block;
  const crypto::Digest& hash;
  const ledger::BlockOutcome& outcome;
};

class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  virtual void on_final(const FinalEvent& event) = 0;
  virtual void on_halted(const std::string& /*reason*/) {}
  // A validator provably broke a voting rule.
  virtual void on_fault(const consensus::Evidence& /*evidence*/) {}
  virtual void on_connected(const identity::NodeId& /*peer*/) {}
  virtual void on_disconnected(const identity::NodeId& /*peer*/) {}
  // On the channel of leases; `payload` is as the peer sent it.
  virtual void on_lease_message(const identity::NodeId& /*from*/, ByteView /*payload*/) {}
  // The same on the channel of containers.
  virtual void on_container_message(const identity::NodeId& /*from*/, ByteView /*payload*/) {}
  // And of storage.
  virtual void on_storage_message(const identity::NodeId& /*from*/, ByteView /*payload*/) {}
};

struct NodeCounters {
  std::uint64_t operations_admitted = 0;
  std::uint64_t operations_refused = 0;
  std::uint64_t operations_busy = 0;
  std::uint64_t operations_applied = 0;
  std::uint64_t operations_failed = 0;  // refused by the ledger in a final block
  std::uint64_t gossip_received = 0;
  std::uint64_t gossip_dropped = 0;    // pool full
  std::uint64_t gossip_malformed = 0;  // or with an operation that does not check
  std::uint64_t send_dropped = 0;      // the transport's queue was full
  std::uint64_t faults_reported = 0;
};

using WatchId = std::uint64_t;

class Node final : public ports::TransportListener, public ports::JournalListener {
 public:
  // Requires: validate(config.genesis) passed.
  Node(NodeConfig config, crypto::SigningKey key, NodePorts ports);
  ~Node() override;

  // Reads what earlier runs left. Refuses a store of another chain and damaged state, by name.
  Result<void> recover(ports::Store& store, ports::Journal& journal);
  // Requires: recover() succeeded.
  void start(ports::Transport& transport);
  void stop();

  // Clients.
  void submit(Bytes operation, std::function<void(const Admission&)> done);
  // submit() would answer Busy: nothing need be spent on decoding a request.
  bool is_busy() const;
  // Calls `done` once when the operation is in a final block; at once if it already is. The caller
  // bounds how many it has open.
  WatchId watch(const crypto::Digest& operation, std::function<void(const FinalReceipt&)> done);
  void unwatch(WatchId watch);
  // Forgets after kMaxRecentReceipts newer ones.
  std::optional<FinalReceipt> receipt(const crypto::Digest& operation) const;
  bool is_pooled(const crypto::Digest& operation) const;
  // Each on its channel; false if the peer is not connected or takes no more.
  bool send_lease_message(const identity::NodeId& peer, Bytes message);
  bool send_container_message(const identity::NodeId& peer, Bytes message);
  // `rest`: what of the message follows, if not null.
  bool send_storage_message(const identity::NodeId& peer, Bytes message,
                            ports::SharedBytes rest = nullptr);
  void add_observer(NodeObserver& observer);
  void remove_observer(NodeObserver& observer);

  // Queries.
  const identity::NodeId& id() const { return id_; }
  const crypto::SigningKey& key() const { return key_; }
  const ledger::Genesis& genesis() const { return config_.genesis; }
  const identity::ChainId& chain_id() const { return chain_; }
  const ledger::Ledger& ledger() const { return *ledger_; }
  const consensus::Replica& replica() const { return *replica_; }
  const ChainStore& chain() const { return *chain_store_; }
  const Mempool& mempool() const { return mempool_; }
  const NodeCounters& counters() const { return counters_; }
  const std::set<identity::NodeId>& peers() const { return peers_; }
  const std::optional<std::string>& halt_reason() const { return halt_reason_; }
  // When the newest final block was executed here.
  MonoTime last_final_at() const { return last_final_at_; }
  NodePorts& ports() { return ports_; }

  // ports::TransportListener
  void on_peer_up(const identity::NodeId& peer) override;
  void on_peer_down(const identity::NodeId& peer, const std::string& reason) override;
  void on_message(const identity::NodeId& from, ports::Channel channel, ByteView payload) override;
  // ports::JournalListener
  void on_durable(ports::LogSequence sequence) override;
  void on_journal_failed(const Error& error) override;

 private:
  // A block under vote, with its operations checked. `operations` are in block order.
  struct Candidate {
    std::uint64_t height = 0;
    std::vector<CheckedPtr> operations;
  };
  // A final block that waits for its turn to be executed.
  struct PendingFinal {
    consensus::Finalize effect;
    std::optional<std::vector<CheckedPtr>> operations;
    bool check_started = false;
  };
  struct Watch {
    crypto::Digest operation;
    std::function<void(const FinalReceipt&)> done;
  };
  struct Submission {
    Bytes operation;
    std::function<void(const Admission&)> done;
  };
  // The operations of a payload: those known already, and the places of those to be checked.
  struct PayloadOperations {
    std::vector<CheckedPtr> checked;
    std::vector<std::size_t> unchecked_places;
    std::vector<Bytes> unchecked;
  };

  consensus::Now now() const;
  // Runs `event` on the replica unless the node is halted, then carries out the effects.
  void step(const std::function<void()>& event);
  void pump();
  void halt(std::string reason);

  // One per effect.
  void on_effect(consensus::Persist effect);
  void on_effect(consensus::Broadcast effect);
  void on_effect(consensus::Send effect);
  void on_effect(consensus::RequestPayload effect);
  void on_effect(consensus::Validate effect);
  void on_effect(consensus::Finalize effect);
  void on_effect(consensus::FetchStored effect);
  void on_effect(consensus::TrimLog effect);
  void on_effect(consensus::ReportFault effect);
  void on_effect(consensus::ReportDivergence effect);
  void on_effect(consensus::ReportFork effect);
  bool send_on(ports::Channel channel, const identity::NodeId& peer, Bytes message,
               ports::SharedBytes rest = nullptr);
  void send_to(const identity::NodeId& peer, consensus::Lane lane,
               const ports::SharedBytes& message);
  void trim_journal();

  // node_blocks.cc: payloads in and out of the ledger.
  std::optional<PayloadOperations> split_payload(ByteView payload) const;
  void check_payload(const consensus::BlockPtr& block,
                     std::function<void(std::optional<std::vector<CheckedPtr>>)> done);
  void add_candidate(const crypto::Digest& hash, std::uint64_t height,
                     std::vector<CheckedPtr> operations);
  void check_final_blocks();
  void execute_ready_blocks();
  bool execute(PendingFinal& final_block);
  void settle_pool(const std::vector<CheckedPtr>& operations, std::uint64_t height);
  void notify(const FinalReceipt& receipt);
  void record_receipts(const ledger::BlockOutcome& outcome, std::uint64_t height,
                       const crypto::Digest& hash);

  // node_operations.cc: from the door to the pool, and gossip.
  enum class Origin : std::uint8_t { Client, Peer };
  void check_submissions();
  std::optional<Admission> admit(const CheckedPtr& operation, Origin origin);
  void finish_submissions(std::vector<Submission> submissions, CheckResults results);
  void on_gossip(ByteView payload);
  void gossip(const std::vector<CheckedPtr>& operations);
  void drop_hopeless();
  void retry_gossip();

  NodeConfig config_;
  crypto::SigningKey key_;
  NodePorts ports_;
  identity::NodeId id_;
  identity::ChainId chain_;

  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<consensus::Replica> replica_;
  std::unique_ptr<ChainStore> chain_store_;
  ports::Store* store_ = nullptr;
  ports::Journal* journal_ = nullptr;
  ports::Transport* transport_ = nullptr;
  bool journal_damaged_ = false;
  bool pumping_ = false;
  bool executing_ = false;

  OperationChecker checker_;
  Mempool mempool_;
  std::deque<Submission> submissions_;
  bool submission_check_running_ = false;
  std::size_t operations_in_check_ = 0;
  std::map<crypto::Digest, Candidate> candidates_;
  std::deque<PendingFinal> finals_;

  // Ids of the receipts kept, oldest first, with their heights.
  std::deque<std::pair<crypto::Digest, std::uint64_t>> recent_receipts_;
  std::map<crypto::Digest, FinalReceipt> receipts_;
  std::map<WatchId, Watch> watches_;
  std::multimap<crypto::Digest, WatchId> watches_by_operation_;
  WatchId next_watch_ = 1;

  std::set<identity::NodeId> peers_;
  std::vector<NodeObserver*> observers_;
  NodeCounters counters_;
  std::optional<std::string> halt_reason_;
  MonoTime last_final_at_{};
  std::uint64_t flushed_height_ = 0;
  std::optional<ports::LogSequence> trim_wanted_;
  bool flush_running_ = false;

  std::unique_ptr<ports::Timer> consensus_timer_;
  std::unique_ptr<ports::Timer> gossip_timer_;
  bool gossip_timer_armed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::node
