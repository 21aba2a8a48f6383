// SPDX-License-Identifier: Apache-2.0
#include "node/storing/catalogue_queue.h"

#include <utility>

namespace hm::storing {

CatalogueQueue::CatalogueQueue(std::shared_ptr<Catalogue> catalogue, ports::Workers& workers,
                               std::function<void()> when_idle)
    : catalogue_(std::move(catalogue)), workers_(workers), when_idle_(std::move(when_idle)) {}

CatalogueQueue::~CatalogueQueue() { *alive_ = false; }

void CatalogueQueue::submit(Job job, Done done) {
  waiting_.push_back({std::move(job), nullptr, std::move(done)});
  run();
}

void CatalogueQueue::apply(CatalogueChange change, Done done) {
  waiting_.push_back(
      {nullptr, std::make_shared<const CatalogueChange>(std::move(change)), std::move(done)});
  run();
}

// What was not given up for the sake of writers is now.
void CatalogueQueue::end_writer() {
  if (--writers_ == 0 && has_idle_stripes_) apply({}, {});
}

void CatalogueQueue::run() {
  if (is_running_ || waiting_.empty()) return;
  is_running_ = true;
  is_giving_up_ = writers_ == 0;
  struct Batch {
    std::deque<Entry> entries;
    std::vector<Result<void>> results;
    bool has_idle_stripes = false;
  };
  auto batch = std::make_shared<Batch>();
  batch->entries = std::exchange(waiting_, {});
  const auto stripes = is_giving_up_ ? Catalogue::Stripes::MayGiveUp : Catalogue::Stripes::Keep;
  workers_.submit(
      [catalogue = catalogue_, batch, stripes] {
        for (Entry& each : batch->entries) {
          batch->results.push_back(each.change ? catalogue->apply(*each.change, stripes)
                                               : each.job(*catalogue));
        }
        if (const auto flushed = catalogue->flush(); !flushed) {
          for (Result<void>& each : batch->results) {
            if (each) each = flushed;
          }
        }
        batch->has_idle_stripes = catalogue->has_idle_stripes();
      },
      [this, alive = alive_, batch] {
        if (!*alive) return;
        is_running_ = false;
        has_idle_stripes_ = batch->has_idle_stripes;
        const bool was_giving_up = std::exchange(is_giving_up_, false);
        for (std::size_t i = 0; i < batch->entries.size(); ++i) {
          if (batch->entries[i].done) batch->entries[i].done(batch->results[i]);
          if (!*alive) return;
        }
        if (was_giving_up) when_idle_();
        if (*alive) run();
      });
}

}  // namespace hm::storing
