// SPDX-License-Identifier: Apache-2.0
// Decodes operations and checks their signatures on the worker pool, in batches. Every operation
// costs one signature verification per node, here.
#pragma once

#include <functional>
#include <memory>
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

  // Calls `done` on the loop with one result per operation, in order, unless the checker is gone
  // by then. The caller bounds how much it has under way.
  void check(std::vector<Bytes> operations, std::function<void(CheckResults)> done);

 private:
  ports::Workers& workers_;
  identity::ChainId chain_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::node
