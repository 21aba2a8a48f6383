// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/mod_q.h"

#include <algorithm>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/falcon/secret_buffer.h"
#include "foundation/crypto/wipe.h"

namespace hm::falcon {
namespace {

constexpr Residue kQ = kModulus;
constexpr Residue kInverse = 53249;  // 1/q modulo 2^16
constexpr int kWordBits = 16;

// The functions on residues are written in 16-bit words, so that loops over them become vector
// code. A difference that went below 0 wraps to a word with its top bit set, and q puts it right.

[[gnu::always_inline]] constexpr Residue wrapped(std::uint32_t x) {
  const auto word = static_cast<std::uint16_t>(x);
  const auto negative = static_cast<std::uint16_t>(static_cast<std::int16_t>(word) >> 15);
  return static_cast<Residue>(word + (negative & kQ));
}

[[gnu::always_inline]] constexpr Residue add(Residue a, Residue b) {
  return wrapped(std::uint32_t{a} + b - kQ);
}

[[gnu::always_inline]] constexpr Residue sub(Residue a, Residue b) {
  return wrapped(std::uint32_t{a} - b);
}

// a b / 2^16 (Montgomery). a b and the multiple of q that is taken away agree in their low words,
// so the difference of their high words is exact.
[[gnu::always_inline]] constexpr Residue multiply(Residue a, Residue b) {
  const std::uint32_t product = std::uint32_t{a} * b;
  const auto factor = static_cast<std::uint16_t>(product * kInverse);
  const std::uint32_t multiple = std::uint32_t{factor} * kQ;
  return wrapped((product >> kWordBits) - (multiple >> kWordBits));
}

constexpr Residue kOne = (std::uint32_t{1} << kWordBits) % kModulus;  // Montgomery form
constexpr Residue kToMontgomery = kOne * kOne % kModulus;

constexpr Residue power(Residue base, std::uint32_t exponent) {
  Residue result = kOne;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

// 11 generates the units modulo q, of which there are 2^12 · 3.
constexpr Residue kRoot = power(multiply(11, kToMontgomery), (kModulus - 1) / (2 * kDegree));
constexpr Residue kInverseDegree = power(multiply(kDegree, kToMontgomery), kModulus - 2);

// The coefficients as a square, row by row. Five layers of the transform pair rows, then the square
// is transposed and the other five pair rows again: every layer works on whole rows, and a vector
// never needs a word from within another. NTT form stays transposed.
constexpr std::size_t kSide = 32;
static_assert(kSide * kSide == kDegree);
using Row = Residue[kSide];
struct alignas(64) Square {
  Row rows[kSide];
};

// For each of the five layers and each pair of blocks of rows, the factors of the 32 columns:
// layer l has 2^l of them, from index 2^l. In Montgomery form.
struct alignas(64) Factors {
  Row rows[kSide];
};

constexpr std::size_t bit_reversed(std::size_t x) {
  std::size_t reversed = 0;
  for (std::size_t b = 0; b < kLogDegree; ++b) reversed |= ((x >> b) & 1) << (kLogDegree - 1 - b);
  return reversed;
}

struct Tables {
  Factors before_transposition;
  Factors after_transposition;
};

constexpr Tables compute_tables(Residue root) {
  Residue powers[kDegree] = {};  // indices with bits reversed
  Residue at = kOne;
  for (std::size_t k = 0; k < kDegree; ++k, at = multiply(at, root)) powers[bit_reversed(k)] = at;
  Tables tables{};
  for (std::size_t blocks = 1; blocks < kSide; blocks *= 2) {
    for (std::size_t block = 0; block < blocks; ++block) {
      for (std::size_t column = 0; column < kSide; ++column) {
        tables.before_transposition.rows[blocks + block][column] = powers[blocks + block];
        tables.after_transposition.rows[blocks + block][column] =
            powers[(kSide + column) * blocks + block];
      }
    }
  }
  return tables;
}

constexpr Tables kForward = compute_tables(kRoot);
constexpr Tables kBackward = compute_tables(power(kRoot, kModulus - 2));

[[gnu::always_inline]] inline void forward_pair(Row& a, Row& b, const Row& factors) {
  for (std::size_t i = 0; i < kSide; ++i) {
    const Residue x = a[i];
    const Residue y = multiply(b[i], factors[i]);
    a[i] = add(x, y);
    b[i] = sub(x, y);
  }
}

[[gnu::always_inline]] inline void backward_pair(Row& a, Row& b, const Row& factors) {
  for (std::size_t i = 0; i < kSide; ++i) {
    const Residue x = a[i];
    const Residue y = b[i];
    a[i] = add(x, y);
    b[i] = multiply(sub(x, y), factors[i]);
  }
}

[[gnu::always_inline]] inline void forward_layers(Square& square, const Factors& factors) {
  for (std::size_t blocks = 1, distance = kSide / 2; blocks < kSide; blocks *= 2, distance /= 2) {
    for (std::size_t block = 0; block < blocks; ++block) {
      Row* rows = square.rows + block * 2 * distance;
      for (std::size_t r = 0; r < distance; ++r) {
        forward_pair(rows[r], rows[r + distance], factors.rows[blocks + block]);
      }
    }
  }
}

[[gnu::always_inline]] inline void backward_layers(Square& square, const Factors& factors) {
  for (std::size_t blocks = kSide / 2, distance = 1; blocks >= 1; blocks /= 2, distance *= 2) {
    for (std::size_t block = 0; block < blocks; ++block) {
      Row* rows = square.rows + block * 2 * distance;
      for (std::size_t r = 0; r < distance; ++r) {
        backward_pair(rows[r], rows[r + distance], factors.rows[blocks + block]);
      }
    }
  }
}

[[gnu::always_inline]] inline void transpose(const Square& from, Square& to) {
  for (std::size_t r = 0; r < kSide; ++r) {
    for (std::size_t c = 0; c < kSide; ++c) to.rows[c][r] = from.rows[r][c];
  }
}

[[gnu::always_inline]] inline void forward(Residue* a) {
  crypto::Wiped<Square> natural, transposed;
  std::copy_n(a, kDegree, &natural->rows[0][0]);
  forward_layers(*natural, kForward.before_transposition);
  transpose(*natural, *transposed);
  forward_layers(*transposed, kForward.after_transposition);
  std::copy_n(&transposed->rows[0][0], kDegree, a);
}

[[gnu::always_inline]] inline void backward(Residue* a) {
  crypto::Wiped<Square> natural, transposed;
  std::copy_n(a, kDegree, &transposed->rows[0][0]);
  backward_layers(*transposed, kBackward.after_transposition);
  transpose(*transposed, *natural);
  backward_layers(*natural, kBackward.before_transposition);
  for (Row& row : natural->rows) {
    for (Residue& x : row) x = multiply(x, kInverseDegree);
  }
  std::copy_n(&natural->rows[0][0], kDegree, a);
}

// The same loops, compiled for each back end.
void forward_portable(Residue* a) { forward(a); }
void backward_portable(Residue* a) { backward(a); }
#if defined(__x86_64__)
[[gnu::target("avx2")]] void forward_avx2(Residue* a) { forward(a); }
[[gnu::target("avx2")]] void backward_avx2(Residue* a) { backward(a); }
#else
constexpr auto forward_avx2 = forward_portable;
constexpr auto backward_avx2 = backward_portable;
#endif

SecretBuffer<Residue> residues_of(SmallView small) {
  SecretBuffer<Residue> residues(kDegree);
  std::ranges::transform(small, residues.begin(), [](std::int8_t x) { return residue_of(x); });
  return residues;
}

// Whether f G - g F = q, given that it is so modulo q: then the coefficients, of a size below 2^22,
// need only be right modulo 2^16 too.
bool satisfies_ntru_equation(SmallView f, SmallView g, SmallView big_f, SmallView big_g) {
  SecretBuffer<std::uint16_t> sum(2 * kDegree);  // the product before x^n = -1
  for (std::size_t i = 0; i < kDegree; ++i) {
    for (std::size_t j = 0; j < kDegree; ++j) {
      sum[i + j] = static_cast<std::uint16_t>(sum[i + j] + f[i] * big_g[j] - g[i] * big_f[j]);
    }
  }
  std::uint32_t difference = (sum[0] - std::uint32_t{sum[kDegree]} - kModulus) & 0xFFFF;
  for (std::size_t i = 1; i < kDegree; ++i) difference |= sum[i] ^ sum[i + kDegree];
  return crypto::declassified(difference == 0);
}

ResidueSpan all_of(SecretBuffer<Residue>& buffer) { return ResidueSpan(buffer.data(), kDegree); }

}  // namespace

void ntt(ResidueSpan a, crypto::Backend backend) {
  (backend == crypto::Backend::Portable ? forward_portable : forward_avx2)(a.data());
}

void inverse_ntt(ResidueSpan a, crypto::Backend backend) {
  (backend == crypto::Backend::Portable ? backward_portable : backward_avx2)(a.data());
}

void multiply_ntt(ResidueSpan a, ResidueView b) {
  for (std::size_t i = 0; i < kDegree; ++i) {
    a[i] = multiply(multiply(a[i], b[i]), kToMontgomery);
  }
}

// By Fermat: 1/b = b^(q-2), which is 0 for 0.
bool divide_ntt(ResidueSpan a, ResidueView b) {
  std::uint32_t no_inverse = 0;
  for (std::size_t i = 0; i < kDegree; ++i) {
    no_inverse |= (std::uint32_t{b[i]} - 1) >> 31;
    a[i] = multiply(a[i], power(multiply(b[i], kToMontgomery), kModulus - 2));
  }
  return crypto::declassified(no_inverse == 0);
}

bool compute_public(ResidueSpan h, SmallView f, SmallView g) {
  auto divisor = residues_of(f);
  auto quotient = residues_of(g);
  ntt(all_of(divisor));
  ntt(all_of(quotient));
  if (!divide_ntt(all_of(quotient), all_of(divisor))) return false;
  inverse_ntt(all_of(quotient));
  std::ranges::copy(quotient, h.begin());
  crypto::declassify({reinterpret_cast<const std::uint8_t*>(h.data()), h.size_bytes()});
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
  return crypto::declassified(out_of_range == 0) && satisfies_ntru_equation(f, g, big_f, big_g);
}

}  // namespace hm::falcon
