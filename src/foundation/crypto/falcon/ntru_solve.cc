// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/ntru_solve.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/small_primes_ntt.h"

namespace hm::falcon {
namespace {

// The equation modulo one prime, which decides it: with |f|, |g| < 16 and |F|, |G| < 128 no
// coefficient of fG - gF reaches half the prime. `pair` and `big_pair` are scratch.
bool solves(const SmallPoly& f, const SmallPoly& g, const SmallPoly& big_f, const SmallPoly& big_g,
            std::span<std::uint32_t> pair, std::span<std::uint32_t> big_pair) {
  const SmallPrime prime = small_primes()[0];
  const SmallNtt ntt(prime, kDegree);
  for (std::size_t i = 0; i < kDegree; ++i) {
    pair[i] = prime.from_signed(f[i]);
    pair[kDegree + i] = prime.from_signed(g[i]);
    big_pair[i] = prime.from_signed(big_f[i]);
    big_pair[kDegree + i] = prime.from_signed(big_g[i]);
  }
  for (const auto both : {pair, big_pair}) {
    ntt.forward(both.first(kDegree));
    ntt.forward(both.last(kDegree));
  }
  const std::uint32_t target = prime.mul(kModulus, 1);
  std::uint32_t wrong = 0;
  for (std::size_t i = 0; i < kDegree; ++i) {
    wrong |= target ^ prime.sub(prime.mul(pair[i], big_pair[kDegree + i]),
                                prime.mul(pair[kDegree + i], big_pair[i]));
  }
  return crypto::declassified(wrong == 0);
}

}  // namespace

template <RealBackEnd Real>
bool solve_ntru(const SmallPoly& f, const SmallPoly& g, SmallPoly& big_f, SmallPoly& big_g,
                NtruMemory<Real>& memory) {
  NtruTower& tower = memory.tower;
  tower.descend(f, g);
  if (!solve_deepest(tower, memory.deepest)) return false;
  for (unsigned depth = kLogDegree - 1; depth >= 2; --depth) {
    tower.lift(depth);
    if (!reduce(tower, depth, memory.reduce)) return false;
  }
  tower.lift(1);
  if (!reduce_next_to_top(tower, memory.next_to_top)) return false;
  tower.lift(0);
  return reduce_top(tower, big_f, big_g, memory.top) &&
         solves(f, g, big_f, big_g, tower.above, memory.top.big_fg);
}

template bool solve_ntru(const SmallPoly&, const SmallPoly&, SmallPoly&, SmallPoly&,
                         NtruMemory<EmulatedReal>&);
template bool solve_ntru(const SmallPoly&, const SmallPoly&, SmallPoly&, SmallPoly&,
                         NtruMemory<HardwareReal>&);

}  // namespace hm::falcon
