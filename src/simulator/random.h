// SPDX-License-Identifier: Apache-2.0
// Every choice of a run comes from here, and so from its seed: xoshiro256** (Blackman, Vigna),
// seeded by splitmix64, the same on every machine. Not for keys of anything real.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "foundation/base/check.h"
#include "foundation/base/time.h"
#include "ports/random.h"

namespace hm::simulator {

class SimRandom final : public ports::Random {
 public:
  explicit SimRandom(std::uint64_t seed);

  std::uint64_t next();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    HM_CHECK(bound > 0);
    return next() % bound;  // the bias for bounds far below 2^64 does not matter here
  }
  // Uniform in [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  Duration between(Duration low, Duration high) {
    return low + Duration(below(static_cast<std::uint64_t>((high - low).count()) + 1));
  }
  // True in `permille` of 1000 cases.
  bool chance(std::uint32_t permille) { return below(1000) < permille; }
  // An independent stream, so that drawing more in one part does not shift another.
  SimRandom fork(std::uint64_t label);

  void fill(std::span<std::uint8_t> out) override;

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace hm::simulator
