// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo q = 3329 in 16 bits, and the roots of unity of the NTT. Every operation is
// one that a vector unit has for 16-bit lanes, so that portable and vector code compute the same
// values. No division, no branch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/ml_kem/parameters.h"

namespace hm::ml_kem {

inline constexpr std::int32_t kMontgomery = 1 << 16;  // R
inline constexpr std::int16_t kInverseOfQ = -3327;    // q^-1 mod R
inline constexpr std::int16_t kBarrett = 20159;       // 2^26 / q, rounded
inline constexpr int kBarrettShift = 10;              // what is left of 26 after a high half

// The number of absolute value at most q/2 in the class of `value`.
constexpr std::int16_t centred(std::int64_t value) {
  std::int64_t rest = value % kQ;
  if (rest > kQ / 2) rest -= kQ;
  if (rest < -(kQ / 2)) rest += kQ;
  return static_cast<std::int16_t>(rest);
}

// A constant that values are multiplied by: itself times R, and that times q^-1 mod R.
struct Multiplier {
  std::int16_t value;
  std::int16_t times_inverse;
};

constexpr Multiplier multiplier(std::int64_t constant) {
  const std::int16_t value = centred(constant % kQ * kMontgomery);
  return {value, static_cast<std::int16_t>(value * kInverseOfQ)};
}

constexpr std::int16_t high_half(std::int32_t a, std::int32_t b) {
  return static_cast<std::int16_t>((a * b) >> 16);
}

// a times the constant of b, reduced, for every a: Montgomery's reduction, whose two low halves
// are equal and cancel.
constexpr std::int16_t multiply(std::int16_t a, Multiplier b) {
  const auto low = static_cast<std::int16_t>(a * b.times_inverse);
  return static_cast<std::int16_t>(high_half(a, b.value) - high_half(low, kQ));
}

// The class of any a, in [-q/2, q/2].
constexpr std::int16_t barrett_reduce(std::int16_t a) {
  const int quotient = (high_half(a, kBarrett) + (1 << (kBarrettShift - 1))) >> kBarrettShift;
  return static_cast<std::int16_t>(a - quotient * kQ);
}

// The class of any a, in [0, q).
constexpr std::int16_t canonical(std::int16_t a) {
  const std::int16_t reduced = barrett_reduce(a);
  return static_cast<std::int16_t>(reduced + ((reduced >> 15) & kQ));
}

constexpr std::int64_t power_of_zeta(unsigned exponent) {
  std::int64_t result = 1;
  for (unsigned i = 0; i < exponent; ++i) result = result * 17 % kQ;  // ζ = 17 (§4.3)
  return result;
}

// BitRev_7 (§4.3).
constexpr unsigned bit_reverse(unsigned value) {
  unsigned result = 0;
  for (int i = 0; i < 7; ++i) result |= ((value >> i) & 1) << (6 - i);
  return result;
}

// ζ^BitRev7(i), in the order in which Algorithms 9 and 10 use them.
inline constexpr auto kZetas = [] {
  std::array<Multiplier, 128> zetas{};
  for (unsigned i = 0; i < zetas.size(); ++i) zetas[i] = multiplier(power_of_zeta(bit_reverse(i)));
  return zetas;
}();

// γ of pair i of Algorithm 11: ζ^(2·BitRev7(i) + 1).
constexpr std::int64_t gamma(unsigned i) { return power_of_zeta(2 * bit_reverse(i) + 1); }

// 128^-1, by which Algorithm 10 ends.
inline constexpr std::int64_t kInverseOf128 = 3303;

}  // namespace hm::ml_kem
