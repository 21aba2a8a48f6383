// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/big_int_bezout.h"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "foundation/crypto/constant_time.h"

namespace hm::falcon {
namespace {

using crypto::mask_from_bit;
using crypto::select;

// One step halves a or b, whichever is even; if neither is, the smaller is first subtracted from
// the larger. Which of the three it is depends on the lowest bits and, nearly always, the highest.
constexpr unsigned kSteps = kLimbBits;
// Bits by which kSteps steps shorten a and b together, at least: the window of the highest bits may
// mislead one of them.
constexpr std::size_t kProgress = 30;
constexpr std::size_t kRounds = (kResultantLimbs * 2 * kLimbBits + kProgress) / kProgress;
constexpr unsigned kRoundBits = std::bit_width(kRounds) - 1;

// What kSteps steps come to: a becomes (a·aa + b·ab) / 2^31 and b becomes (a·ba + b·bb) / 2^31.
// |aa| + |ab| and |ba| + |bb| are at most 2^31.
struct Factors {
  std::uint64_t aa, ab, ba, bb;  // two's complement

  void negate_a(std::uint64_t mask) {
    aa = (aa ^ mask) - mask;
    ab = (ab ^ mask) - mask;
  }
  void negate_b(std::uint64_t mask) {
    ba = (ba ^ mask) - mask;
    bb = (bb ^ mask) - mask;
  }
};

// The highest 62 bits of a and of b, cut at the same place, and the lowest 31.
struct Window {
  std::uint64_t a_high, b_high;
  std::uint64_t a_low, b_low;
};

std::uint64_t signed_shift(std::uint64_t value) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value) >> kLimbBits);
}

// Looks for the highest limb that is not zero in both; it and the next one are the window. If only
// the lowest is left, that is the window.
Window window_of(const Resultant& a, const Resultant& b) {
  std::uint64_t a_first = 0;
  std::uint64_t a_second = 0;
  std::uint64_t b_first = 0;
  std::uint64_t b_second = 0;
  std::uint64_t seeks_first = ~std::uint64_t{0};
  std::uint64_t seeks_second = ~std::uint64_t{0};
  for (std::size_t w = kResultantLimbs; w-- > 0;) {
    const std::uint64_t a_limb = a[w];
    const std::uint64_t b_limb = b[w];
    a_first = select(seeks_first, a_limb, a_first);
    b_first = select(seeks_first, b_limb, b_first);
    a_second = select(seeks_second, a_limb, a_second);
    b_second = select(seeks_second, b_limb, b_second);
    seeks_second = seeks_first;
    seeks_first &= ~crypto::mask_if_nonzero(a_limb | b_limb);
  }
  return {((a_first & ~seeks_second) << kLimbBits) | a_second,
          ((b_first & ~seeks_second) << kLimbBits) | b_second, a[0], b[0]};
}

Factors factors_of(Window w) {
  Factors f{1, 0, 0, 1};
  for (unsigned i = 0; i < kSteps; ++i) {
    // The low bits of the value that is not halved are doubled instead, so that the next bit to
    // look at is at place i in both.
    const std::uint64_t a_odd = (w.a_low >> i) & 1;
    const std::uint64_t b_odd = (w.b_low >> i) & 1;
    const std::uint64_t a_larger = (w.b_high - w.a_high) >> 63;
    const std::uint64_t from_a = mask_from_bit(a_odd & b_odd & a_larger);
    const std::uint64_t from_b = mask_from_bit(a_odd & b_odd & (a_larger ^ 1));
    w.a_low -= w.b_low & from_a;
    w.a_high -= w.b_high & from_a;
    f.aa -= f.ba & from_a;
    f.ab -= f.bb & from_a;
    w.b_low -= w.a_low & from_b;
    w.b_high -= w.a_high & from_b;
    f.ba -= f.aa & from_b;
    f.bb -= f.ab & from_b;

    const std::uint64_t halves_a = from_a | mask_from_bit(a_odd ^ 1);
    const std::uint64_t halves_b = ~halves_a;
    w.a_high = select(halves_a, w.a_high >> 1, w.a_high);
    w.b_low += w.b_low & halves_a;
    f.ba += f.ba & halves_a;
    f.bb += f.bb & halves_a;
    w.b_high = select(halves_b, w.b_high >> 1, w.b_high);
    w.a_low += w.a_low & halves_b;
    f.aa += f.aa & halves_b;
    f.ab += f.ab & halves_b;
  }
  return f;
}

void negate_if(Resultant& value, std::uint64_t mask) {
  std::uint64_t carry = mask & 1;
  for (std::uint32_t& limb : value) {
    const std::uint64_t flipped = (limb ^ (mask & kLimbMask)) + carry;
    limb = static_cast<std::uint32_t>(flipped) & kLimbMask;
    carry = flipped >> kLimbBits;
  }
}

// Applies the factors to a and b. Where the window misled, a result is negative: it is negated, and
// so are its factors, which makes the step one that the window did allow.
void reduce(Resultant& a, Resultant& b, Factors& f) {
  std::uint64_t a_carry = 0;
  std::uint64_t b_carry = 0;
  for (std::size_t w = 0; w < kResultantLimbs; ++w) {
    const std::uint64_t a_sum = a[w] * f.aa + b[w] * f.ab + a_carry;
    const std::uint64_t b_sum = a[w] * f.ba + b[w] * f.bb + b_carry;
    if (w > 0) {
      a[w - 1] = static_cast<std::uint32_t>(a_sum) & kLimbMask;
      b[w - 1] = static_cast<std::uint32_t>(b_sum) & kLimbMask;
    }
    a_carry = signed_shift(a_sum);
    b_carry = signed_shift(b_sum);
  }
  a[kResultantLimbs - 1] = static_cast<std::uint32_t>(a_carry);
  b[kResultantLimbs - 1] = static_cast<std::uint32_t>(b_carry);

  const std::uint64_t a_negative = mask_from_bit(a_carry >> 63);
  const std::uint64_t b_negative = mask_from_bit(b_carry >> 63);
  negate_if(a, a_negative);
  negate_if(b, b_negative);
  f.negate_a(a_negative);
  f.negate_b(b_negative);
}

// Applies the factors to s and t modulo the odd m: four Montgomery multiplications by one limb.
// m_inverse is -1/m modulo 2^31. Nothing is brought back below m: each round can only add m to the
// larger of the two absolute values.
void reduce_modulo(Cofactor& s, Cofactor& t, const Resultant& m, std::uint32_t m_inverse,
                   const Factors& f) {
  const std::uint64_t s_quotient = ((s[0] * f.aa + t[0] * f.ab) * m_inverse) & kLimbMask;
  const std::uint64_t t_quotient = ((s[0] * f.ba + t[0] * f.bb) * m_inverse) & kLimbMask;
  std::uint64_t s_carry = signed_shift(s[0] * f.aa + t[0] * f.ab + m[0] * s_quotient);
  std::uint64_t t_carry = signed_shift(s[0] * f.ba + t[0] * f.bb + m[0] * t_quotient);
  for (std::size_t w = 1; w < kResultantLimbs; ++w) {
    const std::uint64_t s_sum = s[w] * f.aa + t[w] * f.ab + m[w] * s_quotient + s_carry;
    const std::uint64_t t_sum = s[w] * f.ba + t[w] * f.bb + m[w] * t_quotient + t_carry;
    s[w - 1] = static_cast<std::uint32_t>(s_sum) & kLimbMask;
    t[w - 1] = static_cast<std::uint32_t>(t_sum) & kLimbMask;
    s_carry = signed_shift(s_sum);
    t_carry = signed_shift(t_sum);
  }
  const auto s_top = static_cast<std::uint64_t>(signed_limb(s[kResultantLimbs]));
  const auto t_top = static_cast<std::uint64_t>(signed_limb(t[kResultantLimbs]));
  const std::uint64_t s_sum = s_top * f.aa + t_top * f.ab + s_carry;
  const std::uint64_t t_sum = s_top * f.ba + t_top * f.bb + t_carry;
  s[kResultantLimbs - 1] = static_cast<std::uint32_t>(s_sum) & kLimbMask;
  t[kResultantLimbs - 1] = static_cast<std::uint32_t>(t_sum) & kLimbMask;
  s[kResultantLimbs] = static_cast<std::uint32_t>(signed_shift(s_sum)) & kLimbMask;
  t[kResultantLimbs] = static_cast<std::uint32_t>(signed_shift(t_sum)) & kLimbMask;
}

// Limb w of m·2^bits.
std::uint32_t shifted_limb(const Resultant& m, std::size_t w, unsigned bits) {
  const std::uint32_t low = w > 0 ? m[w - 1] : 0;
  const std::uint32_t high = w < kResultantLimbs ? m[w] : 0;
  return ((high << bits) & kLimbMask) | (low >> (kLimbBits - bits));
}

// value += m·2^bits, each limb of the latter first masked and flipped; with `flip`, one is added.
void add_shifted(Cofactor& value, const Resultant& m, unsigned bits, std::uint32_t keep,
                 std::uint32_t flip) {
  std::uint32_t carry = flip & 1;
  for (std::size_t w = 0; w < value.size(); ++w) {
    const std::uint32_t sum = value[w] + ((shifted_limb(m, w, bits) & keep) ^ flip) + carry;
    value[w] = sum & kLimbMask;
    carry = sum >> kLimbBits;
  }
}

// The value modulo m, from within 2^(kRoundBits + 1)·m of zero: each step comes half as near to
// zero, from either side.
void finish(Cofactor& value, const Resultant& m, Resultant& out) {
  const std::uint32_t& top = value.back();
  for (unsigned bits = kRoundBits + 1; bits-- > 0;) {
    add_shifted(value, m, bits, kLimbMask, sign_limb(top) ^ kLimbMask);
  }
  add_shifted(value, m, 0, sign_limb(top), 0);
  std::copy_n(value.begin(), out.size(), out.begin());
}

std::uint32_t negated_inverse(std::uint32_t odd) {
  std::uint32_t inverse = odd;  // correct to 3 bits; each step doubles them
  for (unsigned bits = 3; bits < kLimbBits; bits *= 2) inverse *= 2 - odd * inverse;
  return 0 - inverse;
}

}  // namespace

// a = x·u0 - y·v0 and b = x·u1 - y·v1 hold throughout modulo y and modulo x. At the end a is the
// common divisor; if that is 1, x·u - y·v is 1 modulo x·y, and 1 because it lies between -x·y and
// x·y and u is not 0.
bool bezout(const Resultant& x, const Resultant& y, Resultant& u, Resultant& v,
            BezoutMemory& memory) {
  auto& [a, b, u0, v0, u1, v1] = memory;
  a = x;
  b = y;
  for (Cofactor* zero : {&u0, &v0, &u1, &v1}) zero->fill(0);
  u0[0] = 1;
  std::copy(y.begin(), y.end(), u1.begin());
  std::copy(x.begin(), x.end(), v1.begin());
  v1[0] -= 1;
  const std::uint32_t x_inverse = negated_inverse(x[0]);
  const std::uint32_t y_inverse = negated_inverse(y[0]);
  for (std::size_t round = 0; round < kRounds; ++round) {
    Factors f = factors_of(window_of(a, b));
    reduce(a, b, f);
    reduce_modulo(u0, u1, y, y_inverse, f);
    reduce_modulo(v0, v1, x, x_inverse, f);
  }
  finish(u0, y, u);
  finish(v0, x, v);
  std::uint64_t wrong = a[0] ^ 1;
  for (std::size_t w = 1; w < kResultantLimbs; ++w) wrong |= a[w];
  return crypto::declassified((~crypto::mask_if_nonzero(wrong) & x[0] & y[0] & 1) != 0);
}

}  // namespace hm::falcon
