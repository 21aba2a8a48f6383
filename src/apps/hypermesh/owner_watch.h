// SPDX-License-Identifier: Apache-2.0
// Looks every few seconds at whether the owner uses this machine, and tells the keeper of leases.
// The look happens on a worker, one at a time.
#pragma once

#include <memory>

#include "core/activity/judge.h"
#include "node/lease_keeper.h"
#include "platform/loop/event_loop.h"
#include "ports/activity_probe.h"

namespace hm::cli {

class OwnerWatch {
 public:
  // Requires: check(policy).
  OwnerWatch(loop::EventLoop& loop, std::unique_ptr<ports::ActivityProbe> probe,
             const activity::ActivityPolicy& policy, node::LeaseKeeper& leases);
  ~OwnerWatch();

  void start() { look(); }

 private:
  void look();

  loop::EventLoop& loop_;
  // Shared with the look under way.
  std::shared_ptr<ports::ActivityProbe> probe_;
  activity::ActivityJudge judge_;
  node::LeaseKeeper& leases_;
  std::unique_ptr<ports::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hm::cli
