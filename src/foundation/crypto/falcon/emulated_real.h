// SPDX-License-Identifier: Apache-2.0
// IEEE 754 binary64 in integer arithmetic, in constant time on machines whose integer multiplier
// is: additions, shifts, masks and 64-bit products, no floating-point unit. Rounds to nearest, ties
// to even. Operands are zeros and normal numbers; there are no infinities, NaNs, subnormal numbers
// and no overflow in Falcon, and none here.
#pragma once

#include <bit>
#include <cstdint>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/wide_integer.h"

namespace hm::falcon {

struct EmulatedReal {
  std::uint64_t bits = 0;

  static constexpr EmulatedReal from_bits(std::uint64_t ieee) { return {ieee}; }
  std::uint64_t to_bits() const { return bits; }

  static EmulatedReal of(std::int64_t value) { return scaled(value, 0); }

  static EmulatedReal scaled(std::int64_t value, int exponent) {
    const std::uint64_t sign = static_cast<std::uint64_t>(value) >> 63;
    const std::uint64_t size = negated_if(static_cast<std::uint64_t>(value), sign);
    const int zeros = std::countl_zero(size | 1);
    return assemble(sign, size << zeros, kBias + 63 - zeros + exponent);
  }

  static EmulatedReal add(EmulatedReal x, EmulatedReal y) {
    const std::uint64_t swap =
        (x.bits ^ y.bits) &
        crypto::mask_from_bit((size_of(x) - size_of(y)) >> 63);  // the larger one comes first
    x.bits ^= swap;
    y.bits ^= swap;
    const std::uint64_t sign_x = x.bits >> 63;
    const std::uint64_t sign_y = y.bits >> 63;
    const std::uint64_t exponent = exponent_of(x);

    // Ten bits below the last place: one is lost to normalisation, the others round. What y has
    // below them is remembered as one bit. At a distance of 64 nothing of y can matter.
    const std::uint64_t large = mantissa_of(x) << 10;
    const std::uint64_t distance = exponent - exponent_of(y);
    const std::uint64_t near = crypto::mask_from_bit((distance - 64) >> 63);
    const std::uint64_t small = (mantissa_of(y) << 10) & near;
    const std::uint64_t shift = distance & 63;
    const std::uint64_t lost = small & ((std::uint64_t{1} << shift) - 1);
    const std::uint64_t aligned = (small >> shift) | is_nonzero(lost);
    const std::uint64_t sum = large + negated_if(aligned, sign_x ^ sign_y);

    const int zeros = std::countl_zero(sum | 1);
    const std::uint64_t sign = sign_x & (is_nonzero(sum) | sign_y);
    return assemble(sign, sum << zeros, static_cast<int>(exponent) + 1 - zeros);
  }

  static EmulatedReal sub(EmulatedReal x, EmulatedReal y) { return add(x, neg(y)); }
  static EmulatedReal neg(EmulatedReal x) { return {x.bits ^ kSignBit}; }
  static EmulatedReal half(EmulatedReal x) { return {x.bits - (has_value(x) << 52)}; }

  static EmulatedReal mul(EmulatedReal x, EmulatedReal y) {
    const Uint128 product = Uint128{mantissa_of(x) << 11} * (mantissa_of(y) << 11);
    const auto low = static_cast<std::uint64_t>(product);
    const std::uint64_t high = static_cast<std::uint64_t>(product >> 64) | is_nonzero(low);
    const std::uint64_t carry = high >> 63;
    const std::uint64_t exponent = exponent_of(x) + exponent_of(y) + carry;
    return assemble((x.bits ^ y.bits) >> 63, high << (1 - carry),
                    static_cast<int>(exponent) - kBias);
  }

  static EmulatedReal sqr(EmulatedReal x) { return mul(x, x); }
  static EmulatedReal inv(EmulatedReal x) { return div({kOne}, x); }

  // Requires: y is not zero.
  static EmulatedReal div(EmulatedReal x, EmulatedReal y) {
    // The integer quotient of dividend · 2^54, at first up to one too large or too small. Which,
    // the remainder tells: it is small, so that computing it modulo 2^64 is exact.
    const std::uint64_t dividend = mantissa_of(x);
    const std::uint64_t divisor = mantissa_of(y);
    std::uint64_t quotient = multiply_high(dividend << 11, reciprocal(divisor << 11)) >> 8;
    std::uint64_t rest = (dividend << 54) - quotient * divisor;
    const std::uint64_t above = rest >> 63;
    quotient -= above;
    rest += divisor & crypto::mask_from_bit(above);
    const std::uint64_t below = ((rest - divisor) >> 63) ^ 1;
    quotient += below;
    rest -= divisor & crypto::mask_from_bit(below);

    quotient = (quotient << 9) | is_nonzero(rest);
    const std::uint64_t carry = quotient >> 63;
    const std::uint64_t exponent = exponent_of(x) - exponent_of(y) + carry;
    return assemble((x.bits ^ y.bits) >> 63, quotient << (1 - carry),
                    static_cast<int>(exponent) + kBias - 1);
  }

  // Requires: x is not negative.
  static EmulatedReal sqrt(EmulatedReal x) {
    // Digit by digit: `rest` is what remains of x, doubled at each step instead of halving the
    // digit twice. An odd exponent lends its factor 2 to the mantissa.
    const std::uint64_t biased = exponent_of(x);
    std::uint64_t rest = mantissa_of(x) << (2 - (biased & 1));
    std::uint64_t root = 0;
    for (std::uint64_t digit = std::uint64_t{1} << 53; digit != 0; digit >>= 1) {
      const std::uint64_t step = (root << 1) + digit;
      const std::uint64_t fits = crypto::mask_from_bit(((rest - step) >> 63) ^ 1);
      root += digit & fits;
      rest = (rest - (step & fits)) << 1;
    }
    return assemble(x.bits >> 63, (root << 10) | is_nonzero(rest),
                    static_cast<int>((biased + kBias) >> 1));
  }

  // The nearest integer, ties to even. Requires: |x| < 2^63, here and below.
  static std::int64_t rint(EmulatedReal x) {
    const Fixed f = fixed_of(x);
    const std::uint64_t lost = (f.size << 1) << (63 - f.shift);
    const std::uint64_t whole = f.size >> f.shift;
    const std::uint64_t up = (lost >> 63) & (is_nonzero(lost << 1) | (whole & 1));
    return static_cast<std::int64_t>(negated_if(whole + up, x.bits >> 63));
  }

  static std::int64_t floor(EmulatedReal x) {
    const Fixed f = fixed_of(x);
    return static_cast<std::int64_t>(negated_if(f.size, x.bits >> 63)) >> f.shift;
  }

  static std::int64_t trunc(EmulatedReal x) {
    const Fixed f = fixed_of(x);
    return static_cast<std::int64_t>(negated_if(f.size >> f.shift, x.bits >> 63));
  }

  static bool less_than(EmulatedReal x, EmulatedReal y) { return ordered(x) < ordered(y); }

 private:
  static constexpr int kBias = 1023;
  static constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kOne = std::uint64_t{kBias} << 52;
  static constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;

  // x is size · 2^-shift with the sign of x. What lies below the reach of the shift becomes one
  // bit, which only floor() sees.
  struct Fixed {
    std::uint64_t size;
    int shift;
  };

  static std::uint64_t size_of(EmulatedReal x) { return x.bits & ~kSignBit; }
  static std::uint64_t exponent_of(EmulatedReal x) { return (x.bits >> 52) & 0x7FF; }
  // 1 if the value is not 0, otherwise 0.
  static std::uint64_t is_nonzero(std::uint64_t value) {
    return (value | (std::uint64_t{0} - value)) >> 63;
  }
  static std::uint64_t has_value(EmulatedReal x) { return (exponent_of(x) + 0x7FF) >> 11; }
  static std::uint64_t mantissa_of(EmulatedReal x) {
    return (x.bits & kFraction) | (has_value(x) << 52);
  }
  static std::uint64_t negated_if(std::uint64_t value, std::uint64_t bit) {
    return (value ^ crypto::mask_from_bit(bit)) + bit;
  }
  // 2^126 / d, less a few units: of 62 fraction bits, 58 are right. Requires: d >= 2^63.
  static std::uint64_t reciprocal(std::uint64_t d) {
    // A line x is off by a factor 1 - e, |e| <= 1/17, and 1/(1 - e) = (1 + e)(1 + e²)(1 + e⁴)...,
    // of which the first four factors are as good as 1/(1 - e) in 64 bits.
    constexpr std::uint64_t kOffset = 0xB4B4B4B4B4B4B4B4;  // 48/17, with 62 fraction bits
    constexpr std::uint64_t kSlope = 0x7878787878787878;   // 32/17
    std::uint64_t x = kOffset - multiply_high(d, kSlope);
    const std::uint64_t e = kFixedOne - multiply_high(d, x);  // two's complement
    const std::uint64_t e2 = fixed_square(e);
    const std::uint64_t e4 = fixed_square(e2);
    const std::uint64_t e8 = fixed_square(e4);
    x = fixed_product(x, kFixedOne + e);
    x = fixed_product(x, kFixedOne + e2);
    x = fixed_product(x, kFixedOne + e4);
    return fixed_product(x, kFixedOne + e8);
  }
  // With 62 fraction bits.
  static constexpr std::uint64_t kFixedOne = std::uint64_t{1} << 62;
  static std::uint64_t fixed_product(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>((Uint128{a} * b) >> 62);
  }
  static std::uint64_t fixed_square(std::uint64_t e) {
    const std::uint64_t size = negated_if(e, e >> 63);
    return fixed_product(size, size);
  }
  static std::int64_t ordered(EmulatedReal x) {
    return static_cast<std::int64_t>(negated_if(size_of(x), x.bits >> 63));
  }

  static Fixed fixed_of(EmulatedReal x) {
    const std::uint64_t size = mantissa_of(x) << 10;
    const std::uint64_t shift = kBias + 62 - exponent_of(x);
    const std::uint64_t far = crypto::mask_from_bit((63 - shift) >> 63);
    return {(size & ~far) | (is_nonzero(size) & far),
            static_cast<int>((shift & ~far) | (63 & far))};
  }

  // The number ±mantissa · 2^(exponent - bias - 63), rounded. The mantissa has bit 63 set, or is
  // zero and gives a zero.
  static EmulatedReal assemble(std::uint64_t sign, std::uint64_t mantissa, int exponent) {
    const std::uint64_t kept = mantissa >> 11;
    const std::uint64_t up = ((mantissa & 0x7FF) + 0x3FF + (kept & 1)) >> 11;
    // The leading bit of `kept` adds one to the exponent; so does a carry out of rounding.
    const std::uint64_t size = (static_cast<std::uint64_t>(exponent - 1) << 52) + kept + up;
    return {(sign << 63) | (size & crypto::mask_from_bit(mantissa >> 63))};
  }
};

}  // namespace hm::falcon
