// SPDX-License-Identifier: Apache-2.0
#include "core/storage/domain.h"

#include <algorithm>

#include "foundation/crypto/wipe.h"

namespace hm::storage {

Domain::Domain(const identity::OwnerId& owner, const DomainId& id,
               std::span<const std::uint8_t, kDomainSecretSize> secret)
    : owner_(owner), id_(id) {
  crypto::Wiped<std::array<std::uint8_t, kDomainSecretSize + 2 * identity::OwnerId::kSize>>
      material;
  auto next = std::ranges::copy(secret, material->begin()).out;
  next = std::ranges::copy(owner.bytes, next).out;
  std::ranges::copy(id.bytes, next);
  fingerprint_key_ = blake3::derive_key("hm.storage.domain.fingerprint.v1", *material);
  id_key_ = blake3::derive_key("hm.storage.domain.segment-id.v1", *material);
  secret_key_ = blake3::derive_key("hm.storage.domain.segment-secret.v1", *material);
}

Domain::~Domain() {
  crypto::wipe(fingerprint_key_);
  crypto::wipe(id_key_);
  crypto::wipe(secret_key_);
}

crypto::Digest Domain::fingerprint(ByteView bytes) const {
  return blake3::keyed_hash(fingerprint_key_, bytes);
}

crypto::Digest Domain::fingerprint(std::span<const ByteView> pieces) const {
  if (pieces.size() == 1) return fingerprint(pieces.front());
  blake3::Hasher hasher = blake3::Hasher::keyed(fingerprint_key_);
  for (const ByteView each : pieces) hasher.update(each);
  return hasher.digest();
}

SegmentId Domain::id_of(const crypto::Digest& segment) const {
  return {blake3::keyed_hash(id_key_, segment.bytes).bytes};
}

SegmentSecret Domain::secret_of(const crypto::Digest& sealed, std::uint8_t flags) const {
  std::array<std::uint8_t, crypto::Digest::kSize + 1> input{};
  std::ranges::copy(sealed.bytes, input.begin());
  input.back() = flags;
  return blake3::keyed_hash(secret_key_, input).bytes;
}

}  // namespace hm::storage
