// SPDX-License-Identifier: Apache-2.0
#include "node/reading_window.h"

#include <algorithm>

#include "node/limits.h"

namespace hm::node {
namespace {

using ledger::LeaseEnd;
using ledger::LeaseState;

UnixMillis begin_of(const ledger::Policy& policy, const ledger::LeaseRecord& lease,
                    std::uint64_t interval) {
  return UnixMillis(lease.placement.accepted.value + interval * policy.meter_interval_ms);
}

// Nothing is delivered from here on.
UnixMillis end_of(const ledger::LeaseRecord& lease) {
  return lease.state == LeaseState::Draining ? std::min(lease.until, lease.ends) : lease.until;
}

// A lease that is given notice ends with it, so that no reading can follow.
std::optional<UnixMillis> last_moment(const ledger::LeaseRecord& lease) {
  const bool has_notice =
      lease.state == LeaseState::Draining && lease.placement.end == LeaseEnd::ByOwner;
  if (!has_notice) return std::nullopt;
  const std::uint64_t lead = std::min(kLastReadingLeadMillis, lease.placement.notice_ms / 2);
  return UnixMillis(lease.ends.value - lead);
}

}  // namespace

bool is_metered(const ledger::LeaseRecord& lease) {
  return lease.tenant != lease.placement.provider;
}

std::optional<ReadingWindow> window_of(const ledger::Policy& policy,
                                       const ledger::LeaseRecord& lease, std::uint32_t interval) {
  const UnixMillis begin = begin_of(policy, lease, interval);
  const UnixMillis end =
      std::min(UnixMillis(begin.value + policy.meter_interval_ms), end_of(lease));
  if (begin >= end) return std::nullopt;
  return ReadingWindow{interval, begin, end};
}

std::optional<ReadingWindow> due_reading(const ledger::Policy& policy,
                                         const ledger::LeaseRecord& lease, UnixMillis now) {
  const UnixMillis accepted = lease.placement.accepted;
  if (now.value < accepted.value + kReadingDelayMillis) return std::nullopt;
  const UnixMillis past(now.value - kReadingDelayMillis);
  // Of an end that was cut short, the last interval is over before a whole one would be.
  const UnixMillis end = end_of(lease);
  const UnixMillis seen = std::min(past, end);
  if (seen <= accepted) return std::nullopt;
  std::uint64_t count = (seen.value - accepted.value) / policy.meter_interval_ms;
  if (seen == end) count = (end.value - accepted.value - 1) / policy.meter_interval_ms + 1;
  if (count > lease.placement.next_interval) {
    const auto window = window_of(policy, lease, static_cast<std::uint32_t>(count - 1));
    if (window && now.value <= window->end.value + policy.meter_interval_ms) return window;
  }
  const auto last = last_moment(lease);
  if (!last || past < *last || *last <= accepted) return std::nullopt;
  const std::uint64_t interval = (last->value - accepted.value - 1) / policy.meter_interval_ms;
  if (interval < lease.placement.next_interval) return std::nullopt;
  const auto index = static_cast<std::uint32_t>(interval);
  return ReadingWindow{index, begin_of(policy, lease, index), *last};
}

UnixMillis give_up_at(const ledger::Policy& policy, const ledger::LeaseRecord& lease) {
  const std::uint64_t missed =
      std::uint64_t{lease.placement.next_interval} + policy.dark_after_intervals;
  return UnixMillis(begin_of(policy, lease, missed).value + policy.meter_interval_ms / 2);
}

}  // namespace hm::node
