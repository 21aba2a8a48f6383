// SPDX-License-Identifier: Apache-2.0
#include "core/identity/key_bundle.h"

#include <algorithm>

#include "foundation/codec/writer.h"
#include "foundation/crypto/hash.h"

namespace hm::identity {

std::string_view name_of(BundleError error) {
  switch (error) {
    case BundleError::MissingEd25519: return "no Ed25519 key";
    case BundleError::UnknownAlgorithm: return "unknown key algorithm";
    case BundleError::BadKeySize: return "key of the wrong size";
    case BundleError::InvalidKey: return "not a valid Ed25519 key";
  }
  return "unknown";
}

KeyBundle KeyBundle::of(const crypto::PublicKey& ed25519) {
  return {{{kAlgorithmEd25519, to_bytes(ed25519.bytes)}}};
}

Result<crypto::PublicKey, BundleError> validate(const KeyBundle& bundle) {
  const auto found = bundle.keys.find(kAlgorithmEd25519);
  if (found == bundle.keys.end()) return fail(BundleError::MissingEd25519);
  if (bundle.keys.size() != 1) return fail(BundleError::UnknownAlgorithm);
  crypto::PublicKey key;
  if (found->second.size() != key.bytes.size()) return fail(BundleError::BadKeySize);
  std::ranges::copy(found->second, key.bytes.begin());
  if (!crypto::is_valid_key(key)) return fail(BundleError::InvalidKey);
  return key;
}

OwnerId owner_id_of(const KeyBundle& bundle) {
  return {crypto::tagged_hash("hm.owner.v1", codec::encode(bundle)).bytes};
}

NodeId node_id_of(const crypto::PublicKey& key) {
  return {crypto::tagged_hash("hm.node.v1", key.view()).bytes};
}

bool is_valid_name(std::string_view name) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > kMaxNameLength) return false;
  if (!letter_or_digit(name.front()) || !letter_or_digit(name.back())) return false;
  return std::ranges::all_of(
      name, [&](char c) { return letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace hm::identity
