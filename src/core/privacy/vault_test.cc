// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/vault.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "foundation/codec/writer.h"

namespace hm::privacy {
namespace {

Vault::Fill counting(std::uint8_t seed) {
  return [counter = std::uint32_t{0}, seed](std::span<std::uint8_t> out) mutable {
    const auto bytes =
        crypto::sha256(codec::encode(std::vector<std::uint32_t>{seed, counter++})).bytes;
    std::copy_n(bytes.begin(), out.size(), out.begin());
  };
}

VaultAsset asset(std::uint8_t number) {
  std::array<std::uint8_t, assets::kUuidRandomSize> random{};
  random.fill(number);
  VaultAsset made;
  made.id = assets::AssetId::make({}, assets::AssetKind::Gpu, UnixMillis(1), random);
  made.terms.descriptor = {{"model", std::string("secret")}};
  made.terms.quantity = {number, number, number, "bytes"};
  return made;
}

TEST(Vault, EveryPlaceOpensUnderTheRootAndNothingElseDoes) {
  const auto vault = Vault::seal({asset(1), asset(2)}, counting(1)).value();
  std::size_t occupied = 0;
  for (std::uint32_t i = 0; i < kVaultPlaces; ++i) {
    VaultOpening opening = vault.open(i);
    EXPECT_TRUE(verify(vault.root(), opening));
    if (opening.place.asset) ++occupied;
    VaultOpening moved = opening;
    moved.index ^= 1;
    EXPECT_FALSE(verify(vault.root(), moved));
    VaultOpening resalted = opening;
    resalted.place.salt[0] ^= 1;
    EXPECT_FALSE(verify(vault.root(), resalted));
    VaultOpening swapped = opening;
    swapped.place.asset = asset(9);
    EXPECT_FALSE(verify(vault.root(), swapped));
    opening.siblings.pop_back();
    EXPECT_FALSE(verify(vault.root(), opening));
  }
  EXPECT_EQ(occupied, 2U);
  VaultOpening beyond = vault.open(0);
  beyond.index = kVaultPlaces;
  EXPECT_FALSE(verify(vault.root(), beyond));
}

TEST(Vault, SealingAnewGivesAnotherRootForTheSameAssets) {
  const auto first = Vault::seal({asset(1)}, counting(1)).value();
  const auto second = Vault::seal({asset(1)}, counting(2)).value();
  EXPECT_NE(first.root(), second.root());
  EXPECT_EQ(first.assets(), second.assets());
}

TEST(Vault, WhereAnAssetLiesFollowsFromChance) {
  std::set<std::uint32_t> places;
  for (std::uint8_t seed = 0; seed < 32; ++seed) {
    const auto vault = Vault::seal({asset(1)}, counting(seed)).value();
    for (std::uint32_t i = 0; i < kVaultPlaces; ++i) {
      if (vault.places()[i].asset) places.insert(i);
    }
  }
  EXPECT_GT(places.size(), 8U);
}

TEST(Vault, ComesBackFromItsPlaces) {
  const auto vault = Vault::seal({asset(1), asset(2), asset(3)}, counting(4)).value();
  EXPECT_EQ(Vault::from_places(vault.places()).value().root(), vault.root());
}

TEST(Vault, RefusesTooManyAssetsAMissingPlaceAndARepeatedId) {
  std::vector<VaultAsset> many;
  for (std::uint8_t i = 0; i <= kVaultPlaces; ++i) many.push_back(asset(i));
  EXPECT_EQ(Vault::seal(many, counting(1)).error(), VaultError::TooMany);
  many.pop_back();
  EXPECT_EQ(Vault::seal(many, counting(1)).value().assets().size(), kVaultPlaces);
  EXPECT_EQ(Vault::seal({asset(1), asset(1)}, counting(1)).error(), VaultError::RepeatedId);
  auto places = Vault::seal({}, counting(1)).value().places();
  places.pop_back();
  EXPECT_EQ(Vault::from_places(places).error(), VaultError::WrongSize);
}

TEST(Commitment, DependsOnSaltIdAndTerms) {
  const VaultSalt salt{1};
  const auto one = commitment(salt, asset(1));
  EXPECT_NE(one, commitment(VaultSalt{2}, asset(1)));
  EXPECT_NE(one, commitment(salt, asset(2)));
  VaultAsset other = asset(1);
  other.terms.quantity.offered = 0;
  EXPECT_NE(one, commitment(salt, other));
}

}  // namespace
}  // namespace hm::privacy
