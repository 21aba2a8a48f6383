// SPDX-License-Identifier: Apache-2.0
// Several whole nodes in memory that exchange messages without delay or loss; the first is the only
// validator. Owner i has seed i, its node seed 1000 + i (core/ledger/sample_chain.h). For tests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/ledger/sample_chain.h"
#include "foundation/codec/writer.h"
#include "node/memory_world.h"
#include "node/own_operations.h"

namespace hm::node::memory {

class MemoryMesh {
 public:
  explicit MemoryMesh(std::uint32_t count)
      : genesis_(ledger::sample::genesis(count)), stores_(count) {
    genesis_.validators.resize(1);
    for (std::uint32_t i = 0; i < count; ++i) members_.push_back(nullptr);
    for (std::uint32_t i = 0; i < count; ++i) start(i);
  }

  ~MemoryMesh() { world_.settle(); }

  World& world() { return world_; }
  Node& node(std::uint32_t i) { return members_[i]->node; }
  OwnOperations& operations(std::uint32_t i) { return members_[i]->operations; }
  const ledger::Ledger& ledger(std::uint32_t i = 0) { return node(i).ledger(); }
  identity::NodeId id(std::uint32_t i) const {
    return ledger::sample::node_id(ledger::sample::key(1000 + i));
  }

  void run(std::uint64_t ms) { world_.advance(std::chrono::milliseconds(ms)); }

  // Over the same store. Requires: the member was stopped, or never ran.
  void start(std::uint32_t i) {
    members_[i] = std::make_unique<Member>(*this, i);
    Member& member = *members_[i];
    member.journal.attach(member.node);
    HM_CHECK(member.node.recover(stores_[i], member.journal).has_value());
    member.node.start(member.transport);
    for (std::uint32_t other = 0; other < members_.size(); ++other) connect(i, other);
    world_.settle();
  }
  void stop(std::uint32_t i) {
    for (std::uint32_t other = 0; other < members_.size(); ++other) disconnect(i, other);
    world_.settle();
    members_[i]->node.stop();
    members_[i].reset();
  }
  void connect(std::uint32_t a, std::uint32_t b) {
    if (a == b || !members_[a] || !members_[b] || !links_.insert(std::minmax(a, b)).second) return;
    node(a).on_peer_up(id(b));
    node(b).on_peer_up(id(a));
    world_.settle();
  }
  void disconnect(std::uint32_t a, std::uint32_t b) {
    if (links_.erase(std::minmax(a, b)) == 0) return;
    node(a).on_peer_down(id(b), "cut");
    node(b).on_peer_down(id(a), "cut");
    world_.settle();
  }

  // From all at once: what it has said and nobody has heard is lost.
  void isolate(std::uint32_t i) {
    std::vector<std::uint32_t> cut;
    for (std::uint32_t other = 0; other < members_.size(); ++other) {
      if (links_.erase(std::minmax(i, other)) == 1) cut.push_back(other);
    }
    for (const std::uint32_t other : cut) {
      node(i).on_peer_down(id(other), "cut");
      node(other).on_peer_down(id(i), "cut");
    }
    world_.settle();
  }

  // Its links stay, and nothing comes from it or to it any more.
  void stall(std::uint32_t i) { stalled_.insert(i); }

  // By the owner's key, through the validator. What the ledger said.
  std::optional<ledger::Refused> submit(std::uint32_t owner, ledger::Action action,
                                        crypto::Digest* id = nullptr) {
    const auto operation = sign(owner, std::move(action));
    if (id != nullptr) *id = ledger::operation_id(operation.operation);
    return submit(operation);
  }
  // The owner's next operation, which nobody has yet.
  ledger::SignedOperation sign(std::uint32_t owner, ledger::Action action) {
    ledger::Operation operation;
    operation.chain_id = node(0).chain_id();
    operation.actor = ledger::sample::owner_id(owner);
    operation.sequence = *ledger().next_sequence(operation.actor);
    operation.anchor = ledger().anchor();
    operation.expiry_height = operation.anchor.height + 100;
    operation.action = std::move(action);
    return ledger::sign(std::move(operation), ledger::sample::key(owner));
  }
  std::optional<ledger::Refused> submit(const ledger::SignedOperation& operation) {
    std::optional<ledger::Refused> refused;
    node(0).submit(codec::encode(operation), [&](const Admission& admission) {
      if (const auto* why = std::get_if<ledger::Refused>(&admission)) refused = *why;
    });
    world_.settle();
    if (refused) return refused;
    const auto receipt = node(0).receipt(ledger::operation_id(operation.operation));
    HM_CHECK(receipt.has_value());
    return receipt->receipt.refused;
  }

 private:
  class Link final : public ports::Transport {
   public:
    Link(MemoryMesh& mesh, std::uint32_t self) : mesh_(mesh), self_(self) {}
    ports::SendResult send(const identity::NodeId& peer, ports::Channel channel,
                           ports::SharedBytes payload) override {
      for (std::uint32_t i = 0; i < mesh_.members_.size(); ++i) {
        if (mesh_.id(i) != peer || !mesh_.is_linked(self_, i)) continue;
        mesh_.world_.later([mesh = &mesh_, from = self_, i, channel, payload] {
          if (mesh->is_linked(from, i) && !mesh->stalled_.contains(from) &&
              !mesh->stalled_.contains(i)) {
            mesh->node(i).on_message(mesh->id(from), channel, *payload);
          }
        });
        return ports::SendResult::Queued;
      }
      return ports::SendResult::NotConnected;
    }
    std::vector<identity::NodeId> connected_peers() const override { return {}; }

   private:
    MemoryMesh& mesh_;
    std::uint32_t self_;
  };
  struct Member {
    Member(MemoryMesh& mesh, std::uint32_t i)
        : journal(mesh.world_),
          transport(mesh, i),
          node({.genesis = mesh.genesis_}, ledger::sample::key(1000 + i),
               {mesh.world_, mesh.world_, mesh.world_, mesh.world_}),
          operations(node) {}
    MemoryJournal journal;
    Link transport;
    Node node;
    OwnOperations operations;
  };

  bool is_linked(std::uint32_t a, std::uint32_t b) const {
    return links_.contains(std::minmax(a, b));
  }

  ledger::Genesis genesis_;
  World world_;
  std::vector<MemoryStore> stores_;
  std::vector<std::unique_ptr<Member>> members_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> links_;
  std::set<std::uint32_t> stalled_;
};

}  // namespace hm::node::memory
