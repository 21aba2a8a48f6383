// SPDX-License-Identifier: Apache-2.0
// All writing to the catalogue: one job after the other, on a worker, and what waits together
// shares one flush. On the loop thread.
//
// Promises. A job is durable when its `done` is called with success. Stripes are given up only
// while nobody writes an object that may refer to them: neither when the job begins nor, since
// whoever begins later waits for is_giving_up() to pass, while it runs.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "node/storing/catalogue.h"
#include "ports/workers.h"

namespace hm::storing {

class CatalogueQueue {
 public:
  using Job = std::function<Result<void>(Catalogue& catalogue)>;
  using Done = std::function<void(const Result<void>& result)>;

  // `when_idle` is called when is_giving_up() has passed.
  CatalogueQueue(std::shared_ptr<Catalogue> catalogue, ports::Workers& workers,
                 std::function<void()> when_idle);
  ~CatalogueQueue();

  void submit(Job job, Done done = {});
  void apply(CatalogueChange change, Done done);

  // How many write objects that may refer to stripes that are there.
  void begin_writer() { ++writers_; }
  void end_writer();
  bool is_giving_up() const { return is_giving_up_; }

 private:
  struct Entry {
    Job job;  // none: a change
    std::shared_ptr<const CatalogueChange> change;
    Done done;
  };
  void run();

  std::shared_ptr<Catalogue> catalogue_;
  ports::Workers& workers_;
  std::function<void()> when_idle_;
  std::deque<Entry> waiting_;
  std::size_t writers_ = 0;
  bool is_running_ = false;
  bool is_giving_up_ = false;
  bool has_idle_stripes_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::storing
