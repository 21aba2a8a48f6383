// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/falcon/signing_key.h"

#include <algorithm>
#include <array>

#include "foundation/crypto/falcon/codec.h"
#include "foundation/crypto/falcon/hash_to_point.h"
#include "foundation/crypto/falcon/key_norms.h"
#include "foundation/crypto/falcon/keygen.h"
#include "foundation/crypto/falcon/mod_q.h"
#include "foundation/crypto/falcon/signing.h"
#include "foundation/crypto/wipe.h"

namespace hm::falcon {
namespace {

template <std::size_t index>
SmallSpan part(SecretBuffer<std::int8_t>& basis) {
  return std::span(basis.data(), basis.size()).template subspan<index * kDegree, kDegree>();
}

template <std::size_t index>
SmallView part(const SecretBuffer<std::int8_t>& basis) {
  return std::span(basis.data(), basis.size()).template subspan<index * kDegree, kDegree>();
}

}  // namespace

SigningRandomness::~SigningRandomness() { crypto::wipe(seed); }

SigningKey SigningKey::generate(const Seed& seed, Arithmetic arithmetic) {
  keccak::Shake256 randomness;
  randomness.absorb(seed);
  const NtruKey key = (arithmetic == Arithmetic::Emulated ? generate_key<EmulatedReal>
                                                          : generate_key<HardwareReal>)(randomness);
  SecretBuffer<std::int8_t> basis(4 * kDegree);
  std::ranges::copy(key.f, part<0>(basis).begin());
  std::ranges::copy(key.g, part<1>(basis).begin());
  std::ranges::copy(key.big_f, part<2>(basis).begin());
  std::ranges::copy(key.big_g, part<3>(basis).begin());
  return SigningKey(std::move(basis), VerifyingKey(key.h));
}

Result<SigningKey, Refusal> SigningKey::decode(ByteView bytes) {
  SecretBuffer<std::int8_t> basis(4 * kDegree);
  const SmallSpan f = part<0>(basis), g = part<1>(basis), big_f = part<2>(basis),
                  big_g = part<3>(basis);
  HM_TRY_VOID(decode_secret_key(bytes, f, g, big_f));
  std::array<Residue, kDegree> h;
  if (!compute_public(h, f, g)) return fail(Refusal::NotInvertible);
  if (!complete_private(big_g, f, g, big_f)) return fail(Refusal::NotAnNtruKey);
  if (!has_short_basis<EmulatedReal>(f, g)) return fail(Refusal::LongBasis);
  return SigningKey(std::move(basis), VerifyingKey(h));
}

SecretBuffer<std::uint8_t> SigningKey::encode() const {
  SecretBuffer<std::uint8_t> bytes(kSecretKeySize);
  encode_secret_key(part<0>(basis_), part<1>(basis_), part<2>(basis_),
                    std::span<std::uint8_t, kSecretKeySize>(bytes.data(), kSecretKeySize));
  return bytes;
}

Bytes SigningKey::sign(ByteView message, const SigningRandomness& randomness,
                       SignatureFormat format, Arithmetic arithmetic) const {
  std::array<Residue, kDegree> c;
  hash_to_point(c, randomness.nonce, message);
  keccak::Shake256 source;
  source.absorb(randomness.seed);
  const SecretBasis basis{part<0>(basis_), part<1>(basis_), part<2>(basis_), part<3>(basis_)};
  for (;;) {
    // Wiped, because a vector that no signature can hold is sampled again: two short vectors for
    // one c differ by a short vector of the secret lattice.
    crypto::Wiped<std::array<std::int16_t, kDegree>> s2;
    (arithmetic == Arithmetic::Emulated ? sample_short<EmulatedReal>
                                        : sample_short<HardwareReal>)(basis, c, source, *s2);
    if (auto signature = encode_signature(format, randomness.nonce, *s2)) {
      return std::move(*signature);
    }
  }
}

}  // namespace hm::falcon
