// SPDX-License-Identifier: Apache-2.0
// Takes a batch of operations from submission to an answer: as soon as all are judged at the door,
// or, if asked for, when all admitted ones are final or the time is up.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "node/http_api/outcome.h"
#include "node/node.h"

namespace hm::http_api {

class Waiters {
 public:
  explicit Waiters(node::Node& node) : node_(node) {}
  ~Waiters();
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  using Done = std::function<void(std::vector<OperationOutcome>)>;
  // `wait`: none answers after the door.
  void submit(std::vector<Bytes> operations, std::optional<std::chrono::milliseconds> wait,
              Done done);
  std::size_t waiting() const { return batches_.size(); }

 private:
  struct Batch {
    std::vector<OperationOutcome> outcomes;
    std::vector<node::WatchId> watches;
    std::size_t at_door = 0;  // not judged yet
    std::size_t open = 0;     // admitted, not final
    std::optional<std::chrono::milliseconds> wait;
    bool submitting = true;
    Done done;
    std::unique_ptr<ports::Timer> timer;
  };
  void on_admission(std::uint64_t id, std::size_t place, const node::Admission& admission);
  void settle(std::uint64_t id);
  void finish(std::uint64_t id);

  node::Node& node_;
  std::map<std::uint64_t, Batch> batches_;
  std::uint64_t next_ = 1;
  std::unique_ptr<ports::Timer> retired_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::http_api
