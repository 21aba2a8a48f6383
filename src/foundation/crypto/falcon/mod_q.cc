// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/mod_q.h"

#include <algorithm>
#include <array>

#include "foundation/crypto/falcon/secret_buffer.h"

namespace hm::falcon {
namespace {

constexpr std::uint32_t kMinusInverse = 12287;  // -1/q modulo 2^16
constexpr int kMontgomeryBits = 16;

constexpr std::uint32_t reduce_once(std::uint32_t x) {  // x < 2q
  const std::uint32_t y = x - kModulus;
  return y + (kModulus & (std::uint32_t{0} - (y >> 31)));
}

constexpr std::uint32_t add(std::uint32_t a, std::uint32_t b) { return reduce_once(a + b); }
constexpr std::uint32_t sub(std::uint32_t a, std::uint32_t b) {
  return reduce_once(a + kModulus - b);
}

// a b / 2^16, for a b < 2^16 q.
constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t product = a * b;
  const std::uint32_t multiple = ((product * kMinusInverse) & 0xFFFF) * kModulus;
  return reduce_once((product + multiple) >> kMontgomeryBits);
}

constexpr std::uint32_t kOne = (std::uint32_t{1} << kMontgomeryBits) % kModulus;  // Montgomery form
constexpr std::uint32_t kToMontgomery = kOne * kOne % kModulus;

constexpr std::uint32_t power(std::uint32_t base, std::uint32_t exponent) {
  std::uint32_t result = kOne;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

// 11 generates the units modulo q, of which there are 2^12 · 3.
constexpr std::uint32_t kRoot = power(multiply(11, kToMontgomery), (kModulus - 1) / (2 * kDegree));

struct Roots {
  std::array<std::uint16_t, kDegree> forward{};  // Montgomery form, indices with bits reversed
  std::array<std::uint16_t, kDegree> inverse{};
};

constexpr Roots compute_roots() {
  Roots roots;
  std::uint32_t forward = kOne, inverse = kOne;
  const std::uint32_t inverse_root = power(kRoot, kModulus - 2);
  for (std::size_t k = 0; k < kDegree; ++k) {
    std::size_t reversed = 0;
    for (std::size_t b = 0; b < kLogDegree; ++b) {
      reversed |= ((k >> b) & 1) << (kLogDegree - 1 - b);
    }
    roots.forward[reversed] = static_cast<std::uint16_t>(forward);
    roots.inverse[reversed] = static_cast<std::uint16_t>(inverse);
    forward = multiply(forward, kRoot);
    inverse = multiply(inverse, inverse_root);
  }
  return roots;
}

constexpr Roots kRoots = compute_roots();
constexpr std::uint32_t kInverseDegree =
    power(multiply(kDegree, kToMontgomery), kModulus - 2);  // Montgomery form

SecretBuffer<Residue> residues_of(SmallView small) {
  SecretBuffer<Residue> residues(kDegree);
  std::ranges::transform(small, residues.begin(), [](std::int8_t x) { return residue_of(x); });
  return residues;
}

ResidueSpan all_of(SecretBuffer<Residue>& buffer) { return ResidueSpan(buffer.data(), kDegree); }

}  // namespace

void ntt(ResidueSpan a) {
  for (std::size_t blocks = 1, width = kDegree; blocks < kDegree; blocks *= 2, width /= 2) {
    const std::size_t distance = width / 2;
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::uint32_t root = kRoots.forward[blocks + block];
      for (std::size_t i = block * width; i < block * width + distance; ++i) {
        const std::uint32_t x = a[i];
        const std::uint32_t y = multiply(a[i + distance], root);
        a[i] = static_cast<Residue>(add(x, y));
        a[i + distance] = static_cast<Residue>(sub(x, y));
      }
    }
  }
}

void inverse_ntt(ResidueSpan a) {
  for (std::size_t blocks = kDegree / 2, width = 2; blocks >= 1; blocks /= 2, width *= 2) {
    const std::size_t distance = width / 2;
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::uint32_t root = kRoots.inverse[blocks + block];
      for (std::size_t i = block * width; i < block * width + distance; ++i) {
        const std::uint32_t x = a[i];
        const std::uint32_t y = a[i + distance];
        a[i] = static_cast<Residue>(add(x, y));
        a[i + distance] = static_cast<Residue>(multiply(sub(x, y), root));
      }
    }
  }
  for (Residue& x : a) x = static_cast<Residue>(multiply(x, kInverseDegree));
}

void multiply_ntt(ResidueSpan a, ResidueView b) {
  for (std::size_t i = 0; i < kDegree; ++i) {
    a[i] = static_cast<Residue>(multiply(multiply(a[i], b[i]), kToMontgomery));
  }
}

// By Fermat: 1/b = b^(q-2), which is 0 for 0.
bool divide_ntt(ResidueSpan a, ResidueView b) {
  std::uint32_t no_inverse = 0;
  for (std::size_t i = 0; i < kDegree; ++i) {
    const std::uint32_t divisor = b[i];
    no_inverse |= (divisor - 1) >> 31;
    const std::uint32_t inverse = power(multiply(divisor, kToMontgomery), kModulus - 2);
    a[i] = static_cast<Residue>(multiply(a[i], inverse));
  }
  return no_inverse == 0;
}

bool compute_public(ResidueSpan h, SmallView f, SmallView g) {
  auto divisor = residues_of(f);
  auto quotient = residues_of(g);
  ntt(all_of(divisor));
  ntt(all_of(quotient));
  if (!divide_ntt(all_of(quotient), all_of(divisor))) return false;
  inverse_ntt(all_of(quotient));
  std::ranges::copy(quotient, h.begin());
  return true;
}

bool complete_private(SmallSpan big_g, SmallView f, SmallView g, SmallView big_f) {
  auto divisor = residues_of(f);
  auto quotient = residues_of(g);
  auto factor = residues_of(big_f);
  ntt(all_of(divisor));
  ntt(all_of(quotient));
  ntt(all_of(factor));
  multiply_ntt(all_of(quotient), all_of(factor));
  if (!divide_ntt(all_of(quotient), all_of(divisor))) return false;
  inverse_ntt(all_of(quotient));
  std::uint32_t out_of_range = 0;
  for (std::size_t i = 0; i < kDegree; ++i) {
    const std::int32_t x = centred(quotient[i]);
    out_of_range |= static_cast<std::uint32_t>((127 - x) | (x + 127)) >> 31;
    big_g[i] = static_cast<std::int8_t>(x);
  }
  return out_of_range == 0;
}

}  // namespace hm::falcon
