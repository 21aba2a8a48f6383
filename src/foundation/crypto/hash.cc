// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/hash.h"

#include <openssl/sha.h>

#include "foundation/base/check.h"

namespace hm::crypto {

// The low-level SHA256 calls are used on purpose: OpenSSL 3's EVP dispatch costs several times the
// hash of a short input.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

Digest sha256(ByteView input) {
  Digest digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, input.data(), input.size());
  SHA256_Final(digest.bytes.data(), &context);
  return digest;
}

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView piece) { SHA256_Update(&state_->context, piece.data(), piece.size()); }

Digest Sha256::digest() const {
  Digest digest;
  SHA256_CTX context = state_->context;
  SHA256_Final(digest.bytes.data(), &context);
  return digest;
}

Digest tagged_hash(std::string_view tag, ByteView input) {
  HM_CHECK(tag.size() < 256);
  const auto length = static_cast<std::uint8_t>(tag.size());
  Digest digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, &length, 1);
  SHA256_Update(&context, tag.data(), tag.size());
  SHA256_Update(&context, input.data(), input.size());
  SHA256_Final(digest.bytes.data(), &context);
  return digest;
}

Digest hash_pair(const Digest& left, const Digest& right) {
  constexpr std::uint8_t kInterior = 0x01;
  Digest digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, &kInterior, 1);
  SHA256_Update(&context, left.bytes.data(), left.bytes.size());
  SHA256_Update(&context, right.bytes.data(), right.bytes.size());
  SHA256_Final(digest.bytes.data(), &context);
  return digest;
}

#pragma GCC diagnostic pop

}  // namespace hm::crypto
