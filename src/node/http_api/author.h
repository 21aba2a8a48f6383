// SPDX-License-Identifier: Apache-2.0
// Signs operations with the node's own key and takes them to their receipt, one at a time, so that
// sequences never collide within this process. A node's key may act on assets on that node, for
// their owner; what else it tries the ledger refuses.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "core/assets/record.h"
#include "node/http_api/outcome.h"
#include "node/node.h"

namespace hm::http_api {

class Author {
 public:
  explicit Author(node::Node& node);
  ~Author();
  Author(const Author&) = delete;
  Author& operator=(const Author&) = delete;

  struct Draft {
    ledger::Action action;
    assets::CitedRecords proofs;
  };
  // Calls `done` once, on the loop: when it is final, refused, still waiting after kMaxWait
  // (Admitted), or not taken. At once with Busy if too many wait already.
  void submit(Draft draft, std::function<void(const OperationOutcome&)> done);

 private:
  struct Job {
    Draft draft;
    std::function<void(const OperationOutcome&)> done;
    int attempts = 0;
  };
  void start_next();
  void on_admission(const node::Admission& admission);
  void on_timer();
  void finish(const OperationOutcome& outcome);

  node::Node& node_;
  std::deque<Job> jobs_;  // the first is in progress
  bool running_ = false;
  std::optional<crypto::Digest> awaited_;  // admitted and watched
  node::WatchId watch_ = 0;
  std::unique_ptr<ports::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::http_api
