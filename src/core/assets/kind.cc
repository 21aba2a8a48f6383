// SPDX-License-Identifier: Apache-2.0
#include "core/assets/kind.h"

#include <array>

namespace hm::assets {
namespace {

constexpr std::array<std::string_view, kAssetKindCount> kKinds = {
    "cpu", "gpu", "memory", "storage", "network", "container", "economic", "concealed"};
constexpr std::array<std::string_view, 6> kStates = {"available",   "allocated", "in_use",
                                                     "maintenance", "failed",    "retired"};
constexpr std::array<std::string_view, 5> kLevels = {"private", "private_network", "p2p",
                                                     "public_network", "full_public"};

template <class E, std::size_t N>
std::optional<E> parse(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(AssetKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::optional<AssetKind> parse_kind(std::string_view name) {
  return parse<AssetKind>(kKinds, name);
}

std::string_view name_of(AssetState state) { return kStates.at(static_cast<std::size_t>(state)); }
std::optional<AssetState> parse_state(std::string_view name) {
  return parse<AssetState>(kStates, name);
}

std::string_view name_of(PrivacyLevel level) { return kLevels.at(static_cast<std::size_t>(level)); }
std::optional<PrivacyLevel> parse_level(std::string_view name) {
  return parse<PrivacyLevel>(kLevels, name);
}

}  // namespace hm::assets
