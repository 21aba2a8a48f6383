// SPDX-License-Identifier: Apache-2.0
// A digest of many runs of ML-KEM (the method of C2SP/CCTV), which a test and a longer program
// compare with one computed by another implementation of FIPS 203. One SHAKE128 of nothing gives
// for each case d, z, m and a random ciphertext; another absorbs ek, dk, ct, K and the secret that
// the random ciphertext is rejected with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/hex.h"
#include "foundation/crypto/keccak/shake.h"
#include "foundation/crypto/ml_kem/ml_kem.h"

namespace hm::ml_kem {

struct AccumulatedDigests {
  std::string_view of_100;
  std::string_view of_10000;
};

// As another implementation computes them.
template <ParameterSet P>
inline constexpr AccumulatedDigests kAccumulated{};
template <>
inline constexpr AccumulatedDigests kAccumulated<MlKem768>{
    "8d65b902f28edc683cebee2872962fd165a4d197c9e24ec74caa4470270df0b7",
    "f959d18d3d1180121433bf0e05f11e7908cf9d03edc150b2b07cb90bef5bc1c1"};
template <>
inline constexpr AccumulatedDigests kAccumulated<MlKem1024>{
    "c3ffe9ebecfa479c142656cbfbc6417efa05b77e994fe538eef4daed166363df",
    "e3bf82b013307b2e9d47dde791ff6dfc82e694e6382404abdb948b908b75bad5"};

// Empty if a ciphertext did not decapsulate to the secret that it was made with.
template <ParameterSet P>
std::string accumulated(std::size_t cases, crypto::Backend backend) {
  keccak::Shake128 drawn;
  keccak::Shake128 digest;
  for (std::size_t i = 0; i < cases; ++i) {
    std::array<std::uint8_t, kSeedSize> seed;
    std::array<std::uint8_t, kWordSize> m;
    Ciphertext<P> random;
    drawn.squeeze(seed);
    drawn.squeeze(m);
    drawn.squeeze(random.bytes);
    const auto key = DecapsulationKey<P>::from_seed(seed, backend);
    const auto made = encapsulate(key.encapsulation_key(), m, backend);
    if (key.decapsulate(made.ciphertext, backend) != made.secret) return {};
    digest.absorb(key.encapsulation_key().bytes());
    digest.absorb(key.expanded());
    digest.absorb(made.ciphertext.bytes);
    digest.absorb(made.secret.view());
    digest.absorb(key.decapsulate(random, backend).view());
  }
  std::array<std::uint8_t, kWordSize> out;
  digest.squeeze(out);
  return to_hex(out);
}

}  // namespace hm::ml_kem
