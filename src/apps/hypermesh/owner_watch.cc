// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/owner_watch.h"

#include <chrono>
#include <utility>

#include "foundation/base/log.h"

namespace hm::cli {
namespace {

// Well within activity::kMaxReadingGap, and soon enough for an owner who comes back.
constexpr std::chrono::seconds kLookEvery{5};

}  // namespace

OwnerWatch::OwnerWatch(loop::EventLoop& loop, std::unique_ptr<ports::ActivityProbe> probe,
                       const activity::ActivityPolicy& policy, node::LeaseKeeper& leases)
    : loop_(loop),
      probe_(std::move(probe)),
      judge_(policy),
      leases_(leases),
      timer_(loop.timers().create([this] { look(); })) {}

OwnerWatch::~OwnerWatch() { *alive_ = false; }

void OwnerWatch::look() {
  const MonoTime now = loop_.clock().now();
  const UnixMillis wall = loop_.clock().wall();
  auto reading = std::make_shared<activity::ActivityReading>();
  loop_.workers().submit(
      [probe = probe_, reading, now, wall] { *reading = probe->read(now, wall); },
      [this, alive = alive_, reading, now] {
        if (!*alive) return;
        judge_.handle_reading(*reading, now);
        const auto verdict = judge_.verdict(loop_.clock().now());
        if (verdict.activity != leases_.activity().activity) {
          log::info("activity", activity::sentence(verdict));
        }
        leases_.set_activity(verdict);
        timer_->arm(loop_.clock().now() + kLookEvery);
      });
}

}  // namespace hm::cli
