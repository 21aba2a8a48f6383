// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/hkdf.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "foundation/base/check.h"
#include "foundation/crypto/wipe.h"

namespace hm::crypto {

Digest hmac_sha256(ByteView key, ByteView message) {
  // HMAC() takes a null key as "the key of last time", so an empty one needs an address.
  static constexpr std::uint8_t kEmpty = 0;
  Digest digest;
  unsigned int size = 0;
  HM_CHECK(HMAC(EVP_sha256(), key.empty() ? &kEmpty : key.data(), static_cast<int>(key.size()),
                message.data(), message.size(), digest.bytes.data(), &size) != nullptr);
  HM_CHECK(size == digest.bytes.size());
  return digest;
}

void hkdf_sha256(ByteView secret, ByteView salt, ByteView info, std::span<std::uint8_t> out) {
  HM_CHECK(!out.empty() && out.size() <= kMaxHkdfOutput);
  static constexpr Digest kZeroSalt{};  // RFC 5869 §2.2: not provided means HashLen zeros
  Digest extracted = hmac_sha256(salt.empty() ? kZeroSalt.view() : salt, secret);

  Digest block;
  Bytes input;  // T(i-1) ‖ info ‖ i
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < out.size();) {
    input.clear();
    if (counter > 0) input.assign(block.bytes.begin(), block.bytes.end());
    input.insert(input.end(), info.begin(), info.end());
    input.push_back(++counter);
    block = hmac_sha256(extracted.view(), input);
    const std::size_t take = std::min(block.bytes.size(), out.size() - done);
    std::copy_n(block.bytes.begin(), take, out.begin() + static_cast<std::ptrdiff_t>(done));
    done += take;
  }
  wipe(extracted.bytes);
  wipe(block.bytes);
  wipe(input);
}

}  // namespace hm::crypto
