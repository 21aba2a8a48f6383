// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032) through libsodium: one strict verification everywhere, its semantics frozen:
// cofactorless, canonical S and R required, small-order keys and R refused
// (docs/decisions/0003-one-signature-verifier.md).
#pragma once

#include <array>
#include <optional>

#include "foundation/base/bytes.h"
#include "foundation/base/strong.h"

namespace hm::crypto {

struct PublicKeyTag;
using PublicKey = Id32<PublicKeyTag>;

struct Signature {
  std::array<std::uint8_t, 64> bytes{};
  constexpr auto operator<=>(const Signature&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.bytes); }
};

// A signing key. Moves only; wipes its memory when destroyed.
class SigningKey {
 public:
  static constexpr std::size_t kSeedSize = 32;

  // The key of a 32-byte seed (RFC 8032 §5.1.5).
  static SigningKey from_seed(std::span<const std::uint8_t, kSeedSize> seed);

  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&& other) noexcept;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey();

  const PublicKey& public_key() const { return public_key_; }
  Signature sign(ByteView message) const;
  // The seed, for writing a key file.
  std::array<std::uint8_t, kSeedSize> seed() const;

 private:
  SigningKey() = default;
  std::array<std::uint8_t, 64> secret_{};
  PublicKey public_key_;
};

// True iff `signature` is a valid signature of `message` under `key` by the rules above.
bool verify(const PublicKey& key, ByteView message, const Signature& signature);

// True iff the key is a canonical point of the prime-order subgroup; checked when a key is
// registered, so that verify() is only ever asked about such keys.
bool is_valid_key(const PublicKey& key);

}  // namespace hm::crypto
