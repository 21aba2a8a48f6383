// SPDX-License-Identifier: Apache-2.0
// Who may begin a handshake: keeps a flood of initial packets harmless. Memory is bounded by
// kMaxHalfOpen, work by token buckets, and known peers keep their own share of both. Pure: time
// comes in as an argument.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/stoq/incident.h"
#include "core/stoq/limits.h"
#include "foundation/base/time.h"

namespace hm::stoq {

// Lets `burst` through at once and `rate` per second after that.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t rate, std::uint32_t burst)
      : rate_(rate), burst_(burst), credit_(std::uint64_t{burst} * kUnit) {}
  bool take(MonoTime now);

 private:
  static constexpr std::uint64_t kUnit = 1'000'000'000;  // one token, in token-nanoseconds
  std::uint64_t rate_;
  std::uint64_t burst_;
  std::uint64_t credit_;
  MonoTime last_{};
};

class HandshakeGate {
 public:
  enum class Source : std::uint8_t { Stranger, KnownPeer };  // the address, not yet the identity
  enum class Token : std::uint8_t { None, Valid };
  enum class Decision : std::uint8_t { Accept, AskForToken, TooManyHalfOpen, TooFast };

  // An initial packet for a new connection arrived. Accept counts as begun.
  Decision admit(Source source, Token token, MonoTime now);
  // A handshake that admit() accepted ended, either way.
  void handle_ended(Source source);

  std::size_t half_open() const { return strangers_ + known_; }

 private:
  std::size_t strangers_ = 0;
  std::size_t known_ = 0;
  TokenBucket rate_{kStrangerHandshakesPerSecond, kStrangerBurst};
};

}  // namespace hm::stoq
