// SPDX-License-Identifier: Apache-2.0
// What a node has to store objects for its owner: the catalogue on disk, the keeper, and their part
// of the HTTP API. Part of the composition root.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apps/hypermesh/folders.h"
#include "node/http_api/api.h"
#include "node/own_operations.h"
#include "node/storage_api/storage_api.h"
#include "node/storing/object_keeper.h"
#include "node/storing/shard_client.h"
#include "node/storing/shard_host.h"
#include "ports/store.h"

namespace hm::cli {

class ObjectSide {
 public:
  // Blocks. A node whose catalogue cannot be read runs without, and says why to whoever asks. All
  // that is named outlives it; `host` may be null.
  ObjectSide(node::Node& node, node::OwnOperations& operations, const NodeFolder& folder,
             storing::ShardClient& client, const storing::ShardHost* host,
             std::function<node::RoundTrips()> round_trips);
  ~ObjectSide();

  // When the ledger is there.
  void start();
  void handle(http_api::Api& api, http_api::Endpoint endpoint, http_api::Call call);
  // Null if the catalogue cannot be read.
  const storing::ObjectKeeper* keeper() const { return keeper_.get(); }

 private:
  // In the order of opening; destroyed the other way round.
  std::unique_ptr<ports::Store> store_;
  std::unique_ptr<storing::ObjectKeeper> keeper_;
  std::unique_ptr<storage_api::StorageApi> api_;
  Error trouble_{ErrorCode::Unavailable, {}, {}};  // why there is no keeper
};

}  // namespace hm::cli
