// SPDX-License-Identifier: Apache-2.0
// Decodes operations and checks their signatures on the worker pool, in batches. An operation that
// is asked for again while it is checked (a client, gossip and a proposal bring the same one within
// a millisecond) is checked once: one signature verification per operation and node.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/identity/ids.h"
#include "foundation/base/result.h"
#include "node/mempool.h"
#include "ports/workers.h"

namespace hm::node {

using CheckResult = Result<CheckedPtr, ledger::Refused>;
using CheckResults = std::vector<CheckResult>;

class OperationChecker {
 public:
  OperationChecker(ports::Workers& workers, identity::ChainId chain);
  ~OperationChecker();
  OperationChecker(const OperationChecker&) = delete;
  OperationChecker& operator=(const OperationChecker&) = delete;

  // Calls `done` on the loop with one result per operation, in order, unless the checker is gone
  // by then. The caller bounds how much it has under way.
  void check(std::vector<Bytes> operations, std::function<void(CheckResults)> done);

 private:
  struct Request {
    std::vector<std::optional<CheckResult>> results;
    std::size_t open = 0;
    std::function<void(CheckResults)> done;
  };
  // An operation and its SHA-256, and after the job what became of it.
  struct Item {
    Bytes bytes;
    crypto::Digest hash;
    std::optional<CheckResult> result;
  };
  using Batch = std::vector<Item>;

  void submit(Batch batch);
  void finish(Batch& batch);
  static void settle(Request& request);

  ports::Workers& workers_;
  identity::ChainId chain_;
  // Who waits for an operation under check, by its hash, and at which place of the request.
  std::map<crypto::Digest, std::vector<std::pair<std::shared_ptr<Request>, std::size_t>>> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::node
