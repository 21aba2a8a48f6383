// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/password.h"

#include <sodium.h>

#include "foundation/base/check.h"

namespace hm::crypto {

static_assert(kPasswordSaltSize == crypto_pwhash_argon2id_SALTBYTES);

bool is_acceptable(const PasswordCost& cost) {
  return cost.passes >= kMinPasswordCost.passes && cost.passes <= kMaxPasswordCost.passes &&
         cost.memory_kib >= kMinPasswordCost.memory_kib &&
         cost.memory_kib <= kMaxPasswordCost.memory_kib;
}

std::optional<AeadKey> derive_password_key(std::string_view passphrase, const PasswordSalt& salt,
                                           const PasswordCost& cost) {
  HM_CHECK(is_acceptable(cost) && sodium_init() >= 0);
  AeadKey key{};
  const int failed = crypto_pwhash_argon2id(
      key.data(), key.size(), passphrase.data(), passphrase.size(), salt.data(), cost.passes,
      std::size_t{cost.memory_kib} * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (failed != 0) return std::nullopt;
  return key;
}

}  // namespace hm::crypto
