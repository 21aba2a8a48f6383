// SPDX-License-Identifier: Apache-2.0
#include "core/identity/key_bundle.h"

#include <algorithm>

#include "foundation/codec/writer.h"
#include "foundation/crypto/hash.h"

namespace hm::identity {
namespace {

constexpr std::size_t kKeysPerBundle = 3;

}  // namespace

std::string_view algorithm_name(std::uint16_t algorithm) {
  switch (algorithm) {
    case kAlgorithmEd25519: return "ed25519";
    case kAlgorithmFalcon1024: return "falcon-1024";
    case kAlgorithmMlKem1024: return "ml-kem-1024";
    default: return {};
  }
}

std::string_view name_of(BundleError error) {
  switch (error) {
    case BundleError::MissingKey: return "not one key each of Ed25519, Falcon-1024 and ML-KEM-1024";
    case BundleError::UnknownAlgorithm: return "unknown key algorithm";
    case BundleError::BadKeySize: return "key of the wrong size";
    case BundleError::InvalidEd25519: return "not a valid Ed25519 key";
    case BundleError::InvalidFalcon: return "not a valid Falcon-1024 key";
    case BundleError::InvalidMlKem: return "not a valid ML-KEM-1024 key";
  }
  return "unknown";
}

bool KeyBundle::has_ed25519(const crypto::PublicKey& key) const {
  const auto found = keys.find(kAlgorithmEd25519);
  return found != keys.end() && std::ranges::equal(found->second, key.bytes);
}

Result<PublicKeys, BundleError> validate(const KeyBundle& bundle) {
  for (const auto& [algorithm, key] : bundle.keys) {
    if (algorithm_name(algorithm).empty()) return fail(BundleError::UnknownAlgorithm);
  }
  if (bundle.keys.size() != kKeysPerBundle) return fail(BundleError::MissingKey);
  const Bytes& ed25519 = bundle.keys.at(kAlgorithmEd25519);
  const Bytes& falcon_bytes = bundle.keys.at(kAlgorithmFalcon1024);
  const Bytes& ml_kem_bytes = bundle.keys.at(kAlgorithmMlKem1024);
  crypto::PublicKey key;
  if (ed25519.size() != key.bytes.size() || falcon_bytes.size() != falcon::kPublicKeySize ||
      ml_kem_bytes.size() != MlKemPublicKey::kSize) {
    return fail(BundleError::BadKeySize);
  }
  std::ranges::copy(ed25519, key.bytes.begin());
  if (!crypto::is_valid_key(key)) return fail(BundleError::InvalidEd25519);
  auto falcon_key = falcon::VerifyingKey::decode(falcon_bytes);
  if (!falcon_key) return fail(BundleError::InvalidFalcon);
  auto ml_kem_key = MlKemPublicKey::parse(ml_kem_bytes);
  if (!ml_kem_key) return fail(BundleError::InvalidMlKem);
  return PublicKeys{key, *falcon_key, *ml_kem_key};
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
