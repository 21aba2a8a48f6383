// SPDX-License-Identifier: Apache-2.0
// The sponge of FIPS 202 §4 with the padding of §5.1, for the functions of sha3.h and shake.h: a
// number of bytes that fills `rate` is permuted in, and the suffix that separates SHA-3 from SHAKE
// ends the input. Wipes its state when destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/crypto/keccak/permutation.h"

namespace hm::keccak {

// The bits that follow the message, with the first bit of pad10*1 behind them, low bit first.
enum class Suffix : std::uint8_t {
  Sha3 = 0x06,   // FIPS 202 §6.1: 01
  Shake = 0x1f,  // FIPS 202 §6.2: 1111
};

// The last bit of pad10*1, in the last byte of the block.
inline constexpr std::uint8_t kLastPaddingBit = 0x80;

class Sponge {
 public:
  // Requires: rate is a multiple of 8 and at most 168.
  Sponge(std::size_t rate, Suffix suffix) : rate_(rate), suffix_(suffix) {}
  Sponge(const Sponge&) = default;
  Sponge& operator=(const Sponge&) = default;
  ~Sponge();

  // Requires: nothing was squeezed yet.
  void absorb(ByteView input);
  // The next out.size() bytes of the output; the first call ends the input.
  void squeeze(std::span<std::uint8_t> out);

 private:
  void finish();
  void xor_in(ByteView bytes);

  State state_{};
  std::size_t rate_;
  std::size_t at_ = 0;  // bytes absorbed into, or squeezed from, the present block
  Suffix suffix_;
  bool squeezing_ = false;
};

}  // namespace hm::keccak
