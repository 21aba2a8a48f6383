// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/ed25519.h"

#include <sodium.h>

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::crypto {
namespace {

// libsodium picks its implementations in sodium_init(); once per process, before the first use.
void ensure_ready() {
  static const bool ready = sodium_init() >= 0;
  HM_CHECK(ready);
}

}  // namespace

SigningKey SigningKey::from_seed(std::span<const std::uint8_t, kSeedSize> seed) {
  ensure_ready();
  SigningKey key;
  HM_CHECK(
      crypto_sign_seed_keypair(key.public_key_.bytes.data(), key.secret_.data(), seed.data()) == 0);
  return key;
}

SigningKey::SigningKey(SigningKey&& other) noexcept
    : secret_(other.secret_), public_key_(other.public_key_) {
  sodium_memzero(other.secret_.data(), other.secret_.size());
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  if (this != &other) {
    secret_ = other.secret_;
    public_key_ = other.public_key_;
    sodium_memzero(other.secret_.data(), other.secret_.size());
  }
  return *this;
}

SigningKey::~SigningKey() { sodium_memzero(secret_.data(), secret_.size()); }

Signature SigningKey::sign(ByteView message) const {
  Signature signature;
  crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                       secret_.data());
  return signature;
}

std::array<std::uint8_t, SigningKey::kSeedSize> SigningKey::seed() const {
  std::array<std::uint8_t, kSeedSize> seed{};
  std::copy_n(secret_.begin(), kSeedSize, seed.begin());
  return seed;
}

// libsodium refuses S >= L, an R or key of small order and a key that is not canonical; R is
// compared as bytes with the one canonical encoding of S·B - k·A, so a second spelling of R fails.
bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
  ensure_ready();
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

bool is_valid_key(const PublicKey& key) {
  ensure_ready();
  return crypto_core_ed25519_is_valid_point(key.bytes.data()) == 1;
}

}  // namespace hm::crypto
