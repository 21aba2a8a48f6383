// SPDX-License-Identifier: Apache-2.0
// ML-KEM, the key encapsulation mechanism of FIPS 203 (final, August 2024), with the parameter
// sets ML-KEM-768 and ML-KEM-1024. One side makes a decapsulation key and gives away its
// encapsulation key; whoever has that makes a shared secret and a ciphertext, and only the
// decapsulation key gets the same secret out of the ciphertext.
//
// Everything here is a function of its arguments: the caller brings fresh random bytes, 64 for a
// key and 32 for an encapsulation, and they are as secret as the key. Inputs from outside are
// checked when they become a type (§7.2, §7.3). A ciphertext that was tampered with is no error:
// decapsulation gives a secret that nobody knows (implicit rejection, §6.3). Time and memory
// accesses do not depend on secrets; secrets are wiped. No consistency test of fresh key pairs.
//
// Names no peer and proves no identity: a shared secret alone is open to a man in the middle.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/backend.h"
#include "foundation/crypto/ml_kem/parameters.h"

namespace hm::ml_kem {

enum class Refusal : std::uint8_t {
  WrongLength,   // not the size of the parameter set
  NotReduced,    // a coefficient of q or more: the modulus check
  HashMismatch,  // the hash in an expanded key is not that of its encapsulation key
};
std::string_view name_of(Refusal refusal);

inline constexpr std::size_t kSeedSize = 2 * kWordSize;
// d ‖ z of Algorithm 19: what a decapsulation key is made from, and the form in which it is stored.
using SeedView = std::span<const std::uint8_t, kSeedSize>;
using MessageView = std::span<const std::uint8_t, kWordSize>;

// Moves only; wipes its memory when destroyed. The source of a move is zero.
class SharedSecret {
 public:
  explicit SharedSecret(std::span<const std::uint8_t, kWordSize> bytes);
  SharedSecret(SharedSecret&& other) noexcept;
  SharedSecret& operator=(SharedSecret&& other) noexcept;
  SharedSecret(const SharedSecret&) = delete;
  SharedSecret& operator=(const SharedSecret&) = delete;
  ~SharedSecret();

  std::span<const std::uint8_t, kWordSize> view() const { return bytes_; }
  // In constant time.
  bool operator==(const SharedSecret& other) const;

 private:
  std::array<std::uint8_t, kWordSize> bytes_;
};

template <ParameterSet P>
class EncapsulationKey {
 public:
  static constexpr std::size_t kSize = kEncapsulationKeySize<P>;

  // §7.2: the length, and that encoding the decoded coefficients gives the same bytes.
  static Result<EncapsulationKey, Refusal> parse(ByteView bytes);

  std::span<const std::uint8_t, kSize> bytes() const { return bytes_; }
  // H(ek), computed once.
  std::span<const std::uint8_t, kWordSize> hash() const { return hash_; }
  bool operator==(const EncapsulationKey& other) const { return bytes_ == other.bytes_; }

 private:
  template <ParameterSet>
  friend class DecapsulationKey;
  EncapsulationKey() = default;
  void cache_hash();

  std::array<std::uint8_t, kSize> bytes_;
  std::array<std::uint8_t, kWordSize> hash_;
};

template <ParameterSet P>
struct Ciphertext {
  static constexpr std::size_t kSize = kCiphertextSize<P>;

  // Any bytes of the right length (§7.3) are a ciphertext.
  static Result<Ciphertext, Refusal> parse(ByteView bytes);

  std::array<std::uint8_t, kSize> bytes;
  bool operator==(const Ciphertext&) const = default;
};

// Moves only; wipes its memory when destroyed. The source of a move may only be assigned to or
// destroyed.
template <ParameterSet P>
class DecapsulationKey {
 public:
  static constexpr std::size_t kSize = kExpandedKeySize<P>;

  // ML-KEM.KeyGen_internal (Algorithm 16).
  static DecapsulationKey from_seed(SeedView seed,
                                    crypto::Backend backend = crypto::fastest_backend());

  // The expanded form that FIPS 203 calls dk, with the checks of §7.3 and, beyond them, that both
  // keys inside are canonical. Such a key knows no seed.
  static Result<DecapsulationKey, Refusal> parse_expanded(ByteView bytes);

  DecapsulationKey(DecapsulationKey&& other) noexcept;
  DecapsulationKey& operator=(DecapsulationKey&& other) noexcept;
  DecapsulationKey(const DecapsulationKey&) = delete;
  DecapsulationKey& operator=(const DecapsulationKey&) = delete;
  ~DecapsulationKey();

  const EncapsulationKey<P>& encapsulation_key() const { return encapsulation_key_; }
  // The seed, for writing a key file; none if the key was parsed. The caller wipes it.
  std::optional<std::array<std::uint8_t, kSeedSize>> seed() const;
  // The expanded form. The caller wipes it.
  std::array<std::uint8_t, kSize> expanded() const;

  // ML-KEM.Decaps_internal (Algorithm 18).
  SharedSecret decapsulate(const Ciphertext<P>& ciphertext,
                           crypto::Backend backend = crypto::fastest_backend()) const;

 private:
  struct Secret {
    std::array<std::uint8_t, kVectorSize<P>> decryption_key{};  // dk_PKE
    std::array<std::uint8_t, kWordSize> d{};                    // zero unless has_seed_
    std::array<std::uint8_t, kWordSize> z{};
  };
  DecapsulationKey() = default;

  Secret secret_;
  EncapsulationKey<P> encapsulation_key_;
  bool has_seed_ = false;
};

template <ParameterSet P>
struct Encapsulation {
  Ciphertext<P> ciphertext;
  SharedSecret secret;
};

// ML-KEM.Encaps_internal (Algorithm 17). Requires: `m` is fresh, unpredictable and used once.
template <ParameterSet P>
Encapsulation<P> encapsulate(const EncapsulationKey<P>& key, MessageView m,
                             crypto::Backend backend = crypto::fastest_backend());

extern template class EncapsulationKey<MlKem768>;
extern template class EncapsulationKey<MlKem1024>;
extern template struct Ciphertext<MlKem768>;
extern template struct Ciphertext<MlKem1024>;
extern template class DecapsulationKey<MlKem768>;
extern template class DecapsulationKey<MlKem1024>;
extern template Encapsulation<MlKem768> encapsulate(const EncapsulationKey<MlKem768>&, MessageView,
                                                    crypto::Backend);
extern template Encapsulation<MlKem1024> encapsulate(const EncapsulationKey<MlKem1024>&,
                                                     MessageView, crypto::Backend);

}  // namespace hm::ml_kem
