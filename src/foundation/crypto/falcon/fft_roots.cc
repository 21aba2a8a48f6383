// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/fft_roots.h"

#include <bit>

#include "foundation/crypto/falcon/wide_integer.h"

namespace hm::falcon {
namespace {

// Numbers of [0, 1] with 127 fraction bits. The recurrence below loses at most a few units of the
// last place at each of 256 steps; 118 correct bits are enough to round 53 of them correctly.
constexpr int kFractionBits = 127;
constexpr Uint128 kFixedOne = Uint128{1} << kFractionBits;
// The first 128 fraction bits of π/4.
constexpr Uint128 kQuarterPi = (Uint128{0xC90FDAA22168C234} << 64) | 0xC4C6628B80DC1CD1;

constexpr Uint128 multiply(Uint128 a, Uint128 b) {
  const Uint128 low_mask = ~std::uint64_t{0};
  const Uint128 a0 = a & low_mask, a1 = a >> 64, b0 = b & low_mask, b1 = b >> 64;
  const Uint128 middle = a1 * b0 + ((a0 * b0) >> 64);  // each factor below 2^64: no overflow
  const Uint128 cross = a0 * b1 + (middle & low_mask);
  return (a1 * b1 + (middle >> 64) + (cross >> 64)) << 1;
}

struct Point {
  Uint128 cosine;
  Uint128 sine;
};

// The Taylor series of sine and cosine at π/1024, whose terms shrink 326-fold and more.
constexpr Point first_point() {
  const Uint128 angle = kQuarterPi >> (1 + kLogDegree - 2);
  Point p{0, 0};
  Uint128 term = kFixedOne;
  for (unsigned i = 0; term != 0; term = multiply(term, angle) / ++i) {
    Uint128& sum = i % 2 == 0 ? p.cosine : p.sine;
    sum = i % 4 < 2 ? sum + term : sum - term;
  }
  return p;
}

constexpr std::uint64_t nearest_binary64(Uint128 fixed) {
  if (fixed == 0) return 0;
  const int length = fixed >> 64 != 0
                         ? 128 - std::countl_zero(static_cast<std::uint64_t>(fixed >> 64))
                         : 64 - std::countl_zero(static_cast<std::uint64_t>(fixed));
  const int dropped = length - 53;
  const auto mantissa = static_cast<std::uint64_t>(fixed >> dropped);
  const auto half_up = static_cast<std::uint64_t>(fixed >> (dropped - 1)) & 1;
  const int exponent = 1023 + length - 1 - kFractionBits;
  return (static_cast<std::uint64_t>(exponent - 1) << 52) + mantissa + half_up;
}

constexpr std::array<RootBits, kDegree> compute_roots() {
  constexpr std::size_t kEighth = kDegree / 4;  // w^kEighth is at 45 degrees
  constexpr std::uint64_t kMinus = std::uint64_t{1} << 63;
  const Point step = first_point();
  std::array<RootBits, kEighth + 1> octant{};
  Point p{kFixedOne, 0};
  for (RootBits& root : octant) {
    root = {nearest_binary64(p.cosine), nearest_binary64(p.sine)};
    p = {multiply(p.cosine, step.cosine) - multiply(p.sine, step.sine),
         multiply(p.cosine, step.sine) + multiply(p.sine, step.cosine)};
  }
  std::array<RootBits, kDegree> roots{};
  for (std::size_t k = 0; k < kDegree; ++k) {
    const std::size_t from_axis = k <= kDegree / 2 ? k : kDegree - k;  // mirrored at 90 degrees
    RootBits root = octant[from_axis <= kEighth ? from_axis : kDegree / 2 - from_axis];
    if (from_axis > kEighth) root = {root.imaginary, root.real};
    if (k > kDegree / 2) root.real |= kMinus;
    std::size_t reversed = 0;
    for (std::size_t b = 0; b < kLogDegree; ++b) {
      reversed |= ((k >> b) & 1) << (kLogDegree - 1 - b);
    }
    roots[reversed] = root;
  }
  return roots;
}

}  // namespace

constinit const std::array<RootBits, kDegree> fft_roots = compute_roots();

}  // namespace hm::falcon
