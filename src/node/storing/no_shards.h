// SPDX-License-Identifier: Apache-2.0
// In place of a ShardHost on a node that keeps no shards: says so at once, so that nobody waits for
// an answer.
#pragma once

#include "node/node.h"

namespace hm::storing {

class NoShards final : public node::NodeObserver {
 public:
  explicit NoShards(node::Node& node);
  ~NoShards() override;

  // node::NodeObserver
  void on_final(const node::FinalEvent& /*event*/) override {}
  void on_storage_message(const identity::NodeId& from, ByteView payload) override;

 private:
  node::Node& node_;
};

}  // namespace hm::storing
