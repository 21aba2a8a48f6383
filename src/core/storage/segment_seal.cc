// SPDX-License-Identifier: Apache-2.0
#include "core/storage/segment_seal.h"

#include <algorithm>
#include <array>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/blake3/blake3.h"
#include "foundation/codec/writer.h"
#include "foundation/crypto/little_endian.h"
#include "foundation/crypto/wipe.h"

namespace hm::storage {
namespace {

Bytes associated_data(const Binding& binding, std::uint8_t flags) {
  codec::Writer writer;
  writer.write(std::string_view("hm.storage.segment.v1"));
  writer.write(flags);
  writer.write(binding);
  return std::move(writer).take();
}

// A segment in a domain has a secret of its own; those of an object share one, and differ in their
// number, which its keys are made of, too.
crypto::AeadNonce nonce_of(const Binding& binding) {
  crypto::AeadNonce nonce{};
  if (const auto* object = std::get_if<ObjectBinding>(&binding)) {
    crypto::store_little_endian(object->number, nonce.data());
  }
  return nonce;
}

struct Keys {
  crypto::AeadKey key;
  std::array<std::uint8_t, kKeyCheckSize> check;
};

Keys keys_of(const SegmentSecret& secret, ByteView associated) {
  crypto::Wiped<std::array<std::uint8_t, sizeof(Keys)>> out;
  blake3::Hasher hasher = blake3::Hasher::keyed(secret);
  hasher.update(associated);
  hasher.extended_output(0, *out);
  Keys keys;
  std::copy_n(out->begin(), keys.key.size(), keys.key.begin());
  std::copy_n(out->begin() + keys.key.size(), keys.check.size(), keys.check.begin());
  return keys;
}

}  // namespace

void SegmentSealer::seal(const SegmentSecret& secret, const Binding& binding, std::uint8_t flags,
                         std::span<const ByteView> bytes,
                         std::span<const std::span<std::uint8_t>> sealed) {
  const Bytes associated = associated_data(binding, flags);
  const crypto::Wiped<Keys> keys([&] { return keys_of(secret, associated); });
  ByteView check = keys.value.check;
  std::vector<std::span<std::uint8_t>> rest;  // behind the key check
  for (const std::span<std::uint8_t> space : sealed) {
    const std::size_t now = std::min(check.size(), space.size());
    std::copy_n(check.begin(), now, space.begin());
    check = check.subspan(now);
    if (now < space.size()) rest.push_back(space.subspan(now));
  }
  HM_CHECK(check.empty());
  aead_.seal_pieces(keys.value.key, nonce_of(binding), associated, bytes, rest);
}

bool SegmentSealer::open(const SegmentSecret& secret, const Binding& binding, std::uint8_t flags,
                         ByteView sealed, std::span<std::uint8_t> bytes) {
  HM_CHECK(sealed.size() == bytes.size() + kSealOverhead);
  const Bytes associated = associated_data(binding, flags);
  const crypto::Wiped<Keys> keys([&] { return keys_of(secret, associated); });
  if (!crypto::equal_in_constant_time(keys.value.check, sealed.first(kKeyCheckSize))) return false;
  return aead_.open(keys.value.key, nonce_of(binding), associated, sealed.subspan(kKeyCheckSize),
                    bytes);
}

}  // namespace hm::storage
