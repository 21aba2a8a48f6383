// SPDX-License-Identifier: Apache-2.0
// The extendable-output functions of FIPS 202 §6.2: absorb the input in any portions, then squeeze
// output in any portions; how either is cut does not change a byte. The first squeeze ends the
// input, and absorbing after it is a bug of the caller. The state is wiped on destruction, so that
// a generator seeded with a secret leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/base/bytes.h"
#include "foundation/crypto/keccak/sponge.h"

namespace hm::keccak {

template <std::size_t rate>
class Shake {
 public:
  static constexpr std::size_t kRate = rate;  // bytes of output per permutation

  Shake() : sponge_(rate, Suffix::Shake) {}
  void absorb(ByteView input) { sponge_.absorb(input); }
  void squeeze(std::span<std::uint8_t> out) { sponge_.squeeze(out); }

 private:
  Sponge sponge_;
};

class Shake128 : public Shake<168> {};
class Shake256 : public Shake<136> {};

}  // namespace hm::keccak
