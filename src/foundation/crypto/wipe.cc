// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/wipe.h"

#include <openssl/crypto.h>

namespace hm::crypto {

void wipe(std::span<std::uint8_t> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hm::crypto
