// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/waiters.h"

#include <utility>

#include "node/limits.h"

namespace hm::http_api {

Waiters::~Waiters() {
  for (const auto& [id, batch] : batches_) {
    for (const node::WatchId watch : batch.watches) node_.unwatch(watch);
  }
}

void Waiters::submit(std::vector<Bytes> operations, std::optional<std::chrono::milliseconds> wait,
                     Done done) {
  const std::uint64_t id = next_++;
  Batch& batch = batches_[id];
  // What the door has not judged when the time is up was not taken.
  batch.outcomes.resize(operations.size(), node::Busy{node::kBusyRetryAfter});
  batch.at_door = operations.size();
  batch.wait = wait;
  batch.done = std::move(done);
  if (wait) {
    batch.timer = node_.ports().timers.create([this, id] { finish(id); });
    batch.timer->arm(node_.ports().clock.now() + *wait);
  }
  for (std::size_t place = 0; place < operations.size(); ++place) {
    node_.submit(std::move(operations[place]), [this, id, place, alive = std::weak_ptr(alive_)](
                                                   const node::Admission& admission) {
      if (!alive.expired()) on_admission(id, place, admission);
    });
  }
  batch.submitting = false;
  settle(id);
}

void Waiters::on_admission(std::uint64_t id, std::size_t place, const node::Admission& admission) {
  const auto found = batches_.find(id);
  if (found == batches_.end()) return;
  Batch& batch = found->second;
  --batch.at_door;
  std::visit([&](const auto& known) { batch.outcomes[place] = known; }, admission);
  if (const auto* admitted = std::get_if<node::Admitted>(&admission); admitted && batch.wait) {
    ++batch.open;
    // A receipt that is known already arrives within watch(); the batch must outlive that.
    const bool submitting = std::exchange(batch.submitting, true);
    batch.watches.push_back(node_.watch(
        admitted->id,
        [this, id, place, alive = std::weak_ptr(alive_)](const node::FinalReceipt& receipt) {
          if (alive.expired()) return;
          const auto waiting = batches_.find(id);
          if (waiting == batches_.end()) return;
          waiting->second.outcomes[place] = receipt;
          --waiting->second.open;
          settle(id);
        }));
    batch.submitting = submitting;
  }
  settle(id);
}

void Waiters::settle(std::uint64_t id) {
  const auto found = batches_.find(id);
  if (found == batches_.end()) return;
  const Batch& batch = found->second;
  if (!batch.submitting && batch.at_door == 0 && batch.open == 0) finish(id);
}

void Waiters::finish(std::uint64_t id) {
  auto node = batches_.extract(id);
  if (node.empty()) return;
  Batch& batch = node.mapped();
  for (const node::WatchId watch : batch.watches) node_.unwatch(watch);
  // This may run inside that very timer.
  retired_timer_ = std::move(batch.timer);
  batch.done(std::move(batch.outcomes));
}

}  // namespace hm::http_api
