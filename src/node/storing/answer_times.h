// SPDX-License-Identifier: Apache-2.0
// How long shards take to come, as a download sees it, and so from when on one of them is late: a
// multiple of what is usual, since on a busy line all of them take long, and to ask two more nodes
// for each makes it busier.
#pragma once

#include <algorithm>

#include "foundation/base/time.h"
#include "node/storing/keeper_limits.h"

namespace hm::storing {

class AnswerTimes {
 public:
  // A shard came so long after it was asked for. What never comes changes nothing.
  void add(Duration took) { usual_ += (took - usual_) / kSmoothing; }

  // Within kHedge and kLongestHedge.
  Duration late_after() const { return std::clamp(kLate * usual_, kHedge, kLongestHedge); }

 private:
  static constexpr int kSmoothing = 16;  // about as many shards as are on their way
  static constexpr int kLate = 3;

  Duration usual_{};
};

}  // namespace hm::storing
