// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/verifying_key.h"

#include <algorithm>

#include "foundation/crypto/falcon/codec.h"
#include "foundation/crypto/falcon/hash_to_point.h"
#include "foundation/crypto/falcon/mod_q.h"

namespace hm::falcon {
namespace {

// ‖s1‖² + ‖s2‖² for s1 = c - s2 h, reduced to between -q/2 and q/2 (Algorithm 16, lines 5 and 6).
std::uint64_t squared_norm(ResidueView c, ResidueView product, ShortView s2) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kDegree; ++i) {
    const std::int32_t s1 = centred(residue_of(std::int32_t{c[i]} - product[i]));
    sum += static_cast<std::uint32_t>(s1 * s1 + s2[i] * s2[i]);
  }
  return sum;
}

}  // namespace

VerifyingKey::VerifyingKey(ResidueView h) {
  std::ranges::copy(h, h_.begin());
  h_ntt_ = h_;
  ntt(h_ntt_);
}

Result<VerifyingKey, Refusal> VerifyingKey::decode(ByteView bytes) {
  VerifyingKey key;
  HM_TRY_VOID(decode_public_key(bytes, key.h_));
  key.h_ntt_ = key.h_;
  ntt(key.h_ntt_);
  return key;
}

std::array<std::uint8_t, kPublicKeySize> VerifyingKey::encode() const {
  std::array<std::uint8_t, kPublicKeySize> bytes;
  encode_public_key(h_, bytes);
  return bytes;
}

Result<void, Refusal> VerifyingKey::verify(ByteView message, ByteView signature,
                                           SignatureFormat format, crypto::Backend backend) const {
  std::array<std::int16_t, kDegree> s2;
  HM_TRY_VOID(decode_signature(format, signature, s2));
  std::array<Residue, kDegree> c;
  hash_to_point(c, signature.subspan<1, kNonceSize>(), message);
  std::array<Residue, kDegree> product;
  std::ranges::transform(s2, product.begin(), residue_of);
  ntt(product, backend);
  multiply_ntt(product, h_ntt_);
  inverse_ntt(product, backend);
  if (squared_norm(c, product, s2) > kNormBound) return fail(Refusal::NotShort);
  return {};
}

}  // namespace hm::falcon
