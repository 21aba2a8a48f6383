// SPDX-License-Identifier: Apache-2.0
// Blocking jobs for one container: on workers, one after the other, in order.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "ports/workers.h"

namespace hm::container_runtime {

class Jobs : public std::enable_shared_from_this<Jobs> {
 public:
  explicit Jobs(ports::Workers& workers) : workers_(workers) {}

  // `work` on a worker, then `done` on the loop.
  void add(std::function<void()> work, std::function<void()> done) {
    waiting_.push_back({std::move(work), std::move(done)});
    if (!is_running_) next();
  }
  bool is_idle() const { return !is_running_ && waiting_.empty(); }

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };

  void next() {
    if (waiting_.empty()) return;
    is_running_ = true;
    auto job = std::make_shared<Job>(std::move(waiting_.front()));
    waiting_.pop_front();
    workers_.submit([job] { job->work(); },
                    [job, self = shared_from_this()] {
                      self->is_running_ = false;
                      job->done();
                      if (!self->is_running_) self->next();
                    });
  }

  ports::Workers& workers_;
  std::deque<Job> waiting_;
  bool is_running_ = false;
};

}  // namespace hm::container_runtime
