// SPDX-License-Identifier: Apache-2.0
// How long a leased quantity was there, as one side saw it: the time of a reading, less what was
// missing in it. What is missing is measured, never guessed: before this process held the lease,
// while the asset was not available on the ledger, while the other side was not connected or what
// runs under the lease was not there, and while this machine slept. Two sides that saw nothing
// missing come to the same number exactly.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "foundation/base/time.h"

namespace hm::node {

// What can be away by this machine's own clock. Time in which both are away is missing once.
enum class Away : std::uint8_t {
  Peer,     // the other side's node
  Service,  // what runs under the lease, or the way to it
};

// Whether what is leased is there, by the word of whoever runs things under the lease.
enum class Delivered : std::uint8_t { No, Yes };

class DeliveredTime {
 public:
  // Held since `from`, by block time; `now` on the steady clock.
  DeliveredTime(UnixMillis from, MonoTime now) : from_(from), counted_from_(now) {}

  // By block time, so that both sides see the same.
  void asset_lost(UnixMillis at);
  void asset_back(UnixMillis at);
  void lost(Away what, MonoTime now);
  void back(Away what, MonoTime now);
  void set_service(Delivered delivered, MonoTime now) {
    delivered == Delivered::Yes ? back(Away::Service, now) : lost(Away::Service, now);
  }

  // Milliseconds of [begin, up_to) for which it was there; what follows counts for the next call.
  std::uint64_t take(UnixMillis begin, UnixMillis up_to, MonoTime now);

 private:
  UnixMillis from_;
  MonoTime counted_from_;
  std::uint64_t asset_lost_ms_ = 0;
  std::optional<UnixMillis> asset_lost_since_;
  std::array<bool, 2> is_away_{};
  Duration away_for_{};
  std::optional<MonoTime> away_since_;  // exactly while something is away
};

}  // namespace hm::node
