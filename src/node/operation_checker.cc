// SPDX-License-Identifier: Apache-2.0
#include "node/operation_checker.h"

#include <algorithm>
#include <utility>

#include "node/limits.h"

namespace hm::node {
namespace {

CheckResult check_one(Bytes bytes, const identity::ChainId& chain) {
  auto prepared = ledger::prepare(bytes, chain);
  if (!prepared) return fail(prepared.error());
  const crypto::Digest hash = crypto::sha256(bytes);
  return std::make_shared<const CheckedOperation>(
      CheckedOperation{std::move(bytes), hash, std::move(*prepared)});
}

// The parts of one check() that run as jobs of their own.
struct Task {
  std::vector<Bytes> operations;
  std::vector<CheckResults> parts;
  std::size_t parts_open = 0;
  std::function<void(CheckResults)> done;
};

}  // namespace

OperationChecker::OperationChecker(ports::Workers& workers, identity::ChainId chain)
    : workers_(workers), chain_(chain) {}

OperationChecker::~OperationChecker() { *alive_ = false; }

void OperationChecker::check(std::vector<Bytes> operations,
                             std::function<void(CheckResults)> done) {
  auto task = std::make_shared<Task>();
  const std::size_t count = operations.size();
  const std::size_t parts = std::max<std::size_t>(1, (count + kCheckBatch - 1) / kCheckBatch);
  task->operations = std::move(operations);
  task->parts.resize(parts);
  task->parts_open = parts;
  task->done = std::move(done);
  for (std::size_t part = 0; part < parts; ++part) {
    workers_.submit(
        [task, part, count, chain = chain_] {
          const std::size_t last = std::min(count, (part + 1) * kCheckBatch);
          for (std::size_t i = part * kCheckBatch; i < last; ++i) {
            task->parts[part].push_back(check_one(std::move(task->operations[i]), chain));
          }
        },
        [task, alive = alive_] {
          if (--task->parts_open > 0 || !*alive) return;
          CheckResults results;
          for (CheckResults& part_results : task->parts) {
            std::ranges::move(part_results, std::back_inserter(results));
          }
          task->done(std::move(results));
        });
  }
}

}  // namespace hm::node
