// SPDX-License-Identifier: Apache-2.0
#include "node/operation_checker.h"

#include "node/limits.h"

namespace hm::node {
namespace {

CheckResult check_one(Bytes bytes, const crypto::Digest& hash, const identity::ChainId& chain) {
  auto prepared = ledger::prepare(bytes, chain);
  if (!prepared) return fail(prepared.error());
  return std::make_shared<const CheckedOperation>(
      CheckedOperation{std::move(bytes), hash, std::move(*prepared)});
}

}  // namespace

OperationChecker::OperationChecker(ports::Workers& workers, identity::ChainId chain)
    : workers_(workers), chain_(chain) {}

OperationChecker::~OperationChecker() { *alive_ = false; }

void OperationChecker::check(std::vector<Bytes> operations,
                             std::function<void(CheckResults)> done) {
  auto request = std::make_shared<Request>();
  request->results.resize(operations.size());
  request->open = operations.size();
  request->done = std::move(done);
  if (operations.empty()) return settle(*request);
  Batch batch;
  for (std::size_t place = 0; place < operations.size(); ++place) {
    const crypto::Digest hash = crypto::sha256(operations[place]);
    auto& waiters = waiting_[hash];
    waiters.emplace_back(request, place);
    if (waiters.size() > 1) continue;
    batch.push_back({std::move(operations[place]), hash, std::nullopt});
    if (batch.size() == kCheckBatch) submit(std::exchange(batch, {}));
  }
  if (!batch.empty()) submit(std::move(batch));
}

void OperationChecker::submit(Batch batch) {
  auto shared = std::make_shared<Batch>(std::move(batch));
  workers_.submit(
      [shared, chain = chain_] {
        for (Item& item : *shared) item.result = check_one(std::move(item.bytes), item.hash, chain);
      },
      [this, shared, alive = alive_] {
        if (*alive) finish(*shared);
      });
}

void OperationChecker::finish(Batch& batch) {
  // A request may end with the first item already, and its `done` may ask for more.
  for (Item& item : batch) {
    const auto waiting = waiting_.find(item.hash);
    const auto waiters = std::move(waiting->second);
    waiting_.erase(waiting);
    for (const auto& [request, place] : waiters) {
      request->results[place] = item.result;
      if (--request->open == 0) settle(*request);
    }
  }
}

void OperationChecker::settle(Request& request) {
  CheckResults results;
  results.reserve(request.results.size());
  for (std::optional<CheckResult>& result : request.results) {
    results.push_back(std::move(*result));
  }
  request.done(std::move(results));
}

}  // namespace hm::node
