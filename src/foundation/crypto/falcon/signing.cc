// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/signing.h"

#include <algorithm>
#include <bit>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/ff_sampling.h"
#include "foundation/crypto/falcon/fft.h"
#include "foundation/crypto/falcon/secret_buffer.h"

namespace hm::falcon {
namespace {

template <RealBackEnd Real>
class Signing {
  using F = Fft<Real>;
  using Polynomial = SecretBuffer<Real>;

 public:
  // The basis in FFT representation.
  explicit Signing(const SecretBasis& basis) {
    load(b00_, basis.g);
    load(b01_, basis.f);
    load(b10_, basis.big_g);
    load(b11_, basis.big_f);
    F::neg(b01_);
    F::neg(b11_);
  }

  // One vector for c; false if it is too long.
  bool attempt(ResidueView c, Prng& prng, ShortSpan s2) {
    set_gram_matrix();
    set_target(c);
    Sampler<Real> sampler(prng);
    ff_sampling<Real>(sampler, t0_, t1_, g00_, g01_, g11_, scratch_);
    to_lattice_point();
    return crypto::declassified(difference(c, s2) <= kNormBound);
  }

 private:
  static void load(Polynomial& to, SmallView from) {
    std::ranges::transform(from, to.begin(), [](std::int8_t x) { return Real::of(x); });
    F::forward(to);
  }

  // G = B B* (section 3.8.3). A factor that is multiplied in place goes through t0 and t1.
  void set_gram_matrix() {
    self_product(g00_, b00_, b01_);
    std::ranges::copy(b00_, t1_.begin());
    F::multiply_adjoint(t1_, b10_);
    std::ranges::copy(b01_, g01_.begin());
    F::multiply_adjoint(g01_, b11_);
    F::add(g01_, t1_);
    self_product(g11_, b10_, b11_);
  }

  void self_product(Polynomial& to, const Polynomial& a, const Polynomial& b) {
    std::ranges::copy(a, to.begin());
    F::multiply_self_adjoint(to);
    std::ranges::copy(b, t0_.begin());
    F::multiply_self_adjoint(t0_);
    F::add(to, t0_);
  }

  // (c, 0) B^-1 (Algorithm 10, line 3); the determinant of B is q.
  void set_target(ResidueView c) {
    constexpr double kInverseModulus = 1.0 / kModulus;
    const Real inverse = Real::from_bits(std::bit_cast<std::uint64_t>(kInverseModulus));
    std::ranges::transform(c, t0_.begin(), [](Residue x) { return Real::of(x); });
    F::forward(t0_);
    std::ranges::copy(t0_, t1_.begin());
    F::multiply(t1_, b01_);
    F::multiply_constant(t1_, Real::neg(inverse));
    F::multiply(t0_, b11_);
    F::multiply_constant(t0_, inverse);
  }

  // (t0, t1) B, in coefficients.
  void to_lattice_point() {
    const auto first = scratch(0), second = scratch(1);
    std::ranges::copy(t0_, first.begin());
    F::multiply(first, b00_);
    std::ranges::copy(t1_, second.begin());
    F::multiply(second, b10_);
    F::add(first, second);
    std::ranges::copy(t0_, second.begin());
    F::multiply(second, b01_);
    std::ranges::copy(first, t0_.begin());
    F::multiply(t1_, b11_);
    F::add(t1_, second);
    F::inverse(t0_);
    F::inverse(t1_);
  }

  // s = (c, 0) - (t0, t1): its s2, and its squared norm. An s2 beyond 16 bits is cut, and its norm
  // is beyond the bound.
  std::uint64_t difference(ResidueView c, ShortSpan s2) const {
    std::uint64_t norm = 0;
    for (std::size_t i = 0; i < kDegree; ++i) {
      const std::int64_t x1 = c[i] - Real::rint(t0_[i]);
      const std::int64_t x2 = -Real::rint(t1_[i]);
      norm += static_cast<std::uint64_t>(x1 * x1 + x2 * x2);
      s2[i] = static_cast<std::int16_t>(x2);
    }
    return norm;
  }

  std::span<Real> scratch(std::size_t i) {
    return std::span<Real>(scratch_).subspan(i * kDegree, kDegree);
  }

  Polynomial b00_{kDegree}, b01_{kDegree}, b10_{kDegree}, b11_{kDegree};
  Polynomial g00_{kDegree}, g01_{kDegree}, g11_{kDegree};
  Polynomial t0_{kDegree}, t1_{kDegree};
  Polynomial scratch_{ff_sampling_scratch(kDegree)};
};

}  // namespace

template <RealBackEnd Real>
void sample_short(const SecretBasis& basis, ResidueView c, keccak::Shake256& source, ShortSpan s2) {
  Signing<Real> signing(basis);
  for (;;) {
    Prng prng(source);
    if (signing.attempt(c, prng, s2)) break;
  }
  crypto::declassify({reinterpret_cast<const std::uint8_t*>(s2.data()), s2.size_bytes()});
}

template void sample_short<EmulatedReal>(const SecretBasis&, ResidueView, keccak::Shake256&,
                                         ShortSpan);
template void sample_short<HardwareReal>(const SecretBasis&, ResidueView, keccak::Shake256&,
                                         ShortSpan);

}  // namespace hm::falcon
