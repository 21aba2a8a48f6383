// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/k_pke.h"

#include <algorithm>
#include <array>

#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/keccak/sha3.h"
#include "foundation/crypto/ml_kem/arithmetic.h"
#include "foundation/crypto/ml_kem/encode.h"
#include "foundation/crypto/wipe.h"

namespace hm::ml_kem {
namespace {

using crypto::Wiped;

template <ParameterSet P>
using NttVector = std::array<NttPolynomial, P::kRank>;
template <ParameterSet P>
using Factors = std::array<Factor, P::kRank>;

constexpr std::size_t kKeyPolynomialSize = encoded_size(kBitsOfKey);

enum class Matrix { Plain, Transposed };

// Row i of the matrix A, or of its transpose (Algorithms 13 and 14, lines 3 to 7 and 4 to 8).
template <ParameterSet P>
void sample_row(WordView rho, std::size_t i, Matrix form, NttVector<P>& row,
                crypto::Backend backend) {
  std::array<std::array<std::uint8_t, 2>, P::kRank> indices;
  for (std::size_t j = 0; j < P::kRank; ++j) {
    indices[j] = {static_cast<std::uint8_t>(j), static_cast<std::uint8_t>(i)};
    if (form == Matrix::Transposed) std::swap(indices[j][0], indices[j][1]);
  }
  sample_matrix_entries(rho, indices, row, backend);
}

void prepare_ntt(const Polynomial& f, Factor& out, const Arithmetic& ops) {
  Wiped<NttPolynomial> transformed;
  ops.ntt(f, *transformed);
  ops.prepare(*transformed, out);
}

template <ParameterSet P>
void decode_key(const std::uint8_t* bytes, NttVector<P>& out) {
  for (std::size_t i = 0; i < P::kRank; ++i) {
    decode(kBitsOfKey, bytes + i * kKeyPolynomialSize, out[i].c);
  }
}

void encode_compressed(int d, Polynomial& f, std::uint8_t* out, const Arithmetic& ops) {
  ops.compress(d, f.c);
  encode(d, f.c, out);
}

void decode_compressed(int d, const std::uint8_t* bytes, Polynomial& f, const Arithmetic& ops) {
  decode(d, bytes, f.c);
  ops.decompress(d, f.c);
}

}  // namespace

template <ParameterSet P>
void k_pke_keygen(WordView d, std::span<std::uint8_t, kEncapsulationKeySize<P>> ek,
                  std::span<std::uint8_t, kVectorSize<P>> dk, crypto::Backend backend) {
  constexpr std::size_t k = P::kRank;
  const Arithmetic& ops = arithmetic(backend);

  // Line 1: (ρ, σ) <- G(d ‖ k). ρ is part of the public key.
  Wiped<std::array<std::uint8_t, kWordSize + 1>> seed;
  std::ranges::copy(d, seed->begin());
  seed->back() = static_cast<std::uint8_t>(k);
  const Wiped<std::array<std::uint8_t, 2 * kWordSize>> expanded(
      [&] { return keccak::sha3_512(*seed); });
  const auto rho = std::span(*expanded).template first<kWordSize>();
  const auto sigma = std::span(*expanded).template last<kWordSize>();
  crypto::declassify(rho);

  // Lines 8 to 17: s, then e, and both into T_q.
  Wiped<std::array<Polynomial, 2 * k>> noise;
  sample_noise(sigma, 0, *noise, backend);
  Wiped<NttVector<P>> s;
  Wiped<NttVector<P>> e;
  Wiped<Factors<P>> factors;
  for (std::size_t i = 0; i < k; ++i) {
    ops.ntt((*noise)[i], (*s)[i]);
    ops.prepare((*s)[i], (*factors)[i]);
    ops.ntt((*noise)[k + i], (*e)[i]);
  }

  // Lines 3 to 7 and 18 to 20, row by row: t = A·s + e.
  NttVector<P> row;
  NttPolynomial t;
  for (std::size_t i = 0; i < k; ++i) {
    sample_row<P>(rho, i, Matrix::Plain, row, backend);
    ops.dot_product(row.data(), factors->data(), k, t);
    add(t, (*e)[i]);
    ops.make_canonical(t.c);
    encode(kBitsOfKey, t.c, ek.data() + i * kKeyPolynomialSize);
    ops.make_canonical((*s)[i].c);
    encode(kBitsOfKey, (*s)[i].c, dk.data() + i * kKeyPolynomialSize);
  }
  std::ranges::copy(rho, ek.last(kWordSize).begin());
  crypto::declassify(ek);
}

template <ParameterSet P>
void k_pke_encrypt(EncryptionKeyView<P> ek, WordView m, WordView r,
                   std::span<std::uint8_t, kCiphertextSize<P>> c, crypto::Backend backend) {
  constexpr std::size_t k = P::kRank;
  constexpr std::size_t kPolynomialSize = encoded_size(P::kBitsOfU);
  const Arithmetic& ops = arithmetic(backend);

  // Lines 9 to 18: y, e1 and e2, and y into T_q.
  Wiped<std::array<Polynomial, 2 * k + 1>> noise;
  sample_noise(r, 0, *noise, backend);
  const Polynomial* e1 = noise->data() + k;
  const Polynomial& e2 = noise->back();
  Wiped<Factors<P>> y;
  for (std::size_t i = 0; i < k; ++i) prepare_ntt((*noise)[i], (*y)[i], ops);

  // Lines 3 to 8, 19 and 22, row by row: u = NTT^-1(A^T·y) + e1.
  NttVector<P> row;
  Wiped<NttPolynomial> product;
  Wiped<Polynomial> sum;
  for (std::size_t i = 0; i < k; ++i) {
    sample_row<P>(ek.template last<kWordSize>(), i, Matrix::Transposed, row, backend);
    ops.dot_product(row.data(), y->data(), k, *product);
    ops.inverse_ntt(*product, *sum);
    add(*sum, e1[i]);
    encode_compressed(P::kBitsOfU, *sum, c.data() + i * kPolynomialSize, ops);
  }

  // Lines 2, 20, 21 and 23: v = NTT^-1(t^T·y) + e2 + μ.
  decode_key<P>(ek.data(), row);
  ops.dot_product(row.data(), y->data(), k, *product);
  ops.inverse_ntt(*product, *sum);
  add(*sum, e2);
  Wiped<Polynomial> message;
  decode_message(m.data(), *message);
  add(*sum, *message);
  encode_compressed(P::kBitsOfV, *sum, c.data() + k * kPolynomialSize, ops);
}

template <ParameterSet P>
void k_pke_decrypt(DecryptionKeyView<P> dk, CiphertextView<P> c,
                   std::span<std::uint8_t, kWordSize> m, crypto::Backend backend) {
  constexpr std::size_t k = P::kRank;
  constexpr std::size_t kPolynomialSize = encoded_size(P::kBitsOfU);
  const Arithmetic& ops = arithmetic(backend);

  // Lines 1 to 5. The ciphertext is public, so its polynomials are the factors.
  Factors<P> u;
  Polynomial part;
  for (std::size_t i = 0; i < k; ++i) {
    decode_compressed(P::kBitsOfU, c.data() + i * kPolynomialSize, part, ops);
    prepare_ntt(part, u[i], ops);
  }
  decode_compressed(P::kBitsOfV, c.data() + k * kPolynomialSize, part, ops);
  Wiped<NttVector<P>> s;
  decode_key<P>(dk.data(), *s);

  // Lines 6 and 7: w = v - NTT^-1(s^T·u).
  Wiped<NttPolynomial> product;
  Wiped<Polynomial> difference;
  ops.dot_product(s->data(), u.data(), k, *product);
  ops.inverse_ntt(*product, *difference);
  subtract(part, *difference);
  *difference = part;
  crypto::wipe({reinterpret_cast<std::uint8_t*>(part.c), sizeof part.c});
  encode_message(*difference, m.data());
}

#define HM_FOR(P)                                                                               \
  template void k_pke_keygen<P>(WordView, std::span<std::uint8_t, kEncapsulationKeySize<P>>,    \
                                std::span<std::uint8_t, kVectorSize<P>>, crypto::Backend);      \
  template void k_pke_encrypt<P>(EncryptionKeyView<P>, WordView, WordView,                      \
                                 std::span<std::uint8_t, kCiphertextSize<P>>, crypto::Backend); \
  template void k_pke_decrypt<P>(DecryptionKeyView<P>, CiphertextView<P>,                       \
                                 std::span<std::uint8_t, kWordSize>, crypto::Backend)
HM_FOR(MlKem768);
HM_FOR(MlKem1024);
#undef HM_FOR

}  // namespace hm::ml_kem
