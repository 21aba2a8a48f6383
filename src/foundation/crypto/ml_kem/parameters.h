// SPDX-License-Identifier: Apache-2.0
// The parameter sets of FIPS 203 §8 (table 2) that are supported, and the sizes that follow from
// them (table 3). A set is a type, so that a key of one never meets a ciphertext of the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hm::ml_kem {

// Security category 3.
struct MlKem768 {
  static constexpr std::string_view kName = "ML-KEM-768";
  static constexpr std::size_t kRank = 3;  // k
  static constexpr int kBitsOfU = 10;      // d_u
  static constexpr int kBitsOfV = 4;       // d_v
};

// Security category 5.
struct MlKem1024 {
  static constexpr std::string_view kName = "ML-KEM-1024";
  static constexpr std::size_t kRank = 4;
  static constexpr int kBitsOfU = 11;
  static constexpr int kBitsOfV = 5;
};

// What an algorithm can be given.
template <class P>
concept ParameterSet = requires { P::kRank + P::kBitsOfU + P::kBitsOfV; };

inline constexpr std::int16_t kQ = 3329;
inline constexpr std::size_t kCoefficients = 256;  // n
inline constexpr std::size_t kEta = 2;             // η_1 and η_2 of both sets
inline constexpr int kBitsOfKey = 12;              // coefficients in keys are not compressed

// Seeds, messages, shared secrets and digests all have 32 bytes.
inline constexpr std::size_t kWordSize = 32;

// A polynomial of d-bit coefficients (§4.2.1).
constexpr std::size_t encoded_size(int d) { return kWordSize * static_cast<std::size_t>(d); }

template <ParameterSet P>
inline constexpr std::size_t kVectorSize = P::kRank * encoded_size(kBitsOfKey);

template <ParameterSet P>
inline constexpr std::size_t kEncapsulationKeySize = kVectorSize<P> + kWordSize;

template <ParameterSet P>
inline constexpr std::size_t kExpandedKeySize =
    kVectorSize<P> + kEncapsulationKeySize<P> + 2 * kWordSize;

template <ParameterSet P>
inline constexpr std::size_t kCiphertextSize =
    P::kRank * encoded_size(P::kBitsOfU) + encoded_size(P::kBitsOfV);

}  // namespace hm::ml_kem
