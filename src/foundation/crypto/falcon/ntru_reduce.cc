// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/ntru_reduce.h"

#include <algorithm>
#include <cstddef>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/fft.h"

namespace hm::falcon {
namespace {

// Highest limbs of a value that its approximation is made of: 310 bits keep squares and quotients
// far inside the range of binary64.
constexpr std::size_t kWindowLimbs = 10;
// Bits by which one repetition shortens F and G, at least.
constexpr int kBitsPerRound = 25;
// How far a length may be from its average, in standard deviations.
constexpr int kDeviations = 6;
// Bits by which F and G may exceed f and g times the scale after a repetition: a rounding error of
// 1/2 in each of n coefficients of k adds up to half the bits of n.
constexpr int kRoundingBits = 10;

BigInts window(BigInts integers) {
  return integers.from(integers.length - std::min(integers.length, kWindowLimbs));
}

int bits_below_window(BigInts integers) {
  return static_cast<int>((integers.length - window(integers).length) * kLimbBits);
}

// f and g in real numbers, and the quotients of F and G by them.
template <RealBackEnd Real>
class Reduction {
 public:
  Reduction(BigInts fg, ReduceMemory<Real>& memory)
      : degree_(fg.count / 2),
        fg_scale_(bits_below_window(fg)),
        f_(std::span(memory.f).first(degree_)),
        g_(std::span(memory.g).first(degree_)),
        big_f_(std::span(memory.big_f).first(degree_)),
        big_g_(std::span(memory.big_g).first(degree_)),
        inverse_norm_(std::span(memory.inverse_norm).first(degree_ / 2)),
        k_(std::span(memory.k).first(degree_)) {
    approximate_pair(fg, f_, g_);
    Fft<Real>::inverse_norm(inverse_norm_, f_, g_);
    Fft<Real>::adjoint(f_);
    Fft<Real>::adjoint(g_);
  }

  // k = (F f* + G g*) / (f f* + g g*), scaled down by 2^scale and rounded (Algorithm 7 line 2).
  // False if a coefficient does not fit 32 bits.
  bool divide(BigInts big_fg, int scale) {
    approximate_pair(big_fg, big_f_, big_g_);
    Fft<Real>::multiply(big_f_, f_);
    Fft<Real>::multiply(big_g_, g_);
    Fft<Real>::add(big_g_, big_f_);
    Fft<Real>::multiply_by_self_adjoint(big_g_, inverse_norm_);
    Fft<Real>::inverse(big_g_);

    const Real factor = Real::scaled(1, bits_below_window(big_fg) - fg_scale_ - scale);
    Fft<Real>::multiply_constant(big_g_, factor);
    if (!all_below<Real>(big_g_, Real::of((std::int64_t{1} << 31) - 1))) return false;
    std::ranges::transform(big_g_, k_.begin(), [](Real quotient) {
      return static_cast<std::int32_t>(Real::rint(quotient));
    });
    return true;
  }

  Multiplier k() const { return k_; }

 private:
  void approximate_pair(BigInts pair, std::span<Real> first, std::span<Real> second) {
    const BigInts high = window(pair);
    approximate(high, 0, first);
    approximate(high, degree_, second);
    Fft<Real>::forward(first);
    Fft<Real>::forward(second);
  }

  std::size_t degree_;
  int fg_scale_;
  std::span<Real> f_, g_, big_f_, big_g_, inverse_norm_;
  std::span<std::int32_t> k_;
};

// product = k·f and k·g; at small depths from transforms made once.
template <RealBackEnd Real>
class Multiplication {
 public:
  Multiplication(NtruTower& tower, unsigned depth, ReduceMemory<Real>& memory)
      : fg_(tower.fg(depth)),
        product_{memory.product.data(), fg_.count, product_limbs(depth)},
        transforms_{memory.transforms.data(), fg_.count, product_limbs(depth)},
        memory_(memory.multiplication),
        transformed_(depth <= kDeepestTransform) {
    if (transformed_) transform_pair(fg_, transforms_);
  }

  BigInts by(Multiplier k) {
    if (transformed_) {
      multiply_transforms(k, transforms_, product_, memory_);
    } else {
      multiply_directly(k, fg_, product_, memory_);
    }
    return product_;
  }

 private:
  BigInts fg_, product_, transforms_;
  ProductMemory& memory_;
  bool transformed_;
};

}  // namespace

template <RealBackEnd Real>
void approximate(BigInts integers, std::size_t first, std::span<Real> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    // The absolute value limb by limb, each with the sign of the whole.
    const std::uint32_t flip = sign_limb(integers.row(integers.length - 1)[first + i]);
    const std::uint32_t negative = flip & 1;
    std::uint32_t carry = negative;
    Real sum = Real::of(0);
    for (std::size_t w = 0; w < integers.length; ++w) {
      const std::uint32_t limb = (integers.row(w)[first + i] ^ flip) + carry;
      carry = limb >> kLimbBits;
      const std::uint32_t size = limb & kLimbMask;
      const auto value = static_cast<std::int32_t>((size ^ (0u - negative)) + negative);
      sum = Real::add(sum, Real::scaled(value, static_cast<int>(kLimbBits * w)));
    }
    out[i] = sum;
  }
}

template <RealBackEnd Real>
bool all_below(std::span<const Real> values, Real limit) {
  bool below = true;
  for (const Real value : values) {
    below &= Real::less_than(value, limit);
    below &= Real::less_than(Real::neg(limit), value);
  }
  return crypto::declassified(below);
}

template <RealBackEnd Real>
bool reduce(NtruTower& tower, unsigned depth, ReduceMemory<Real>& memory) {
  const BigInts big_fg = tower.unreduced(depth);
  const BigInts reduced = tower.reduced(depth);
  const int deviation = kDeviations * kBitLength[depth].deviation;
  const int shortest_fg = kBitLength[depth].average - deviation;
  const int longest_fg = kBitLength[depth].average + deviation;

  Reduction<Real> reduction(tower.fg(depth), memory);
  Multiplication<Real> multiplication(tower, depth, memory);
  // What F and G can still be long, in limbs and bits; and the scale of k, which falls to 0.
  std::size_t length = big_fg.length;
  int longest = static_cast<int>(kLimbBits * length);
  int scale = longest - shortest_fg;
  for (;; scale = std::max(scale - kBitsPerRound, 0)) {
    const BigInts rest = big_fg.first(length);
    if (!reduction.divide(rest, scale)) return false;
    subtract_scaled(rest, multiplication.by(reduction.k()), static_cast<unsigned>(scale));

    const int now = scale + longest_fg + kRoundingBits;
    if (now < longest) {
      longest = now;
      if (static_cast<int>(kLimbBits * length) >= longest + static_cast<int>(kLimbBits)) --length;
    }
    if (scale == 0) break;
  }
  if (length < reduced.length) extend_sign(big_fg.first(reduced.length), length);
  std::copy_n(big_fg.limbs, reduced.size(), reduced.limbs);
  return true;
}

template bool all_below(std::span<const EmulatedReal>, EmulatedReal);
template bool all_below(std::span<const HardwareReal>, HardwareReal);
template void approximate(BigInts, std::size_t, std::span<EmulatedReal>);
template void approximate(BigInts, std::size_t, std::span<HardwareReal>);
template bool reduce(NtruTower&, unsigned, ReduceMemory<EmulatedReal>&);
template bool reduce(NtruTower&, unsigned, ReduceMemory<HardwareReal>&);

}  // namespace hm::falcon
