// SPDX-License-Identifier: Apache-2.0
// A node that is its mesh's only validator, over ports in memory with a clock that the test moves.
// For tests.
#pragma once

#include "core/ledger/sample_chain.h"
#include "node/memory_world.h"
#include "node/node.h"

namespace hm::http_api::lone {

using node::memory::MemoryJournal;
using node::memory::MemoryStore;
using node::memory::NoTransport;
using node::memory::World;

// The owner has seed 0, the node seed 1000 (core/ledger/sample_chain.h).
class LoneNode {
 public:
  explicit LoneNode(std::uint32_t owners = 2)
      : journal_(world_),
        node_({.genesis = genesis(owners)}, ledger::sample::key(1000),
              {world_, world_, world_, world_}) {}

  // So many owners with a node each; only the first node is a validator.
  static ledger::Genesis genesis(std::uint32_t owners) {
    auto genesis = ledger::sample::genesis(owners, 1'000, 1'000);
    genesis.validators.resize(1);
    return genesis;
  }

  void start() {
    journal_.attach(node_);
    HM_CHECK(node_.recover(store_, journal_).has_value());
    node_.start(transport_);
    world_.settle();
  }

  World& world() { return world_; }
  node::Node& node() { return node_; }

 private:
  World world_;
  MemoryStore store_;
  MemoryJournal journal_;
  NoTransport transport_;
  node::Node node_;
};

}  // namespace hm::http_api::lone
