// SPDX-License-Identifier: Apache-2.0
// Operations that the node makes by itself, signed by its own key. All of them share one sequence,
// so all who make them go through here: actions wait in a queue, go out in batches with successive
// numbers, and each one's maker is told once what became of it.
//
// Promises: what failed only for its number, its age or a busy node is signed anew, a bounded
// number of times; what the ledger would do twice is never in a block twice. It judges nothing and
// repeats nothing that the ledger refused for what it says.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "node/node.h"
#include "ports/timer.h"

namespace hm::node {

class OwnOperations {
 public:
  // None: applied.
  using Done = std::function<void(const std::optional<ledger::Refused>&)>;

  explicit OwnOperations(Node& node);
  ~OwnOperations();

  // Goes out at once if nothing is under way, else with the next batch.
  void submit(ledger::Action action, Done done);

 private:
  struct Entry {
    ledger::Action action;
    Done done;
    unsigned tries = 0;
    WatchId watch = 0;
  };

  void flush();
  void pause();
  void send(std::uint64_t sequence);
  void on_admission(std::uint64_t sequence, const crypto::Digest& id, const Admission& admission);
  void finish(Entry entry, const std::optional<ledger::Refused>& refused);
  void fill_hole(std::uint64_t sequence);
  std::optional<Entry> take(std::uint64_t sequence);

  Node& node_;
  std::deque<Entry> waiting_;
  std::map<std::uint64_t, Entry> under_way_;  // by sequence
  std::unique_ptr<ports::Timer> retry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::node
