// SPDX-License-Identifier: Apache-2.0
// The closed vocabularies of assets: kind, state, privacy level, with their one spelling each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "foundation/codec/reader.h"

namespace hm::assets {

enum class AssetKind : std::uint8_t {
  Cpu,
  Gpu,
  Memory,
  Storage,
  Network,
  Container,
  Economic,
  Concealed,  // the record does not say; its commitment covers the kind
};
inline constexpr std::size_t kAssetKindCount = 8;

enum class AssetState : std::uint8_t { Available, Allocated, InUse, Maintenance, Failed, Retired };

// From closed to open; `docs/glossary.md` says what each level shows.
enum class PrivacyLevel : std::uint8_t { Private, PrivateNetwork, P2P, PublicNetwork, FullPublic };

// "cpu", "gpu", "memory", "storage", "network", "container", "economic",
// "concealed".
std::string_view name_of(AssetKind kind);
std::optional<AssetKind> parse_kind(std::string_view name);

// "available", "allocated", "in_use", "maintenance", "failed", "retired".
std::string_view name_of(AssetState state);
std::optional<AssetState> parse_state(std::string_view name);

// "private", "private_network", "p2p", "public_network", "full_public".
std::string_view name_of(PrivacyLevel level);
std::optional<PrivacyLevel> parse_level(std::string_view name);

// True for the levels whose ledger entry is the full record. A Private asset is never on the
// ledger; at the levels between, the record holds a salted commitment in place of what it is.
constexpr bool shows_full_record(PrivacyLevel level) {
  return level == PrivacyLevel::PublicNetwork || level == PrivacyLevel::FullPublic;
}

}  // namespace hm::assets

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::assets::AssetKind> = hm::assets::AssetKind::Concealed;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::assets::AssetState> = hm::assets::AssetState::Retired;
template <>
inline constexpr auto hm::codec::kMaxEnum<hm::assets::PrivacyLevel> =
    hm::assets::PrivacyLevel::FullPublic;
