// SPDX-License-Identifier: Apache-2.0
#include "node/delivered_time.h"

#include <algorithm>
#include <chrono>

#include "node/limits.h"

namespace hm::node {
namespace {

std::uint64_t millis(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace

void DeliveredTime::asset_lost(UnixMillis at) {
  if (!asset_lost_since_) asset_lost_since_ = at;
}

void DeliveredTime::asset_back(UnixMillis at) {
  if (!asset_lost_since_) return;
  if (at > *asset_lost_since_) asset_lost_ms_ += at.value - asset_lost_since_->value;
  asset_lost_since_.reset();
}

void DeliveredTime::lost(Away what, MonoTime now) {
  is_away_.at(static_cast<std::size_t>(what)) = true;
  if (!away_since_) away_since_ = now;
}

void DeliveredTime::back(Away what, MonoTime now) {
  is_away_.at(static_cast<std::size_t>(what)) = false;
  if (!away_since_ || std::ranges::count(is_away_, true) > 0) return;
  away_for_ += now - *away_since_;
  away_since_.reset();
}

std::uint64_t DeliveredTime::take(UnixMillis begin, UnixMillis up_to, MonoTime now) {
  const UnixMillis start = std::max(begin, from_);
  std::uint64_t held = up_to > start ? up_to.value - start.value : 0;
  // A machine that slept has less steady time behind it than the block clock says. Clocks of
  // different nodes and the moment of the reading differ by less than the slack.
  const std::uint64_t awake = millis(now - counted_from_);
  if (awake + kClockSlackMillis < held) held = awake;
  if (asset_lost_since_ && *asset_lost_since_ < up_to) {
    asset_lost_ms_ += up_to.value - asset_lost_since_->value;
    asset_lost_since_ = up_to;
  }
  if (away_since_) {
    away_for_ += now - *away_since_;
    away_since_ = now;
  }
  const std::uint64_t missing = asset_lost_ms_ + millis(away_for_);
  counted_from_ = now;
  asset_lost_ms_ = 0;
  away_for_ = {};
  return held > missing ? held - missing : 0;
}

}  // namespace hm::node
