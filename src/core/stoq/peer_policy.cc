// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/peer_policy.h"

#include <algorithm>

namespace hm::stoq {

Duration Backoff::next(std::uint64_t random) {
  const auto step = step_;
  step_ = std::min(step_ + 1, 32U);
  if (step == 0) return Duration::zero();
  Duration whole = kBackoffFirst;
  for (unsigned i = 1; i < step && whole < kBackoffMax; ++i) whole *= 2;
  whole = std::min(whole, kBackoffMax);
  const auto half = whole.count() / 2;
  const auto spread = random % static_cast<std::uint64_t>(half + 1);
  return Duration(half + static_cast<Duration::rep>(spread));
}

void DialSchedule::start(Manner manner, MonoTime now) {
  backoff_.reset();
  manner_ = manner;
  up_since_ = std::nullopt;
  next_ = manner == Manner::Polite ? now + kPoliteDelay : now;
}

void DialSchedule::handle_failed(MonoTime now, std::uint64_t random) {
  auto wait = backoff_.next(random);
  // A failed attempt is not repeated at once; only a lost connection is.
  if (wait == Duration::zero()) wait = backoff_.next(random);
  next_ = now + wait;
}

void DialSchedule::handle_up(MonoTime now) {
  up_since_ = now;
  next_ = std::nullopt;
}

void DialSchedule::handle_down(MonoTime now, std::uint64_t random) {
  // A connection that never settled does not earn a fresh start.
  if (up_since_ && now - *up_since_ >= kStableAfter) backoff_.reset();
  up_since_ = std::nullopt;
  next_ = now + backoff_.next(random);
  if (manner_ == Manner::Polite) *next_ += kPoliteDelay;
}

Keep choose(const identity::NodeId& self, const identity::NodeId& peer,
            const ConnectionFacts& existing, const ConnectionFacts& candidate) {
  if (candidate.incarnation != existing.incarnation) return Keep::Candidate;
  if (candidate.dialled_by_us == existing.dialled_by_us) return Keep::Candidate;
  const bool ours_wins = self < peer;
  return candidate.dialled_by_us == ours_wins ? Keep::Candidate : Keep::Existing;
}

void Liveness::handle_received(MonoTime now, bool owes) {
  owed_since_ = owes ? std::optional(now) : std::nullopt;
  suspect_since_ = std::nullopt;
  hints_ = 0;
}

void Liveness::handle_owed(MonoTime now) {
  if (!owed_since_) owed_since_ = now;
}

void Liveness::handle_pause(MonoTime now) {
  if (owed_since_) owed_since_ = now;
  if (suspect_since_) suspect_since_ = now;
  hints_ = 0;
}

void Liveness::handle_unreachable(MonoTime now) {
  if (!suspect_since_) suspect_since_ = now;
  hints_ = std::min(hints_ + 1, kUnreachableHints);
}

Liveness::Verdict Liveness::judge(MonoTime now, Duration round_trip, Duration probe_timeout) const {
  if (suspect_since_ && hints_ >= kUnreachableHints &&
      now - *suspect_since_ >= std::max<Duration>(kUnreachableFor, 3 * round_trip)) {
    return Verdict::Unreachable;
  }
  const auto silence = std::max<Duration>(kSilenceLimit, kSilencePtos * probe_timeout);
  if (owed_since_ && now - *owed_since_ >= silence) return Verdict::Silent;
  return suspect_since_ ? Verdict::Suspect : Verdict::Alive;
}

std::optional<MonoTime> Liveness::deadline(Duration probe_timeout) const {
  if (!owed_since_) return std::nullopt;
  return *owed_since_ + std::max<Duration>(kSilenceLimit, kSilencePtos * probe_timeout);
}

}  // namespace hm::stoq
