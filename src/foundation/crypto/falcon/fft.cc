// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/fft.h"

#include <bit>
#include <cstddef>

#include "foundation/crypto/falcon/fft_roots.h"

namespace hm::falcon {
namespace {

template <RealBackEnd Real>
struct Complex {
  Real re, im;

  static Complex root(std::size_t index) {
    return {Real::from_bits(fft_roots[index].real), Real::from_bits(fft_roots[index].imaginary)};
  }
  static Complex load(std::span<const Real> f, std::size_t i) {
    return {f[i], f[i + f.size() / 2]};
  }
  void store(std::span<Real> f, std::size_t i) const {
    f[i] = re;
    f[i + f.size() / 2] = im;
  }

  Complex conjugate() const { return {re, Real::neg(im)}; }
  Complex half() const { return {Real::half(re), Real::half(im)}; }
  Real norm() const { return Real::add(Real::sqr(re), Real::sqr(im)); }

  friend Complex operator+(Complex a, Complex b) {
    return {Real::add(a.re, b.re), Real::add(a.im, b.im)};
  }
  friend Complex operator-(Complex a, Complex b) {
    return {Real::sub(a.re, b.re), Real::sub(a.im, b.im)};
  }
  friend Complex operator*(Complex a, Complex b) {
    return {Real::sub(Real::mul(a.re, b.re), Real::mul(a.im, b.im)),
            Real::add(Real::mul(a.re, b.im), Real::mul(a.im, b.re))};
  }
  friend Complex operator/(Complex a, Complex b) {
    const Real scale = Real::inv(b.norm());
    return a * Complex{Real::mul(b.re, scale), Real::mul(Real::neg(b.im), scale)};
  }
};

}  // namespace

// The first of the l layers only names the real polynomial's halves real and imaginary part.
template <RealBackEnd Real>
void Fft<Real>::forward(Span f) {
  const std::size_t half = f.size() / 2;
  for (std::size_t blocks = 1, width = half; width > 1; blocks *= 2, width /= 2) {
    const std::size_t distance = width / 2;
    for (std::size_t block = 0; block < blocks; ++block) {
      const auto root = Complex<Real>::root(2 * blocks + block);
      for (std::size_t i = block * width; i < block * width + distance; ++i) {
        const auto x = Complex<Real>::load(f, i);
        const auto y = Complex<Real>::load(f, i + distance) * root;
        (x + y).store(f, i);
        (x - y).store(f, i + distance);
      }
    }
  }
}

template <RealBackEnd Real>
void Fft<Real>::inverse(Span f) {
  const std::size_t half = f.size() / 2;
  for (std::size_t blocks = half / 2, width = 2; width <= half; blocks /= 2, width *= 2) {
    const std::size_t distance = width / 2;
    for (std::size_t block = 0; block < blocks; ++block) {
      const auto root = Complex<Real>::root(2 * blocks + block).conjugate();
      for (std::size_t i = block * width; i < block * width + distance; ++i) {
        const auto x = Complex<Real>::load(f, i);
        const auto y = Complex<Real>::load(f, i + distance);
        (x + y).store(f, i);
        ((x - y) * root).store(f, i + distance);
      }
    }
  }
  multiply_constant(f, Real::scaled(1, 1 - std::countr_zero(f.size())));
}

template <RealBackEnd Real>
void Fft<Real>::add(Span a, View b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = Real::add(a[i], b[i]);
}

template <RealBackEnd Real>
void Fft<Real>::sub(Span a, View b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = Real::sub(a[i], b[i]);
}

template <RealBackEnd Real>
void Fft<Real>::neg(Span a) {
  for (Real& x : a) x = Real::neg(x);
}

template <RealBackEnd Real>
void Fft<Real>::multiply_constant(Span a, Real x) {
  for (Real& y : a) y = Real::mul(y, x);
}

template <RealBackEnd Real>
void Fft<Real>::adjoint(Span a) {
  neg(a.subspan(a.size() / 2));
}

template <RealBackEnd Real>
void Fft<Real>::multiply(Span a, View b) {
  for (std::size_t i = 0; i < a.size() / 2; ++i) {
    (Complex<Real>::load(a, i) * Complex<Real>::load(b, i)).store(a, i);
  }
}

template <RealBackEnd Real>
void Fft<Real>::multiply_adjoint(Span a, View b) {
  for (std::size_t i = 0; i < a.size() / 2; ++i) {
    (Complex<Real>::load(a, i) * Complex<Real>::load(b, i).conjugate()).store(a, i);
  }
}

template <RealBackEnd Real>
void Fft<Real>::multiply_self_adjoint(Span a) {
  for (std::size_t i = 0; i < a.size() / 2; ++i) {
    Complex<Real>{Complex<Real>::load(a, i).norm(), Real{}}.store(a, i);
  }
}

template <RealBackEnd Real>
void Fft<Real>::multiply_by_self_adjoint(Span a, View b) {
  const std::size_t half = a.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    a[i] = Real::mul(a[i], b[i]);
    a[i + half] = Real::mul(a[i + half], b[i]);
  }
}

template <RealBackEnd Real>
void Fft<Real>::divide_by_self_adjoint(Span a, View b) {
  const std::size_t half = a.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const Real inverse = Real::inv(b[i]);
    a[i] = Real::mul(a[i], inverse);
    a[i + half] = Real::mul(a[i + half], inverse);
  }
}

template <RealBackEnd Real>
void Fft<Real>::inverse_norm(Span d, View a, View b) {
  for (std::size_t i = 0; i < a.size() / 2; ++i) {
    d[i] = Real::inv(Real::add(Complex<Real>::load(a, i).norm(), Complex<Real>::load(b, i).norm()));
  }
}

template <RealBackEnd Real>
void Fft<Real>::add_multiply_adjoint(Span d, View big_f, View big_g, View f, View g) {
  for (std::size_t i = 0; i < d.size() / 2; ++i) {
    const auto a = Complex<Real>::load(big_f, i) * Complex<Real>::load(f, i).conjugate();
    const auto b = Complex<Real>::load(big_g, i) * Complex<Real>::load(g, i).conjugate();
    (a + b).store(d, i);
  }
}

template <RealBackEnd Real>
void Fft<Real>::ldl(View g00, Span g01, Span g11) {
  for (std::size_t i = 0; i < g00.size() / 2; ++i) {
    const auto off_diagonal = Complex<Real>::load(g01, i);
    const auto mu = off_diagonal / Complex<Real>::load(g00, i);
    (Complex<Real>::load(g11, i) - mu * off_diagonal.conjugate()).store(g11, i);
    mu.conjugate().store(g01, i);
  }
}

template <RealBackEnd Real>
void Fft<Real>::split(Span f0, Span f1, View f) {
  const std::size_t half = f.size() / 2;
  if (half == 1) {
    f0[0] = f[0];
    f1[0] = f[1];
  }
  for (std::size_t i = 0; i < half / 2; ++i) {
    const auto a = Complex<Real>::load(f, 2 * i);
    const auto b = Complex<Real>::load(f, 2 * i + 1);
    (a + b).half().store(f0, i);
    ((a - b) * Complex<Real>::root(half + i).conjugate()).half().store(f1, i);
  }
}

template <RealBackEnd Real>
void Fft<Real>::merge(Span f, View f0, View f1) {
  const std::size_t half = f.size() / 2;
  if (half == 1) {
    f[0] = f0[0];
    f[1] = f1[0];
  }
  for (std::size_t i = 0; i < half / 2; ++i) {
    const auto a = Complex<Real>::load(f0, i);
    const auto b = Complex<Real>::load(f1, i) * Complex<Real>::root(half + i);
    (a + b).store(f, 2 * i);
    (a - b).store(f, 2 * i + 1);
  }
}

template struct Fft<EmulatedReal>;
template struct Fft<HardwareReal>;

}  // namespace hm::falcon
