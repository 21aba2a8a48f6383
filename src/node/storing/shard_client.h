// SPDX-License-Identifier: Apache-2.0
// The tenant's side of shards: asks other nodes, or this one, to keep, give back, prove and drop
// them. docs/protocols/storage.md §10. All calls and answers on the loop thread.
//
// Promises: each question is answered exactly once, later, unless it is cancelled: by the other
// node, or as Unavailable when that node is lost or says nothing in time. What is on its way to one
// node is bounded; what does not fit waits here, in the order in which it was asked. The bytes of a
// whole shard are verified by their root before they are handed on (Corrupt otherwise), and so is a
// proven page.
//
// Does not do. It chooses no node, repeats nothing that was refused, and bounds what waits by
// nothing but the caller's own measure: waiting_bytes().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/ledger/lease.h"
#include "node/node.h"
#include "node/storing/shard_message.h"
#include "ports/shard_store.h"
#include "ports/timer.h"
#include "ports/transport.h"

namespace hm::storing {

struct PutOrder {
  identity::NodeId node;
  ledger::LeaseId lease;
  ShardKind kind = ShardKind::Data;
  ports::ShardRoot root;
  ports::SharedBytes shard;
};

struct ShardClientCounters {
  std::uint64_t put_bytes = 0;   // that others keep now
  std::uint64_t got_bytes = 0;   // verified where they are whole
  std::uint64_t refused = 0;     // questions
  std::uint64_t lost = 0;        // with their node
  std::uint64_t silent = 0;      // given up on
  std::uint64_t violations = 0;  // answers that are none to what was asked
  std::uint64_t corrupt = 0;     // that do not lead to the root
};

class ShardClient final : public node::NodeObserver {
 public:
  using Question = std::uint64_t;
  template <class T>
  using Answer = std::function<void(Result<T>)>;

  // What this node itself keeps, asked without a wire.
  using Local = std::function<void(Request request, std::function<void(Reply)> reply)>;

  explicit ShardClient(node::Node& node);
  ~ShardClient() override;

  // Without it this node keeps no shards, and is not reachable.
  void set_local(Local local) { local_ = std::move(local); }

  Question put(PutOrder order, Answer<void> done);
  // `count` bytes from `offset` on, fewer at the end; verified if it is the whole. That it is not
  // is the other node's word: who knows the shard's size compares, and verifies parts by what is in
  // them.
  // Whoever verifies the bytes in any case says so.
  enum class Check : std::uint8_t { Root, ByCaller };
  Question get(const identity::NodeId& from, const ports::ShardRoot& root, std::uint64_t offset,
               std::uint64_t count, Answer<ShardPart> done, Check check = Check::Root);
  Question prove(const identity::NodeId& by, const ports::ShardRoot& root, std::uint64_t page,
                 Answer<ports::ProvenPage> done);
  // At most kMaxRoots at once, here and below.
  Question has(const identity::NodeId& node, std::vector<ports::ShardRoot> roots,
               Answer<std::vector<std::optional<ports::ShardState>>> done);
  Question list(const identity::NodeId& node, const ledger::LeaseId& lease, ShardKind kind,
                std::optional<ports::ShardRoot> cursor, Answer<ports::ShardList> done);
  // `generation`: the first of the tenant's commitments in which nothing refers to them any more.
  // The other node drops them once its ledger has it.
  Question drop(const identity::NodeId& node, const ledger::LeaseId& lease, ShardKind kind,
                std::uint64_t generation, std::vector<ports::ShardRoot> roots, Answer<void> done);
  Question usage(const identity::NodeId& node, const ledger::LeaseId& lease,
                 Answer<ports::HolderUsage> done);
  // It is not answered any more, and costs nothing from now on but what is on its way already.
  void cancel(Question question);

  bool is_reachable(const identity::NodeId& node) const;
  // Of puts and gets to that node: waiting here, and on their way.
  std::uint64_t waiting_bytes(const identity::NodeId& node) const;
  const ShardClientCounters& counters() const { return counters_; }

  // node::NodeObserver
  void on_final(const node::FinalEvent& /*event*/) override {}
  void on_disconnected(const identity::NodeId& peer) override;
  void on_storage_message(const identity::NodeId& from, ByteView payload) override;

 private:
  enum class Stage : std::uint8_t { Waiting, Sent, Checking };
  // What an answer must be to be one to the question, and what its bytes must lead to.
  struct Expected {
    std::function<bool(const Reply&)> fits;
    std::function<Result<void>(const Reply&)> verify;  // on a worker; none: nothing to verify
  };
  struct Entry {
    identity::NodeId node;
    Stage stage = Stage::Waiting;
    Request request;  // until it is sent
    std::uint64_t cost = 0;
    std::uint64_t moved = 0;  // bytes of a shard
    MonoTime sent_at{};
    Expected expected;
    std::function<void(Result<Reply>)> settle;  // none: cancelled
  };
  // Reads overtake puts that wait, and each lane has its turn.
  static constexpr std::size_t kReadLane = 0;
  static constexpr std::size_t kOtherLane = 1;
  struct Peer {
    std::array<std::deque<Question>, 2> lanes;  // what was cancelled is skipped
    std::size_t next_lane = kReadLane;
    std::size_t sent = 0;
    std::uint64_t sent_cost = 0;
    std::uint64_t moving = 0;
    MonoTime quiet_since{};  // while something is sent
  };
  using Entries = std::map<Question, Entry>;

  template <class T, class Settle>
  Question ask(const identity::NodeId& node, Request request, Expected expected, Answer<T> done,
               Settle settle);
  Question enter(const identity::NodeId& node, Request request, Expected expected,
                 std::function<void(Result<Reply>)> settle);
  std::optional<Question> next_of(Peer& peer);
  void pump(const identity::NodeId& node);
  bool send(Question question, Entry& entry);
  void on_reply(const identity::NodeId& from, Question question, Reply reply);
  // Of an entry that is on its way no more.
  void release(const Entry& entry);
  void settle(Question question, Result<Reply> result);
  void fail_all(const identity::NodeId& node, const Error& error, std::uint64_t& counter);
  void later(std::function<void()> task);
  void run_tasks();
  void check_patience();
  MonoTime now() const { return node_.ports().clock.now(); }

  node::Node& node_;
  Local local_;
  Question next_question_;
  Entries entries_;
  std::map<identity::NodeId, Peer> peers_;
  std::deque<std::function<void()>> tasks_;
  std::unique_ptr<ports::Timer> task_timer_;
  std::unique_ptr<ports::Timer> patience_timer_;
  bool is_patience_armed_ = false;
  ShardClientCounters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
