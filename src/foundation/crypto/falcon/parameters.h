// SPDX-License-Identifier: Apache-2.0
// The parameters of Falcon-1024 (Falcon specification of 2020-10-01, round 3, table 3.3) and the
// sizes of what is encoded (section 3.11). All other files take their numbers from here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hm::falcon {

// The scheme's name, and the identifier under which keys and signatures of this version are told
// from those of others. It is private to this project: FN-DSA, the standard that grows out of
// Falcon, hashes and encodes differently and will get another. This module conforms to no FIPS.
inline constexpr std::string_view kAlgorithmName = "Falcon-1024";
inline constexpr std::string_view kAlgorithmId = "hm.falcon-1024.round3.v1";

inline constexpr std::size_t kLogDegree = 10;
inline constexpr std::size_t kDegree = std::size_t{1} << kLogDegree;  // n

// Coefficients of public keys and signatures live in the integers modulo q.
inline constexpr std::uint32_t kModulus = 12289;

// ⌊β²⌋: a signature (s1, s2) is valid only if its squared norm is not larger.
inline constexpr std::uint32_t kNormBound = 70265242;

inline constexpr std::size_t kNonceSize = 40;
inline constexpr std::size_t kSeedSize = 48;

// Section 3.11: a header byte, then coefficients in bits, high bits first.
inline constexpr std::uint8_t kPublicKeyHeader = 0x0A;
inline constexpr std::uint8_t kSecretKeyHeader = 0x5A;
inline constexpr std::uint8_t kSignatureHeader = 0x3A;
inline constexpr unsigned kPublicKeyBits = 14;  // of a coefficient of h
inline constexpr unsigned kSmallBits = 5;       // of f and g
inline constexpr unsigned kLargeBits = 8;       // of F
inline constexpr std::size_t kPublicKeySize = 1 + kDegree * kPublicKeyBits / 8;
inline constexpr std::size_t kSecretKeySize = 1 + kDegree * (2 * kSmallBits + kLargeBits) / 8;
inline constexpr std::size_t kSignatureHeadSize = 1 + kNonceSize;
inline constexpr std::size_t kPaddedSignatureSize = 1280;
inline constexpr std::size_t kMaxCompressedSignatureSize = 1462;
static_assert(kPublicKeySize == 1793 && kSecretKeySize == 2305);

// Coefficients of s2 in a signature are within ±2047.
inline constexpr std::int32_t kMaxSignatureCoefficient = 2047;

using Nonce = std::array<std::uint8_t, kNonceSize>;
using Seed = std::array<std::uint8_t, kSeedSize>;

}  // namespace hm::falcon
