// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/ff_sampling.h"

#include <algorithm>
#include <bit>

#include "foundation/crypto/falcon/fft.h"

namespace hm::falcon {
namespace {

// 1/σ for n = 1024 (table 3.3).
constexpr double kInverseSigma = 0.00593864530953311599503;

template <RealBackEnd Real>
void sample_leaf(Sampler<Real>& sampler, Real& t0, Real& t1, Real g00) {
  // The deviation at a leaf is σ / √d (Algorithm 4, line 7).
  const Real inverse_sigma =
      Real::mul(Real::sqrt(g00), Real::from_bits(std::bit_cast<std::uint64_t>(kInverseSigma)));
  t0 = Real::of(sampler.sample(t0, inverse_sigma));
  t1 = Real::of(sampler.sample(t1, inverse_sigma));
}

}  // namespace

template <RealBackEnd Real>
void ff_sampling(Sampler<Real>& sampler, std::span<Real> t0, std::span<Real> t1,
                 std::span<Real> g00, std::span<Real> g01, std::span<Real> g11,
                 std::span<Real> scratch) {
  using F = Fft<Real>;
  const std::size_t n = t0.size();
  if (n == 1) {
    sample_leaf(sampler, t0[0], t1[0], g00[0]);
    return;
  }
  const auto low = [n](std::span<Real> x) { return x.first(n / 2); };
  const auto high = [n](std::span<Real> x) { return x.subspan(n / 2, n / 2); };
  const auto l10 = scratch.subspan(0, n), halves = scratch.subspan(n, n),
             z1 = scratch.subspan(2 * n, n);

  // Algorithm 9, lines 8 to 10: the diagonal of D, split, gives the Gram matrices of the children,
  // whose two diagonal elements are equal: [d0 d1; d1* d0].
  F::ldl(g00, g01, g11);
  std::ranges::copy(g01, l10.begin());
  F::split(low(halves), high(halves), g00);
  std::ranges::copy(halves, g00.begin());
  F::split(low(halves), high(halves), g11);
  std::ranges::copy(halves, g11.begin());
  std::ranges::copy(low(g00), low(g01).begin());
  std::ranges::copy(low(g11), high(g01).begin());

  // Algorithm 11, lines 7 to 9: the second coordinate, by the right child.
  const auto deeper = scratch.subspan(2 * n);
  F::split(low(halves), high(halves), t1);
  ff_sampling(sampler, low(halves), high(halves), low(g11), high(g11), high(g01), deeper);
  F::merge(z1, low(halves), high(halves));

  // Line 10: t0 + (t1 - z1) l10.
  F::sub(t1, z1);
  F::multiply(l10, t1);
  F::add(t0, l10);
  std::ranges::copy(z1, t1.begin());

  // Lines 11 to 13: the first coordinate, by the left child.
  F::split(low(halves), high(halves), t0);
  ff_sampling(sampler, low(halves), high(halves), low(g00), high(g00), low(g01), deeper);
  F::merge(t0, low(halves), high(halves));
}

template void ff_sampling(Sampler<EmulatedReal>&, std::span<EmulatedReal>, std::span<EmulatedReal>,
                          std::span<EmulatedReal>, std::span<EmulatedReal>, std::span<EmulatedReal>,
                          std::span<EmulatedReal>);
template void ff_sampling(Sampler<HardwareReal>&, std::span<HardwareReal>, std::span<HardwareReal>,
                          std::span<HardwareReal>, std::span<HardwareReal>, std::span<HardwareReal>,
                          std::span<HardwareReal>);

}  // namespace hm::falcon
