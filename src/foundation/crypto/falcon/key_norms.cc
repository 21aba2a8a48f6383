// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/key_norms.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/fft.h"
#include "foundation/crypto/falcon/secret_buffer.h"

namespace hm::falcon {
namespace {

// Secret keys hold f and g without the value that has no negative (§3.11.5).
constexpr std::int32_t kMaxCoefficient = (1 << (kSmallBits - 1)) - 1;
// (1.17·sqrt(q))², in units of 1/10000.
constexpr std::uint32_t kNormUnit = 10'000;
constexpr std::uint32_t kNormLimit = 117 * 117 * kModulus;

bool is_short(SmallView f, SmallView g) {
  std::uint32_t norm = 0;      // at most 2·1024·128^2
  std::uint32_t too_long = 0;  // its highest bit tells
  for (const SmallView poly : {f, g}) {
    for (const std::int8_t coefficient : poly) {
      const std::int32_t value{coefficient};
      norm += static_cast<std::uint32_t>(value * value);
      too_long |= static_cast<std::uint32_t>(kMaxCoefficient - value) |
                  static_cast<std::uint32_t>(kMaxCoefficient + value);
    }
  }
  too_long |= kNormLimit / kNormUnit - norm;
  return crypto::declassified(too_long >> 31) == 0;
}

template <RealBackEnd Real>
SecretBuffer<Real> transformed(SmallView poly) {
  SecretBuffer<Real> f(kDegree);
  std::ranges::transform(poly, f.begin(), [](std::int8_t x) { return Real::of(x); });
  Fft<Real>::forward(f);
  return f;
}

// q f* / (f f* + g g*) and q g* / (f f* + g g*).
template <RealBackEnd Real>
bool is_orthogonal_short(SmallView f, SmallView g) {
  auto a = transformed<Real>(f), b = transformed<Real>(g);
  SecretBuffer<Real> inverse_norm(kDegree / 2);
  Fft<Real>::inverse_norm(inverse_norm, a, b);
  for (auto* poly : {&a, &b}) {
    Fft<Real>::adjoint(*poly);
    Fft<Real>::multiply_constant(*poly, Real::of(kModulus));
    Fft<Real>::multiply_by_self_adjoint(*poly, inverse_norm);
    Fft<Real>::inverse(*poly);
  }
  Real norm = Real::of(0);
  for (std::size_t i = 0; i < kDegree; ++i) {
    norm = Real::add(norm, Real::sqr(a[i]));
    norm = Real::add(norm, Real::sqr(b[i]));
  }
  const Real limit = Real::div(Real::of(kNormLimit), Real::of(kNormUnit));
  return crypto::declassified(Real::less_than(norm, limit));
}

}  // namespace

template <RealBackEnd Real>
bool has_short_basis(SmallView f, SmallView g) {
  return is_short(f, g) && is_orthogonal_short<Real>(f, g);
}

template bool has_short_basis<EmulatedReal>(SmallView, SmallView);
template bool has_short_basis<HardwareReal>(SmallView, SmallView);

}  // namespace hm::falcon
