// SPDX-License-Identifier: Apache-2.0
// The rounds of KECCAK-f[1600] (FIPS 202 §3.3, §3.4), written once for every width: `Ops` says what
// a lane is (one 64-bit word, or a vector of the same lane of several states) and how to rotate
// and mix it. A state is 25 lanes, lane (x, y) at index x + 5y. Every index and every rotation is
// known to the compiler, so a round has no loop, no table and no branch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace hm::keccak {

inline constexpr std::size_t kLanes = 25;
inline constexpr std::size_t kRounds = 24;

// FIPS 202 §3.2.2, table 2, modulo 64.
inline constexpr int kRotation[kLanes] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                          25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

// FIPS 202 §3.2.5: what iota adds to lane (0, 0) in each round.
inline constexpr std::uint64_t kRoundConstant[kRounds] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Lane `from` after theta (§3.2.1) and rho.
template <class Ops, std::size_t from>
[[gnu::always_inline]] inline typename Ops::Lane moved(const typename Ops::Lane* in,
                                                       const typename Ops::Lane* theta) {
  return Ops::template rotate<kRotation[from]>(Ops::exclusive_or(in[from], theta[from % 5]));
}

// Row y of `out`: rho and pi (§3.2.2, §3.2.3) fetch lane (x, y) from lane (x + 3y, x), then chi
// (§3.2.4) mixes the row.
template <class Ops, std::size_t y>
[[gnu::always_inline]] inline void make_row(const typename Ops::Lane* in,
                                            const typename Ops::Lane* theta,
                                            typename Ops::Lane* out) {
  constexpr auto kFrom = [](std::size_t x) { return (x + 3 * y) % 5 + 5 * x; };
  const typename Ops::Lane b0 = moved<Ops, kFrom(0)>(in, theta);
  const typename Ops::Lane b1 = moved<Ops, kFrom(1)>(in, theta);
  const typename Ops::Lane b2 = moved<Ops, kFrom(2)>(in, theta);
  const typename Ops::Lane b3 = moved<Ops, kFrom(3)>(in, theta);
  const typename Ops::Lane b4 = moved<Ops, kFrom(4)>(in, theta);
  out[5 * y + 0] = Ops::chi(b0, b1, b2);
  out[5 * y + 1] = Ops::chi(b1, b2, b3);
  out[5 * y + 2] = Ops::chi(b2, b3, b4);
  out[5 * y + 3] = Ops::chi(b3, b4, b0);
  out[5 * y + 4] = Ops::chi(b4, b0, b1);
}

template <class Ops>
[[gnu::always_inline]] inline void round(const typename Ops::Lane* in, typename Ops::Lane* out,
                                         typename Ops::Lane constant) {
  typename Ops::Lane column[5];
  typename Ops::Lane theta[5];
  [&]<std::size_t... x>(std::index_sequence<x...>) __attribute__((always_inline)) {
    ((column[x] = Ops::parity(in[x], in[x + 5], in[x + 10], in[x + 15], in[x + 20])), ...);
    ((theta[x] =
          Ops::exclusive_or(column[(x + 4) % 5], Ops::template rotate<1>(column[(x + 1) % 5]))),
     ...);
  }(std::make_index_sequence<5>());
  make_row<Ops, 0>(in, theta, out);
  make_row<Ops, 1>(in, theta, out);
  make_row<Ops, 2>(in, theta, out);
  make_row<Ops, 3>(in, theta, out);
  make_row<Ops, 4>(in, theta, out);
  out[0] = Ops::exclusive_or(out[0], constant);
}

}  // namespace hm::keccak
