// SPDX-License-Identifier: Apache-2.0
// The FFT over R[x]/(x^n + 1) (Falcon specification, section 3.5) and arithmetic on polynomials in
// that representation, for every n = 2^l, 1 <= l <= 10; n is the length of the spans.
//
// A polynomial in FFT representation is its values at n/2 of the 2n-th roots of unity, the other
// half being their conjugates: real parts in the first half of the span, imaginary parts in the
// second, in bit-reversed order. A self-adjoint polynomial has zeros in its second half, and
// functions that take one do not read them.
//
// The order of operations within each function is part of its meaning: it decides the last bits,
// and the published signatures depend on them.
#pragma once

#include <span>

#include "foundation/crypto/falcon/real.h"

namespace hm::falcon {

template <RealBackEnd Real>
struct Fft {
  using Span = std::span<Real>;
  using View = std::span<const Real>;

  static void forward(Span f);  // coefficients to FFT representation
  static void inverse(Span f);  // and back

  static void add(Span a, View b);                // a += b
  static void sub(Span a, View b);                // a -= b
  static void neg(Span a);                        // a = -a
  static void multiply_constant(Span a, Real x);  // a *= x

  // In FFT representation; b* is the adjoint of b.
  static void adjoint(Span a);                           // a = a*
  static void multiply(Span a, View b);                  // a *= b
  static void multiply_adjoint(Span a, View b);          // a *= b*
  static void multiply_self_adjoint(Span a);             // a *= a*
  static void multiply_by_self_adjoint(Span a, View b);  // a *= b, b self-adjoint
  static void divide_by_self_adjoint(Span a, View b);    // a /= b, b self-adjoint
  // d = 1 / (a a* + b b*); only the first half of d is written.
  static void inverse_norm(Span d, View a, View b);
  // d = F f* + G g*
  static void add_multiply_adjoint(Span d, View big_f, View big_g, View f, View g);

  // L D L* of the self-adjoint matrix [g00 g01; g01* g11] (section 3.8.3, Algorithm 8): d11
  // replaces g11 and l10 replaces g01; d00 is g00.
  static void ldl(View g00, Span g01, Span g11);

  // f(x) = f0(x²) + x f1(x²) (section 3.6, Algorithms 1 and 2).
  static void split(Span f0, Span f1, View f);
  static void merge(Span f, View f0, View f1);
};

extern template struct Fft<EmulatedReal>;
extern template struct Fft<HardwareReal>;

}  // namespace hm::falcon
