// SPDX-License-Identifier: Apache-2.0
// The real numbers of Falcon: IEEE 754 binary64, by one of two back ends with the same static
// operations and, on every operand that Falcon uses (zeros and normal numbers), the same bits.
// What computes with them is a template over the back end, instantiated for both.
//
//   of(i)            the integer i, rounded          add sub neg mul sqr   half
//   scaled(i, e)     i · 2^e, |e| <= 900             div inv sqrt
//   from_bits(u)     the number with encoding u      rint floor trunc      to int64, |x| < 2^63
//   x.to_bits()      its encoding                    less_than
#pragma once

#include <concepts>
#include <cstdint>

#include "foundation/crypto/falcon/emulated_real.h"
#include "foundation/crypto/falcon/hardware_real.h"
#include "foundation/crypto/falcon/wide_integer.h"

namespace hm::falcon {

template <class R>
concept RealBackEnd = requires(R x, R y, std::int64_t i, std::uint64_t u, int exponent) {
  { R::of(i) } -> std::same_as<R>;
  { R::scaled(i, exponent) } -> std::same_as<R>;
  { R::from_bits(u) } -> std::same_as<R>;
  { x.to_bits() } -> std::same_as<std::uint64_t>;
  { R::add(x, y) } -> std::same_as<R>;
  { R::sub(x, y) } -> std::same_as<R>;
  { R::neg(x) } -> std::same_as<R>;
  { R::half(x) } -> std::same_as<R>;
  { R::mul(x, y) } -> std::same_as<R>;
  { R::sqr(x) } -> std::same_as<R>;
  { R::inv(x) } -> std::same_as<R>;
  { R::div(x, y) } -> std::same_as<R>;
  { R::sqrt(x) } -> std::same_as<R>;
  { R::rint(x) } -> std::same_as<std::int64_t>;
  { R::floor(x) } -> std::same_as<std::int64_t>;
  { R::trunc(x) } -> std::same_as<std::int64_t>;
  { R::less_than(x, y) } -> std::same_as<bool>;
};

static_assert(RealBackEnd<EmulatedReal> && RealBackEnd<HardwareReal>);

// 2^63 · ccs · exp(-x) in 64-bit fixed point, for 0 <= x < ln 2 and 0 <= ccs <= 1 (Algorithm 13,
// ApproxExp). Integer arithmetic in both back ends: the products of the polynomial keep their upper
// half.
template <RealBackEnd Real>
std::uint64_t expm_p63(Real x, Real ccs) {
  constexpr std::uint64_t kCoefficients[] = {
      0x00000004741183A3, 0x00000036548CFC06, 0x0000024FDCBF140A, 0x0000171D939DE045,
      0x0000D00CF58F6F84, 0x000680681CF796E3, 0x002D82D8305B0FEA, 0x011111110E066FD0,
      0x0555555555070F00, 0x155555555581FF00, 0x400000000002B400, 0x7FFFFFFFFFFF4800,
      0x8000000000000000};
  const Real two_63 = Real::from_bits(std::uint64_t{1023 + 63} << 52);
  const auto fixed = [&](Real r) {
    return static_cast<std::uint64_t>(Real::trunc(Real::mul(r, two_63))) << 1;
  };
  const std::uint64_t z = fixed(x);
  std::uint64_t y = 0;
  for (const std::uint64_t c : kCoefficients) y = c - multiply_high(z, y);
  return multiply_high(fixed(ccs), y);
}

}  // namespace hm::falcon
