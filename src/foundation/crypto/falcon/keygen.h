// SPDX-License-Identifier: Apache-2.0
// Key pairs of Falcon-1024 (Falcon specification §3.8, Algorithms 4 and 5): the short polynomials
// f, g, F, G with fG - gF = q, and the public h = g/f modulo q. From the same randomness both back
// ends of real.h make the key of the round-3 reference code (2021-11-01), bit by bit.
//
// Constant time for the pair f, g that becomes the key; how many pairs were rejected before, and at
// which test, can be seen and tells nothing about it. Takes about 400 kilobytes of heap for the
// call, and wipes them. The encodings of keys, and the tree that signing needs, are elsewhere.
#pragma once

#include <array>
#include <cstdint>

#include "foundation/crypto/falcon/mod_q.h"
#include "foundation/crypto/falcon/ntru_sizes.h"
#include "foundation/crypto/falcon/real.h"
#include "foundation/crypto/keccak/shake.h"

namespace hm::falcon {

// Wipes its secret part when destroyed.
struct NtruKey {
  NtruKey() = default;
  NtruKey(const NtruKey&) = default;
  NtruKey& operator=(const NtruKey&) = default;
  ~NtruKey();

  SmallPoly f{}, g{}, big_f{}, big_g{};
  std::array<Residue, kDegree> h{};
};

// Draws pairs from `randomness` until one becomes a key: about four are needed.
template <RealBackEnd Real>
NtruKey generate_key(keccak::Shake256& randomness);

extern template NtruKey generate_key<EmulatedReal>(keccak::Shake256&);
extern template NtruKey generate_key<HardwareReal>(keccak::Shake256&);

}  // namespace hm::falcon
