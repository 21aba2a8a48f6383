// SPDX-License-Identifier: Apache-2.0
// When to dial a peer, which of two connections to keep, and when to believe that a peer is dead.
// Pure: time and randomness come in as arguments.
#pragma once

#include <cstdint>
#include <optional>

#include "core/identity/ids.h"
#include "core/stoq/limits.h"
#include "foundation/base/time.h"

namespace hm::stoq {

// Exponential back-off with jitter: the first wait after reset() is zero, so that a restart of a
// peer costs no more than its own time; then kBackoffFirst doubling to kBackoffMax, each drawn
// from [half, whole] so that peers of a lost node do not return in step.
class Backoff {
 public:
  Duration next(std::uint64_t random);
  void reset() { step_ = 0; }

 private:
  unsigned step_ = 0;
};

// When to dial one peer.
class DialSchedule {
 public:
  // `polite`: this node has the higher id; see kPoliteDelay.
  enum class Manner : std::uint8_t { First, Polite };

  void start(Manner manner, MonoTime now);
  // Nobody dials any more.
  void stop() { next_ = std::nullopt; }

  void handle_dialled() { next_ = std::nullopt; }
  void handle_failed(MonoTime now, std::uint64_t random);
  void handle_up(MonoTime now);
  void handle_down(MonoTime now, std::uint64_t random);

  // When to dial next; nothing while connected or dialling.
  std::optional<MonoTime> deadline() const { return next_; }

 private:
  Backoff backoff_;
  Manner manner_ = Manner::First;
  std::optional<MonoTime> next_;
  std::optional<MonoTime> up_since_;
};

// One of two connections with the same peer.
struct ConnectionFacts {
  std::uint64_t incarnation = 0;  // the peer's, from its stream headers
  bool dialled_by_us = false;
};

enum class Keep : std::uint8_t { Existing, Candidate };

// Both ends decide alike: a new incarnation of the peer always wins; then the connection that the
// node with the lower id dialled; then the newer one, because whoever dialled again gave the older
// one up.
Keep choose(const identity::NodeId& self, const identity::NodeId& peer,
            const ConnectionFacts& existing, const ConnectionFacts& candidate);

// Is the peer alive? Told of what is sent, received and reported unreachable.
class Liveness {
 public:
  enum class Verdict : std::uint8_t { Alive, Suspect, Silent, Unreachable };

  // An authentic packet came; `owes` tells whether the peer still owes an acknowledgement.
  void handle_received(MonoTime now, bool owes);
  // Something that the peer must acknowledge is on its way.
  void handle_owed(MonoTime now);
  // This process was not running until now: waiting starts anew.
  void handle_pause(MonoTime now);
  // The network says that nobody listens there (unauthenticated).
  void handle_unreachable(MonoTime now);

  Verdict judge(MonoTime now, Duration round_trip, Duration probe_timeout) const;
  // When judge() may change its mind without a further event.
  std::optional<MonoTime> deadline(Duration probe_timeout) const;

 private:
  std::optional<MonoTime> owed_since_;
  std::optional<MonoTime> suspect_since_;
  unsigned hints_ = 0;
};

}  // namespace hm::stoq
