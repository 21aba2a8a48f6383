// SPDX-License-Identifier: Apache-2.0
// Elements of R_q = Z_q[X]/(X^256 + 1) and of T_q, its image under the NTT (FIPS 203 §2.4.4). The
// two are types of their own, because only the multiplication of T_q is cheap and an addition
// across them means nothing.
//
// A coefficient stands for its class modulo q. It is *reduced* if -q < c < q and *canonical* if
// 0 <= c < q; functions take and give reduced coefficients unless they say otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/crypto/ml_kem/parameters.h"

namespace hm::ml_kem {

struct alignas(32) Polynomial {
  std::int16_t c[kCoefficients];
};

struct alignas(32) NttPolynomial {
  std::int16_t c[kCoefficients];
};

// An element of T_q, prepared to be multiplied by others. Of the pair (b0, b1) with the root γ
// (Algorithm 12), `even` holds (b0, b1·γ) and `odd` holds (b1, b0), each times 2^16: the product
// with (a0, a1) then is two inner products of pairs.
struct alignas(32) Factor {
  std::int16_t even[kCoefficients];
  std::int16_t odd[kCoefficients];
};

// to += from; the result is not reduced.
template <class Element>
inline void add(Element& to, const Element& from) {
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    to.c[i] = static_cast<std::int16_t>(to.c[i] + from.c[i]);
  }
}

// to -= from; the result is not reduced.
template <class Element>
inline void subtract(Element& to, const Element& from) {
  for (std::size_t i = 0; i < kCoefficients; ++i) {
    to.c[i] = static_cast<std::int16_t>(to.c[i] - from.c[i]);
  }
}

}  // namespace hm::ml_kem
