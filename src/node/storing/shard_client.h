// SPDX-License-Identifier: Apache-2.0
// The tenant's side of shards: asks other nodes, or this one, to keep, give back, prove and drop
// them. docs/protocols/storage.md, "Between nodes". All calls and answers on the loop thread.
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

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/ledger/lease.h"
#include "node/node.h"
#include "ports/shard_store.h"
#include "ports/transport.h"

namespace hm::storing {

// What the bytes are to their tenant. A box is a sealed manifest, which a new node of the same
// owner looks for when the one that had them all is lost.
enum class ShardKind : std::uint8_t { Data, Box };

struct PutOrder {
  identity::NodeId node;
  ledger::LeaseId lease;
  ShardKind kind = ShardKind::Data;
  ports::ShardRoot root;
  ports::SharedBytes shard;
};

// A part of a shard, or all of it.
struct ShardPart {
  std::uint64_t shard_bytes = 0;  // of the whole
  Bytes bytes;
};

class ShardClient final : public node::NodeObserver {
 public:
  using Question = std::uint64_t;
  template <class T>
  using Answer = std::function<void(Result<T>)>;

  explicit ShardClient(node::Node& node);
  ~ShardClient() override;

  Question put(PutOrder order, Answer<void> done);
  // `count` bytes from `offset` on, fewer at the end; verified if it is the whole.
  Question get(const identity::NodeId& from, const ports::ShardRoot& root, std::uint64_t offset,
               std::uint64_t count, Answer<ShardPart> done);
  Question prove(const identity::NodeId& by, const ports::ShardRoot& root, std::uint64_t page,
                 Answer<ports::ProvenPage> done);
  // At most kMaxRoots at once, here and below.
  Question has(const identity::NodeId& node, std::vector<ports::ShardRoot> roots,
               Answer<std::vector<std::optional<ports::ShardState>>> done);
  Question list(const identity::NodeId& node, const ledger::LeaseId& lease, ShardKind kind,
                std::optional<ports::ShardRoot> cursor, Answer<ports::ShardList> done);
  // `epoch`: the first of the tenant's commitments in which nothing refers to them any more. The
  // other node drops them once its ledger has it.
  Question drop(const identity::NodeId& node, const ledger::LeaseId& lease, ShardKind kind,
                std::uint64_t epoch, std::vector<ports::ShardRoot> roots, Answer<void> done);
  Question usage(const identity::NodeId& node, const ledger::LeaseId& lease,
                 Answer<ports::HolderUsage> done);
  // It is not answered any more, and costs nothing from now on but what is on its way already.
  void cancel(Question question);

  bool is_reachable(const identity::NodeId& node) const;
  // Of puts and gets to that node: waiting here, and on their way.
  std::uint64_t waiting_bytes(const identity::NodeId& node) const;

  // node::NodeObserver
  void on_final(const node::FinalEvent& event) override;
  void on_disconnected(const identity::NodeId& peer) override;
};

}  // namespace hm::storing
