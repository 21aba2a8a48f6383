// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/handshake_gate.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::stoq {

bool TokenBucket::take(MonoTime now) {
  const auto full = burst_ * kUnit;
  if (now > last_) {
    const auto elapsed = static_cast<std::uint64_t>((now - last_).count());
    // Beyond this the bucket is full anyway, and the product stays in range.
    const auto to_fill = full / rate_ + 1;
    credit_ = std::min(full, credit_ + std::min(elapsed, to_fill) * rate_);
    last_ = now;
  }
  if (credit_ < kUnit) return false;
  credit_ -= kUnit;
  return true;
}

HandshakeGate::Decision HandshakeGate::admit(Source source, Token token, MonoTime now) {
  const bool known = source == Source::KnownPeer;
  // An address can be forged until it was proven, a known one like any other.
  if (token == Token::None && half_open() >= kRetryAboveHalfOpen) return Decision::AskForToken;
  const bool full =
      known ? half_open() >= kMaxHalfOpen : strangers_ >= kMaxHalfOpen - kReservedHalfOpen;
  if (full) return Decision::TooManyHalfOpen;
  if (!known && !rate_.take(now)) return Decision::TooFast;
  ++(known ? known_ : strangers_);
  return Decision::Accept;
}

void HandshakeGate::handle_ended(Source source) {
  auto& count = source == Source::KnownPeer ? known_ : strangers_;
  HM_CHECK(count > 0);
  --count;
}

}  // namespace hm::stoq
