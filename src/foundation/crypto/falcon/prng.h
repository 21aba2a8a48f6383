// SPDX-License-Identifier: Apache-2.0
// The generator that feeds the sampler, as in the round 3 submission's code: ChaCha20 with eight
// blocks side by side, seeded by 56 bytes of SHAKE256. Which byte goes where decides signatures, so
// the order is part of the published known answers. Wiped when destroyed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/keccak/shake.h"

namespace hm::falcon {

class Prng {
 public:
  explicit Prng(keccak::Shake256& source);
  Prng(const Prng&) = delete;
  Prng& operator=(const Prng&) = delete;
  ~Prng();

  std::uint8_t next_byte() {
    const std::uint8_t byte = bytes_[at_++];
    if (at_ == kSize) refill();
    return byte;
  }

  // Low byte first. A word is never taken from the last nine bytes of a portion; they are skipped.
  std::uint64_t next_word();

 private:
  static constexpr std::size_t kBlocks = 8;
  static constexpr std::size_t kStateWords = 16;
  static constexpr std::size_t kSize = kBlocks * kStateWords * sizeof(std::uint32_t);

  void refill();

  std::array<std::uint8_t, kSize> bytes_;
  std::size_t at_ = 0;
  std::array<std::uint32_t, 12> seed_;  // key, nonce, and what the block counter is combined with
  std::uint64_t counter_;
};

}  // namespace hm::falcon
