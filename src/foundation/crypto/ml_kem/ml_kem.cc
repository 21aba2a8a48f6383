// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ml_kem/ml_kem.h"

#include <algorithm>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/crypto/constant_time.h"
#include "foundation/crypto/keccak/sha3.h"
#include "foundation/crypto/keccak/shake.h"
#include "foundation/crypto/ml_kem/encode.h"
#include "foundation/crypto/ml_kem/k_pke.h"
#include "foundation/crypto/wipe.h"

namespace hm::ml_kem {
namespace {

using crypto::Wiped;
using Word = std::array<std::uint8_t, kWordSize>;
using TwoWords = std::array<std::uint8_t, 2 * kWordSize>;

// The modulus check of §7.2, on every coefficient and without a branch on any: it also serves for
// the secret half of an expanded key.
bool are_canonical(ByteView polynomials) {
  constexpr std::size_t kSize = encoded_size(kBitsOfKey);
  std::uint16_t below = 0xffff;
  Wiped<NttPolynomial> f;
  for (; !polynomials.empty(); polynomials = polynomials.subspan(kSize)) {
    decode(kBitsOfKey, polynomials.data(), f->c);
    for (const std::int16_t c : f->c) {
      below &= crypto::mask_if_less(static_cast<std::uint16_t>(c), std::uint16_t{kQ});
    }
  }
  return crypto::declassified(below) != 0;
}

// (K, r) = G(m ‖ H(ek)).
TwoWords derive(MessageView m, std::span<const std::uint8_t, kWordSize> hash) {
  Wiped<TwoWords> input;
  std::ranges::copy(hash, std::ranges::copy(m, input->begin()).out);
  return keccak::sha3_512(*input);
}

}  // namespace

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::WrongLength: return "wrong_length";
    case Refusal::NotReduced: return "not_reduced";
    case Refusal::HashMismatch: return "hash_mismatch";
  }
  HM_CHECK(false);
}

SharedSecret::SharedSecret(std::span<const std::uint8_t, kWordSize> bytes) {
  std::ranges::copy(bytes, bytes_.begin());
}

SharedSecret::SharedSecret(SharedSecret&& other) noexcept : bytes_(other.bytes_) {
  crypto::wipe(other.bytes_);
}

SharedSecret& SharedSecret::operator=(SharedSecret&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    crypto::wipe(other.bytes_);
  }
  return *this;
}

SharedSecret::~SharedSecret() { crypto::wipe(bytes_); }

bool SharedSecret::operator==(const SharedSecret& other) const {
  return crypto::declassified(crypto::mask_if_same_bytes(bytes_, other.bytes_)) != 0;
}

template <ParameterSet P>
Result<EncapsulationKey<P>, Refusal> EncapsulationKey<P>::parse(ByteView bytes) {
  if (bytes.size() != kSize) return fail(Refusal::WrongLength);
  if (!are_canonical(bytes.first(kVectorSize<P>))) return fail(Refusal::NotReduced);
  EncapsulationKey key;
  std::ranges::copy(bytes, key.bytes_.begin());
  key.cache_hash();
  return key;
}

template <ParameterSet P>
void EncapsulationKey<P>::cache_hash() {
  hash_ = keccak::sha3_256(bytes_);
}

template <ParameterSet P>
Result<Ciphertext<P>, Refusal> Ciphertext<P>::parse(ByteView bytes) {
  if (bytes.size() != kSize) return fail(Refusal::WrongLength);
  Ciphertext ciphertext;
  std::ranges::copy(bytes, ciphertext.bytes.begin());
  return ciphertext;
}

template <ParameterSet P>
DecapsulationKey<P>::DecapsulationKey(DecapsulationKey&& other) noexcept
    : secret_(other.secret_),
      encapsulation_key_(other.encapsulation_key_),
      has_seed_(std::exchange(other.has_seed_, false)) {
  crypto::wipe({reinterpret_cast<std::uint8_t*>(&other.secret_), sizeof other.secret_});
}

template <ParameterSet P>
DecapsulationKey<P>& DecapsulationKey<P>::operator=(DecapsulationKey&& other) noexcept {
  if (this != &other) {
    secret_ = other.secret_;
    encapsulation_key_ = other.encapsulation_key_;
    has_seed_ = std::exchange(other.has_seed_, false);
    crypto::wipe({reinterpret_cast<std::uint8_t*>(&other.secret_), sizeof other.secret_});
  }
  return *this;
}

template <ParameterSet P>
DecapsulationKey<P>::~DecapsulationKey() {
  crypto::wipe({reinterpret_cast<std::uint8_t*>(&secret_), sizeof secret_});
}

template <ParameterSet P>
DecapsulationKey<P> DecapsulationKey<P>::from_seed(SeedView seed, crypto::Backend backend) {
  DecapsulationKey key;
  std::ranges::copy(seed.first<kWordSize>(), key.secret_.d.begin());
  std::ranges::copy(seed.last<kWordSize>(), key.secret_.z.begin());
  key.has_seed_ = true;
  // Lines 1 to 4; the parts of dk stay apart.
  k_pke_keygen<P>(key.secret_.d, key.encapsulation_key_.bytes_, key.secret_.decryption_key,
                  backend);
  key.encapsulation_key_.cache_hash();
  return key;
}

template <ParameterSet P>
Result<DecapsulationKey<P>, Refusal> DecapsulationKey<P>::parse_expanded(ByteView bytes) {
  if (bytes.size() != kSize) return fail(Refusal::WrongLength);
  const ByteView decryption_key = bytes.first(kVectorSize<P>);
  const ByteView encapsulation_key = bytes.subspan(kVectorSize<P>, kEncapsulationKeySize<P>);
  const ByteView hash = bytes.last(2 * kWordSize).first(kWordSize);
  if (!are_canonical(decryption_key)) return fail(Refusal::NotReduced);
  DecapsulationKey key;
  HM_TRY(key.encapsulation_key_, EncapsulationKey<P>::parse(encapsulation_key));
  if (!std::ranges::equal(key.encapsulation_key_.hash(), hash)) return fail(Refusal::HashMismatch);
  std::ranges::copy(decryption_key, key.secret_.decryption_key.begin());
  std::ranges::copy(bytes.last(kWordSize), key.secret_.z.begin());
  return key;
}

template <ParameterSet P>
std::optional<std::array<std::uint8_t, kSeedSize>> DecapsulationKey<P>::seed() const {
  if (!has_seed_) return std::nullopt;
  std::array<std::uint8_t, kSeedSize> seed;
  std::ranges::copy(secret_.z, std::ranges::copy(secret_.d, seed.begin()).out);
  return seed;
}

template <ParameterSet P>
std::array<std::uint8_t, DecapsulationKey<P>::kSize> DecapsulationKey<P>::expanded() const {
  // Algorithm 16, line 3: dk_PKE ‖ ek ‖ H(ek) ‖ z.
  std::array<std::uint8_t, kSize> out;
  auto end = std::ranges::copy(secret_.decryption_key, out.begin()).out;
  end = std::ranges::copy(encapsulation_key_.bytes(), end).out;
  end = std::ranges::copy(encapsulation_key_.hash(), end).out;
  std::ranges::copy(secret_.z, end);
  return out;
}

template <ParameterSet P>
SharedSecret DecapsulationKey<P>::decapsulate(const Ciphertext<P>& ciphertext,
                                              crypto::Backend backend) const {
  // Line 5.
  Wiped<Word> m;
  k_pke_decrypt<P>(secret_.decryption_key, ciphertext.bytes, *m, backend);
  // Line 6: (K', r') = G(m' ‖ h).
  const Wiped<TwoWords> derived([&] { return derive(*m, encapsulation_key_.hash()); });
  // Line 7: the secret of a rejected ciphertext, J(z ‖ c).
  Wiped<Word> rejected;
  keccak::Shake256 j;
  j.absorb(secret_.z);
  j.absorb(ciphertext.bytes);
  j.squeeze(*rejected);
  // Line 8.
  Wiped<Ciphertext<P>> again;
  k_pke_encrypt<P>(encapsulation_key_.bytes(), *m, std::span(*derived).template last<kWordSize>(),
                   again->bytes, backend);
  // Lines 9 to 12: which of the two it is, nobody may learn.
  Wiped<Word> secret;
  crypto::select_bytes(crypto::mask_if_same_bytes(ciphertext.bytes, again->bytes),
                       std::span(*derived).template first<kWordSize>(), *rejected, *secret);
  return SharedSecret(*secret);
}

template <ParameterSet P>
Encapsulation<P> encapsulate(const EncapsulationKey<P>& key, MessageView m,
                             crypto::Backend backend) {
  // Line 1: (K, r) = G(m ‖ H(ek)); line 2: the ciphertext.
  const Wiped<TwoWords> derived([&] { return derive(m, key.hash()); });
  const auto words = std::span(*derived);
  Encapsulation<P> result{{}, SharedSecret(words.template first<kWordSize>())};
  k_pke_encrypt<P>(key.bytes(), m, words.template last<kWordSize>(), result.ciphertext.bytes,
                   backend);
  return result;
}

template class EncapsulationKey<MlKem768>;
template class EncapsulationKey<MlKem1024>;
template struct Ciphertext<MlKem768>;
template struct Ciphertext<MlKem1024>;
template class DecapsulationKey<MlKem768>;
template class DecapsulationKey<MlKem1024>;
template Encapsulation<MlKem768> encapsulate(const EncapsulationKey<MlKem768>&, MessageView,
                                             crypto::Backend);
template Encapsulation<MlKem1024> encapsulate(const EncapsulationKey<MlKem1024>&, MessageView,
                                              crypto::Backend);

}  // namespace hm::ml_kem
