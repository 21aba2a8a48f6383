// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/ntru_top.h"

#include <cstddef>
#include <span>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/fft.h"
#include "foundation/crypto/falcon/ntru_reduce.h"
#include "foundation/crypto/falcon/small_primes_ntt.h"

namespace hm::falcon {
namespace {

// rint() needs |x| < 2^63.
constexpr int kRoundingBits = 63;

// Rounds to limbs; false if one is too long.
template <RealBackEnd Real>
bool to_limbs(std::span<const Real> values, std::span<std::uint32_t> limbs) {
  if (!all_below(values, Real::scaled(1, kLimbBits - 1))) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    limbs[i] = static_cast<std::uint32_t>(Real::rint(values[i])) & kLimbMask;
  }
  return true;
}

// a·b* + c·d* in the transform: the adjoint of d takes the values of d at the inverse roots, which
// stand in reverse order.
void multiply_adjoint(const SmallPrime& prime, std::span<const std::uint32_t> a,
                      std::span<const std::uint32_t> b, std::span<const std::uint32_t> c,
                      std::span<const std::uint32_t> d, std::span<std::uint32_t> out) {
  const std::size_t last = a.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    out[i] = prime.add(prime.mul_plain(a[i], b[last - i]), prime.mul_plain(c[i], d[last - i]));
  }
}

template <RealBackEnd Real>
void to_reals(const SmallNtt& ntt, std::span<std::uint32_t> transform, std::span<Real> out) {
  ntt.inverse(transform);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = Real::of(ntt.prime().to_signed(transform[i]));
  }
  Fft<Real>::forward(out);
}

// Secret keys hold F without the value that has no negative (§3.11.5); G has the same bound.
bool to_small(const SmallPrime& prime, std::span<const std::uint32_t> values, SmallPoly& out) {
  constexpr std::int32_t kLimit = (1 << (kLargeBits - 1)) - 1;
  std::int32_t outside = 0;  // negative if a coefficient is
  for (std::size_t i = 0; i < kDegree; ++i) {
    const std::int32_t value = prime.to_signed(values[i]);
    outside |= (kLimit - value) | (kLimit + value);
    out[i] = static_cast<std::int8_t>(value);
  }
  return crypto::declassified(outside >= 0);
}

}  // namespace

template <RealBackEnd Real>
bool reduce_next_to_top(NtruTower& tower, NextToTopMemory<Real>& memory) {
  auto& [f, g, big_f, big_g, k, inverse_norm] = memory;
  constexpr std::size_t kN = degree_at(1);
  approximate<Real>(tower.unreduced(1), 0, big_f);
  approximate<Real>(tower.unreduced(1), kN, big_g);
  approximate<Real>(tower.fg(1), 0, f);
  approximate<Real>(tower.fg(1), kN, g);
  for (auto* poly : {&f, &g, &big_f, &big_g}) Fft<Real>::forward(*poly);

  // k = (F f* + G g*) / (f f* + g g*), rounded (Algorithm 7 line 2).
  Fft<Real>::add_multiply_adjoint(k, big_f, big_g, f, g);
  Fft<Real>::inverse_norm(inverse_norm, f, g);
  Fft<Real>::multiply_by_self_adjoint(k, inverse_norm);
  Fft<Real>::inverse(k);
  if (!all_below<Real>(k, Real::scaled(1, kRoundingBits))) return false;
  for (Real& value : k) value = Real::of(Real::rint(value));
  Fft<Real>::forward(k);

  Fft<Real>::multiply(f, k);
  Fft<Real>::multiply(g, k);
  Fft<Real>::sub(big_f, f);
  Fft<Real>::sub(big_g, g);
  Fft<Real>::inverse(big_f);
  Fft<Real>::inverse(big_g);
  const auto solution = tower.reduced(1).row(0);
  return to_limbs<Real>(big_f, solution.first(kN)) && to_limbs<Real>(big_g, solution.last(kN));
}

template <RealBackEnd Real>
bool reduce_top(NtruTower& tower, SmallPoly& big_f, SmallPoly& big_g, TopMemory<Real>& memory) {
  const SmallPrime& prime = small_primes()[0];
  const SmallNtt ntt(prime, kDegree);
  const auto f = std::span(tower.above).first(kDegree);
  const auto g = std::span(tower.above).last(kDegree);
  residues(tower.fg(0), prime, tower.above);
  const auto upper_f = std::span(memory.big_fg).first(kDegree);
  const auto upper_g = std::span(memory.big_fg).last(kDegree);
  residues(tower.unreduced(0), prime, memory.big_fg);
  for (const auto poly : {f, g, upper_f, upper_g}) ntt.forward(poly);

  // k as at depth 1, but dividend and divisor are exact.
  const auto k = std::span(memory.residues);
  multiply_adjoint(prime, upper_f, f, upper_g, g, k);
  to_reals<Real>(ntt, k, memory.dividend);
  multiply_adjoint(prime, f, f, g, g, k);
  to_reals<Real>(ntt, k, memory.divisor);
  Fft<Real>::divide_by_self_adjoint(memory.dividend, memory.divisor);
  Fft<Real>::inverse(memory.dividend);
  if (!all_below<Real>(memory.dividend, Real::scaled(1, kLimbBits))) return false;
  for (std::size_t i = 0; i < kDegree; ++i) {
    k[i] = prime.from_signed(static_cast<std::int32_t>(Real::rint(memory.dividend[i])));
  }

  ntt.forward(k);
  for (std::size_t i = 0; i < kDegree; ++i) {
    const std::uint32_t factor = prime.to_montgomery(k[i]);
    upper_f[i] = prime.sub(upper_f[i], prime.mul(f[i], factor));
    upper_g[i] = prime.sub(upper_g[i], prime.mul(g[i], factor));
  }
  ntt.inverse(upper_f);
  ntt.inverse(upper_g);
  return to_small(prime, upper_f, big_f) && to_small(prime, upper_g, big_g);
}

template bool reduce_next_to_top(NtruTower&, NextToTopMemory<EmulatedReal>&);
template bool reduce_next_to_top(NtruTower&, NextToTopMemory<HardwareReal>&);
template bool reduce_top(NtruTower&, SmallPoly&, SmallPoly&, TopMemory<EmulatedReal>&);
template bool reduce_top(NtruTower&, SmallPoly&, SmallPoly&, TopMemory<HardwareReal>&);

}  // namespace hm::falcon
