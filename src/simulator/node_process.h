// SPDX-License-Identifier: Apache-2.0
// One node::Node on one simulated machine, behind the simulated ports.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ledger/genesis.h"
#include "node/node.h"
#include "simulator/world.h"

namespace hm::simulator {

// What clients sign. Operation `number` is made when it is first submitted, since it names a recent
// final block, and is the same bytes ever after.
class Clients {
 public:
  virtual ~Clients() = default;
  virtual Bytes operation(std::uint64_t number, const ledger::Anchor& anchor) = 0;
};

class NodeProcess final : public Process,
                          private node::NodeObserver,
                          private ports::JournalListener {
 public:
  NodeProcess(World& world, std::size_t who, const ledger::Genesis& genesis, crypto::SigningKey key,
              Clients& clients);
  ~NodeProcess() override;

  void start() override;
  void submit(std::uint64_t number) override;
  std::uint64_t final_height() const override { return node_.ledger().height(); }
  std::uint64_t view() const override { return node_.replica().view(); }
  std::string describe() const override { return node_.replica().describe(); }

  const node::Node& node() const { return node_; }
  // Every operation in this node's store, with its height.
  std::map<crypto::Digest, std::uint64_t> held() const;

  void on_peer_up(const identity::NodeId& peer) override { node_.on_peer_up(peer); }
  void on_peer_down(const identity::NodeId& peer, const std::string& reason) override {
    node_.on_peer_down(peer, reason);
  }
  void on_message(const identity::NodeId& from, ports::Channel channel, ByteView payload) override {
    node_.on_message(from, channel, payload);
  }

 private:
  void on_final(const node::FinalEvent& event) override;
  void on_halted(const std::string& reason) override;
  void on_durable(ports::LogSequence sequence) override {
    world_.member(who_).voted = true;
    node_.on_durable(sequence);
  }
  void on_journal_failed(const Error& error) override { node_.on_journal_failed(error); }

  World& world_;
  std::size_t who_;
  bool honest_;
  Clients& clients_;
  SimClock clock_;
  SimTimers timers_;
  SimRandom random_;
  SimWorkers workers_;
  SimStore store_;
  SimTransport transport_;
  node::Node node_;
  SimJournal journal_;
};

}  // namespace hm::simulator
