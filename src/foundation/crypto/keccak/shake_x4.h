// SPDX-License-Identifier: Apache-2.0
// Up to four independent outputs of SHAKE at once, for short inputs of one length, such as a seed
// and an index. Every back end gives the bytes that Shake128 and Shake256 give. The states are
// wiped on destruction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/crypto/backend.h"
#include "foundation/crypto/keccak/permutation_x4.h"

namespace hm::keccak {

template <std::size_t rate>
class ShakeX4 {
 public:
  static constexpr std::size_t kRate = rate;

  // Requires: one to four inputs, all of one size below the rate.
  ShakeX4(std::span<const ByteView> inputs, crypto::Backend backend);
  ShakeX4(const ShakeX4&) = delete;
  ShakeX4& operator=(const ShakeX4&) = delete;
  ~ShakeX4();

  // The next out[s].size() bytes of the output of input s. Requires: as many spans as inputs, all
  // of one size, a multiple of the rate.
  void squeeze_blocks(std::span<const std::span<std::uint8_t>> out);

 private:
  StateX4 states_;
  std::size_t count_;
  crypto::Backend backend_;
};

extern template class ShakeX4<168>;
extern template class ShakeX4<136>;

using Shake128x4 = ShakeX4<168>;
using Shake256x4 = ShakeX4<136>;

}  // namespace hm::keccak
