// SPDX-License-Identifier: Apache-2.0
// Everything about shards that one node has: the store of others' shards, the provider's and the
// tenant's side. Part of the composition root.
#pragma once

#include <functional>
#include <memory>

#include "apps/hypermesh/folders.h"
#include "apps/hypermesh/node_config.h"
#include "node/node.h"
#include "node/storing/no_shards.h"
#include "node/storing/shard_client.h"
#include "node/storing/shard_host.h"
#include "platform/loop/event_loop.h"
#include "ports/shard_store.h"

namespace hm::cli {

class StorageSide {
 public:
  // A node that shares nothing, has no storage on the ledger and never kept a shard opens no store;
  // neither does one whose store cannot be opened, and says why. It asks others all the same.
  StorageSide(node::Node& node, const NodeFolder& folder, const NodeConfig& config,
              loop::EventLoop& loop, storing::ShardHost::CommittedGeneration committed_generation);
  ~StorageSide();

  // Once, when the node is started.
  void start();
  storing::ShardClient& client() { return client_; }
  // Null if no shards are kept here.
  const storing::ShardHost* host() const { return host_.get(); }

 private:
  void open_host(node::Node& node, const NodeFolder& folder, loop::EventLoop& loop,
                 storing::ShardHost::CommittedGeneration committed_generation);

  // In the order of opening; destroyed the other way round.
  std::unique_ptr<ports::ShardStore> store_;
  std::unique_ptr<ports::Workers> disk_;
  std::unique_ptr<storing::ShardHost> host_;
  std::unique_ptr<storing::NoShards> no_shards_;
  storing::ShardClient client_;
};

}  // namespace hm::cli
