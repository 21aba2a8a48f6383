// SPDX-License-Identifier: Apache-2.0
// Key pairs of Falcon-1024 (Falcon specification §3.8, Algorithms 4 and 5): the short polynomials
// f, g, F, G with fG - gF = q, and the public h = g/f modulo q. The same randomness gives the key
// of the round-3 code of 2021-11-01, bit by bit.
//
// Constant time for the pair f, g that becomes the key, as far as the back end is; how many pairs
// were rejected before, and by which test, can be seen and tells nothing about it. Takes
// kKeygenMemory bytes of heap for the call, and overwrites them.
#pragma once

#include <array>
#include <cstddef>

#include "foundation/crypto/falcon/ntru_sizes.h"
#include "foundation/crypto/falcon/polynomial.h"
#include "foundation/crypto/falcon/real.h"
#include "foundation/crypto/keccak/shake.h"

namespace hm::falcon {

inline constexpr std::size_t kKeygenMemory = std::size_t{192} * 1024;

// Overwrites its secret part when it goes.
struct NtruKey {
  NtruKey() = default;
  NtruKey(const NtruKey&) = default;
  NtruKey& operator=(const NtruKey&) = default;
  ~NtruKey();

  SmallPoly f{}, g{}, big_f{}, big_g{};
  std::array<Residue, kDegree> h{};  // public
};

// Draws pairs f, g from `randomness` until one becomes a key, 18 on average. The key is the same on
// either back end.
template <RealBackEnd Real>
NtruKey generate_key(keccak::Shake256& randomness);

extern template NtruKey generate_key<EmulatedReal>(keccak::Shake256&);
extern template NtruKey generate_key<HardwareReal>(keccak::Shake256&);

}  // namespace hm::falcon
