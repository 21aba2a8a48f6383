// SPDX-License-Identifier: Apache-2.0
// What a node keeps of its owner's Private assets and what of them reaches the ledger: one root
// over a fixed number of places, each salted, occupied or not. docs/protocols/lending.md, "Vault".
//
// Promises: without an opening, root, count and sizes tell nothing about what lies in a vault, not
// even whether anything does; an opening shows one place and hides the others. Chance is an
// argument. It keeps nothing by itself.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/assets/record.h"
#include "core/privacy/limits.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

namespace hm::privacy {

using VaultSalt = std::array<std::uint8_t, kVaultSaltSize>;

struct VaultAsset {
  assets::AssetId id;
  assets::AssetTerms terms;
  bool operator==(const VaultAsset&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.id, self.terms); }
};

struct VaultPlace {
  VaultSalt salt{};
  std::optional<VaultAsset> asset;
  bool operator==(const VaultPlace&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.salt, self.asset); }
};
// H("hm.vault-leaf.v1", salt ‖ asset?).
crypto::Digest vault_leaf(const VaultPlace& place);

// Shows that a place of the vault with this root holds this.
struct VaultOpening {
  std::uint32_t index = 0;
  VaultPlace place;
  std::vector<crypto::Digest> siblings;  // from the leaf up
  bool operator==(const VaultOpening&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.index, self.place, self.siblings);
  }
};
bool verify(const crypto::Digest& root, const VaultOpening& opening);

enum class VaultError : std::uint8_t {
  TooMany,     // more assets than places
  WrongSize,   // not exactly kVaultPlaces places
  RepeatedId,  // two places hold the same asset
};
std::string_view name_of(VaultError error);

class Vault {
 public:
  using Fill = std::function<void(std::span<std::uint8_t>)>;

  // Every place gets a new salt from `fill`, and which asset lies where follows from the salts.
  static Result<Vault, VaultError> seal(std::vector<VaultAsset> assets, const Fill& fill);
  // As it was kept.
  static Result<Vault, VaultError> from_places(std::vector<VaultPlace> places);

  const crypto::Digest& root() const { return levels_.back().front(); }
  const std::vector<VaultPlace>& places() const { return places_; }
  std::vector<VaultAsset> assets() const;
  // Requires: index < kVaultPlaces.
  VaultOpening open(std::uint32_t index) const;

 private:
  explicit Vault(std::vector<VaultPlace> places);

  std::vector<VaultPlace> places_;
  std::vector<std::vector<crypto::Digest>> levels_;  // leaves first
};

// The commitment in the ledger's record of an asset at PrivateNetwork or P2P:
// H("hm.asset-commitment.v1", salt ‖ the true record). Whoever is shown salt and record can check.
crypto::Digest commitment(const VaultSalt& salt, const VaultAsset& asset);

}  // namespace hm::privacy
