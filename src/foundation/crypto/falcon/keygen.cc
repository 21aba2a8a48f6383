// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/keygen.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/fft.h"
#include "foundation/crypto/falcon/key_gaussian.h"
#include "foundation/crypto/falcon/mod_q.h"
#include "foundation/crypto/falcon/ntru_solve.h"
#include "foundation/crypto/falcon/secret_buffer.h"
#include "foundation/crypto/wipe.h"

namespace hm::falcon {
namespace {

// Secret keys hold f and g without the value that has no negative (§3.11.5).
constexpr std::int32_t kMaxCoefficient = (1 << (kSmallBits - 1)) - 1;
// Both vectors must be no longer than 1.17·sqrt(q) (Algorithm 5 line 10): squared, and in units of
// 1/10000.
constexpr std::uint32_t kNormUnit = 10'000;
constexpr std::uint32_t kNormLimit = 117 * 117 * kModulus;

template <RealBackEnd Real>
struct KeygenMemory {
  NtruMemory<Real> ntru;
  std::array<Real, kDegree> f, g;
  std::array<Real, kDegree / 2> inverse_norm;
};
static_assert(sizeof(KeygenMemory<EmulatedReal>) <= kKeygenMemory &&
              sizeof(KeygenMemory<HardwareReal>) <= kKeygenMemory);

// Whether every coefficient can be encoded and (g, -f) is short.
bool is_short(const SmallPoly& f, const SmallPoly& g) {
  std::uint32_t norm = 0;      // at most 2·1024·128^2
  std::uint32_t too_long = 0;  // its highest bit tells
  for (const SmallPoly* poly : {&f, &g}) {
    std::ranges::for_each(*poly, [&](std::int32_t value) {
      norm += static_cast<std::uint32_t>(value * value);
      too_long |= static_cast<std::uint32_t>(kMaxCoefficient - value) |
                  static_cast<std::uint32_t>(kMaxCoefficient + value);
    });
  }
  too_long |= kNormLimit / kNormUnit - norm;
  return crypto::declassified(too_long >> 31) == 0;
}

template <RealBackEnd Real>
void load(const SmallPoly& poly, std::span<Real> out) {
  for (std::size_t i = 0; i < kDegree; ++i) out[i] = Real::of(poly[i]);
}

// Whether the second vector of the orthogonalised basis, q f* / (f f* + g g*) and
// q g* / (f f* + g g*), is short.
template <RealBackEnd Real>
bool is_orthogonal_short(const SmallPoly& f, const SmallPoly& g, KeygenMemory<Real>& memory) {
  load<Real>(f, memory.f);
  load<Real>(g, memory.g);
  Fft<Real>::forward(memory.f);
  Fft<Real>::forward(memory.g);
  Fft<Real>::inverse_norm(memory.inverse_norm, memory.f, memory.g);
  for (auto* poly : {&memory.f, &memory.g}) {
    Fft<Real>::adjoint(*poly);
    Fft<Real>::multiply_constant(*poly, Real::of(kModulus));
    Fft<Real>::multiply_by_self_adjoint(*poly, memory.inverse_norm);
    Fft<Real>::inverse(*poly);
  }
  Real norm = Real::of(0);
  for (std::size_t i = 0; i < kDegree; ++i) {
    norm = Real::add(norm, Real::sqr(memory.f[i]));
    norm = Real::add(norm, Real::sqr(memory.g[i]));
  }
  const Real limit = Real::div(Real::of(kNormLimit), Real::of(kNormUnit));
  return crypto::declassified(Real::less_than(norm, limit));
}

}  // namespace

NtruKey::~NtruKey() {
  for (SmallPoly* secret : {&f, &g, &big_f, &big_g}) {
    crypto::wipe({reinterpret_cast<std::uint8_t*>(secret->data()), secret->size()});
  }
}

template <RealBackEnd Real>
NtruKey generate_key(keccak::Shake256& randomness) {
  SecretBuffer<KeygenMemory<Real>> memory(1);
  NtruKey key;
  bool found = false;
  while (!found) {
    sample_key_polynomial(randomness, key.f);
    sample_key_polynomial(randomness, key.g);
    found = is_short(key.f, key.g) && is_orthogonal_short<Real>(key.f, key.g, memory[0]) &&
            compute_public(key.h, key.f, key.g) &&
            solve_ntru(key.f, key.g, key.big_f, key.big_g, memory[0].ntru);
  }
  return key;
}

template NtruKey generate_key<EmulatedReal>(keccak::Shake256&);
template NtruKey generate_key<HardwareReal>(keccak::Shake256&);

}  // namespace hm::falcon
