// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/vault.h"

#include <algorithm>
#include <bit>
#include <set>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/codec/writer.h"

namespace hm::privacy {
namespace {

static_assert(std::has_single_bit(kVaultPlaces));
constexpr std::size_t kVaultDepth = std::bit_width(kVaultPlaces) - 1;

}  // namespace

std::string_view name_of(VaultError error) {
  switch (error) {
    case VaultError::TooMany: return "too many";
    case VaultError::WrongSize: return "wrong size";
    case VaultError::RepeatedId: return "repeated id";
  }
  return "unknown";
}

crypto::Digest vault_leaf(const VaultPlace& place) {
  return crypto::tagged_hash("hm.vault-leaf.v1", codec::encode(place));
}

bool verify(const crypto::Digest& root, const VaultOpening& opening) {
  if (opening.index >= kVaultPlaces || opening.siblings.size() != kVaultDepth) return false;
  crypto::Digest node = vault_leaf(opening.place);
  std::uint32_t index = opening.index;
  for (const crypto::Digest& sibling : opening.siblings) {
    node = index % 2 == 0 ? crypto::hash_pair(node, sibling) : crypto::hash_pair(sibling, node);
    index /= 2;
  }
  return node == root;
}

Vault::Vault(std::vector<VaultPlace> places) : places_(std::move(places)) {
  std::vector<crypto::Digest> level;
  for (const VaultPlace& place : places_) level.push_back(vault_leaf(place));
  levels_.push_back(std::move(level));
  while (levels_.back().size() > 1) {
    const std::vector<crypto::Digest>& below = levels_.back();
    std::vector<crypto::Digest> above;
    for (std::size_t i = 0; i < below.size(); i += 2) {
      above.push_back(crypto::hash_pair(below[i], below[i + 1]));
    }
    levels_.push_back(std::move(above));
  }
}

Result<Vault, VaultError> Vault::seal(std::vector<VaultAsset> assets, const Fill& fill) {
  if (assets.size() > kVaultPlaces) return fail(VaultError::TooMany);
  std::vector<VaultPlace> places(kVaultPlaces);
  for (std::size_t i = 0; i < places.size(); ++i) {
    fill(places[i].salt);
    if (i < assets.size()) places[i].asset = std::move(assets[i]);
  }
  // Where an asset lies would otherwise tell an opening's reader how many there are at least.
  std::ranges::sort(places, {}, &VaultPlace::salt);
  return from_places(std::move(places));
}

Result<Vault, VaultError> Vault::from_places(std::vector<VaultPlace> places) {
  if (places.size() != kVaultPlaces) return fail(VaultError::WrongSize);
  std::set<crypto::Digest> ids;
  for (const VaultPlace& place : places) {
    if (place.asset && !ids.insert(place.asset->id.hash).second) {
      return fail(VaultError::RepeatedId);
    }
  }
  return Vault(std::move(places));
}

std::vector<VaultAsset> Vault::assets() const {
  std::vector<VaultAsset> assets;
  for (const VaultPlace& place : places_) {
    if (place.asset) assets.push_back(*place.asset);
  }
  return assets;
}

VaultOpening Vault::open(std::uint32_t index) const {
  HM_CHECK(index < kVaultPlaces);
  VaultOpening opening{.index = index, .place = places_[index], .siblings = {}};
  for (std::size_t depth = 0; depth + 1 < levels_.size(); ++depth) {
    opening.siblings.push_back(levels_[depth][(index >> depth) ^ 1U]);
  }
  return opening;
}

crypto::Digest commitment(const VaultSalt& salt, const VaultAsset& asset) {
  Bytes bytes(salt.begin(), salt.end());
  const Bytes record = codec::encode(asset);
  bytes.insert(bytes.end(), record.begin(), record.end());
  return crypto::tagged_hash("hm.asset-commitment.v1", bytes);
}

}  // namespace hm::privacy
