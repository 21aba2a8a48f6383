// SPDX-License-Identifier: Apache-2.0
// How long a leased quantity was there, as one side saw it: the time of a reading, less what was
// missing in it. What is missing is measured, never guessed: before this process held the lease,
// while the asset was not available on the ledger, while the other side was not connected, and
// while this machine slept. Two sides that saw nothing missing come to the same number exactly.
#pragma once

#include <cstdint>
#include <optional>

#include "foundation/base/time.h"

namespace hm::node {

class DeliveredTime {
 public:
  // Held since `from`, by block time; `now` on the steady clock.
  DeliveredTime(UnixMillis from, MonoTime now) : from_(from), counted_from_(now) {}

  // By block time, so that both sides see the same.
  void asset_lost(UnixMillis at);
  void asset_back(UnixMillis at);
  void peer_lost(MonoTime now);
  void peer_back(MonoTime now);

  // Milliseconds of [begin, up_to) for which it was there; what follows counts for the next call.
  std::uint64_t take(UnixMillis begin, UnixMillis up_to, MonoTime now);

 private:
  UnixMillis from_;
  MonoTime counted_from_;
  std::uint64_t asset_lost_ms_ = 0;
  std::optional<UnixMillis> asset_lost_since_;
  Duration peer_lost_for_{};
  std::optional<MonoTime> peer_lost_since_;
};

}  // namespace hm::node
