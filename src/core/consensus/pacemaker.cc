// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/pacemaker.h"

#include <algorithm>

namespace hm::consensus {
namespace {

constexpr unsigned kMaxDoublings = 16;

Duration doubled(Duration value, unsigned times, Duration cap) {
  for (unsigned i = 0; i < std::min(times, kMaxDoublings) && value < cap; ++i) value *= 2;
  return std::min(value, cap);
}

}  // namespace

void Pacemaker::add_round(Duration sample) {
  // A round that an outage fell into says nothing about delays, and right after a start it would be
  // the only sample. Rounds that really take longer double Δ until it fits. The lost views of the
  // same outage doubled delta() already: counting them here as well would multiply the two.
  sample = std::min(sample, 2 * base_);
  if (samples_.size() < kRoundSamples) {
    samples_.push_back(sample);
  } else {
    samples_[next_] = sample;
    next_ = (next_ + 1) % kRoundSamples;
  }
  std::vector<Duration> sorted = samples_;
  const auto p95 = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) * 95 / 100);
  std::ranges::nth_element(sorted, p95);
  base_ = std::clamp(*p95, minimum_, maximum_);
}

void Pacemaker::note_lost_view() {
  if (lost_views_ < kMaxDoublings) ++lost_views_;
}

Duration Pacemaker::delta() const {
  return doubled(base_, lost_views_, std::max(base_, kMaxBackoffDelta));
}

Duration Pacemaker::retry_interval(unsigned count) const {
  const Duration first = 2 * delta();
  return doubled(first, count, std::max(first, kMaxRetryInterval));
}

}  // namespace hm::consensus
