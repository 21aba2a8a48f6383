// SPDX-License-Identifier: Apache-2.0
#include "simulator/schedule.h"

#include <algorithm>

namespace hm::simulator {

void Scheduler::at(MonoTime when, std::function<void()> action) {
  heap_.push_back({std::max(when, now_), order_++, std::move(action)});
  std::ranges::push_heap(heap_, later);
}

std::optional<MonoTime> Scheduler::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

bool Scheduler::step() {
  if (heap_.empty()) return false;
  std::ranges::pop_heap(heap_, later);
  const Entry entry = std::move(heap_.back());
  heap_.pop_back();
  now_ = entry.when;
  ++steps_;
  entry.action();
  return true;
}

}  // namespace hm::simulator
