// SPDX-License-Identifier: Apache-2.0
// Requests that wait for the disk: those of each peer in the order in which they came, and the
// peers in turn, so that one that asks for much delays itself.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "node/storing/shard_message.h"

namespace hm::storing {

using ReplySink = std::function<void(Reply reply)>;

struct HostedRequest {
  identity::NodeId from;
  Request request;
  ReplySink reply;
  std::uint64_t cost = 0;  // of its peer's share
  std::uint64_t held = 0;  // bytes of a shard in memory
  MonoTime until{};        // how long a block that lets it pass is waited for
};

class RequestQueue {
 public:
  void push(HostedRequest request);
  std::optional<HostedRequest> pop();
  std::vector<HostedRequest> take_all_of(const identity::NodeId& peer);
  bool empty() const { return turns_.empty(); }

 private:
  std::map<identity::NodeId, std::deque<HostedRequest>> waiting_;  // never an empty one
  std::deque<identity::NodeId> turns_;                             // each of those once
};

}  // namespace hm::storing
