// SPDX-License-Identifier: Apache-2.0
#include "node/storing/request_queue.h"

#include <iterator>
#include <utility>

namespace hm::storing {

void RequestQueue::push(HostedRequest request) {
  const identity::NodeId from = request.from;
  auto& own = waiting_[from];
  if (own.empty()) turns_.push_back(from);
  own.push_back(std::move(request));
}

std::optional<HostedRequest> RequestQueue::pop() {
  if (turns_.empty()) return std::nullopt;
  const identity::NodeId from = turns_.front();
  turns_.pop_front();
  const auto own = waiting_.find(from);
  HostedRequest first = std::move(own->second.front());
  own->second.pop_front();
  if (own->second.empty()) {
    waiting_.erase(own);
  } else {
    turns_.push_back(from);
  }
  return first;
}

std::vector<HostedRequest> RequestQueue::take_all_of(const identity::NodeId& peer) {
  const auto own = waiting_.find(peer);
  if (own == waiting_.end()) return {};
  std::vector<HostedRequest> all(std::make_move_iterator(own->second.begin()),
                                 std::make_move_iterator(own->second.end()));
  waiting_.erase(own);
  std::erase(turns_, peer);
  return all;
}

}  // namespace hm::storing
