// SPDX-License-Identifier: Apache-2.0
// IEEE 754 binary64 by the processor. Equal to EmulatedReal, bit by bit, as long as the compiler
// fuses nothing (this module is built with -ffp-contract=off and without -ffast-math), the process
// rounds to nearest, and double is computed in 64 bits, as SSE2 and AArch64 do and the x87 does
// not. Whether division and square root take the same time for all operands is the processor's
// affair.
#pragma once

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hm::falcon {

static_assert(FLT_EVAL_METHOD == 0);

struct HardwareReal {
  double value = 0;

  static constexpr HardwareReal from_bits(std::uint64_t ieee) {
    return {std::bit_cast<double>(ieee)};
  }
  std::uint64_t to_bits() const { return std::bit_cast<std::uint64_t>(value); }

  static HardwareReal of(std::int64_t v) { return {static_cast<double>(v)}; }
  static HardwareReal scaled(std::int64_t v, int exponent) {
    const HardwareReal power = from_bits(static_cast<std::uint64_t>(1023 + exponent) << 52);
    return mul(of(v), power);
  }
  static HardwareReal add(HardwareReal x, HardwareReal y) { return {x.value + y.value}; }
  static HardwareReal sub(HardwareReal x, HardwareReal y) { return {x.value - y.value}; }
  static HardwareReal neg(HardwareReal x) { return {-x.value}; }
  static HardwareReal half(HardwareReal x) { return {x.value * 0.5}; }
  static HardwareReal mul(HardwareReal x, HardwareReal y) { return {x.value * y.value}; }
  static HardwareReal sqr(HardwareReal x) { return {x.value * x.value}; }
  static HardwareReal inv(HardwareReal x) { return {1.0 / x.value}; }
  static HardwareReal div(HardwareReal x, HardwareReal y) { return {x.value / y.value}; }
  static HardwareReal sqrt(HardwareReal x) { return {std::sqrt(x.value)}; }

  static std::int64_t rint(HardwareReal x) {
#if defined(__SSE2__)
    return _mm_cvtsd_si64(_mm_set_sd(x.value));
#else
    return std::llrint(x.value);
#endif
  }
  static std::int64_t floor(HardwareReal x) {
    const auto whole = static_cast<std::int64_t>(x.value);
    return whole - static_cast<std::int64_t>(x.value < static_cast<double>(whole));
  }
  static std::int64_t trunc(HardwareReal x) { return static_cast<std::int64_t>(x.value); }
  static bool less_than(HardwareReal x, HardwareReal y) { return x.value < y.value; }
};

}  // namespace hm::falcon
