// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/ntru_tower.h"

#include <span>

#include "foundation/crypto/falcon/small_primes_ntt.h"

namespace hm::falcon {
namespace {

// Transforms the two polynomials of a pair.
void forward(const SmallNtt& ntt, std::span<std::uint32_t> pair) {
  ntt.forward(pair.first(pair.size() / 2));
  ntt.forward(pair.last(pair.size() / 2));
}

void inverse(const SmallNtt& ntt, std::span<std::uint32_t> pair) {
  ntt.inverse(pair.first(pair.size() / 2));
  ntt.inverse(pair.last(pair.size() / 2));
}

}  // namespace

void NtruTower::descend(const SmallPoly& f, const SmallPoly& g) {
  for (std::size_t i = 0; i < kDegree; ++i) {
    norms[i] = static_cast<std::uint32_t>(f[i]) & kLimbMask;
    norms[kDegree + i] = static_cast<std::uint32_t>(g[i]) & kLimbMask;
  }
  for (unsigned depth = 0; depth < kLogDegree; ++depth) {
    const BigInts from = fg(depth);
    const BigInts to = fg(depth + 1);
    const auto values = std::span(above).first(from.count);
    for (std::size_t u = 0; u < to.length; ++u) {
      const SmallPrime& prime = small_primes()[u];
      const SmallNtt ntt(prime, degree_at(depth));
      residues(from, prime, values);
      forward(ntt, values);
      const auto norm = to.row(u);
      for (std::size_t v = 0; v < norm.size(); ++v) {
        norm[v] = prime.mul_plain(values[2 * v], values[2 * v + 1]);
      }
      inverse(ntt, norm);
    }
    // Resultants with X^n + 1 are products of squares of absolute values, so never negative.
    rebuild(to, depth + 1 == kLogDegree ? Sign::Nonnegative : Sign::Signed);
  }
}

// F(x) = F'(x²)·g(-x) and G(x) = G'(x²)·f(-x): with f(x)·f(-x) = f'(x²) and f'G' - g'F' = q this
// gives fG - gF = q.
void NtruTower::lift(unsigned depth) {
  const BigInts from = reduced(depth + 1);
  const BigInts to = unreduced(depth);
  const std::size_t n = degree_at(depth);
  const auto f = std::span(above).first(n);
  const auto g = std::span(above).subspan(n, n);
  const auto pair = std::span(above).first(2 * n);
  const auto deeper = std::span(below).first(n);
  for (std::size_t u = 0; u < to.length; ++u) {
    const SmallPrime prime = small_primes()[u];
    const SmallNtt ntt(prime, n);
    residues(fg(depth), prime, pair);
    forward(ntt, pair);
    residues(from, prime, deeper);
    forward(ntt, deeper);
    const auto big_f = to.row(u).first(n);
    const auto big_g = to.row(u).last(n);
    for (std::size_t v = 0; v < n / 2; ++v) {
      const std::uint32_t f_below = prime.to_montgomery(deeper[v]);
      const std::uint32_t g_below = prime.to_montgomery(deeper[n / 2 + v]);
      big_f[2 * v] = prime.mul(g[2 * v + 1], f_below);
      big_f[2 * v + 1] = prime.mul(g[2 * v], f_below);
      big_g[2 * v] = prime.mul(f[2 * v + 1], g_below);
      big_g[2 * v + 1] = prime.mul(f[2 * v], g_below);
    }
    inverse(ntt, to.row(u));
  }
  rebuild(to, Sign::Signed);
}

}  // namespace hm::falcon
