// SPDX-License-Identifier: Apache-2.0
// Where assets are found by something other than their hash. Derived from the asset table, kept in
// step with it by the ledger, never persisted.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/assets/record.h"
#include "foundation/base/result.h"

namespace hm::ledger {

using AssetSet = std::set<crypto::Digest>;  // AssetId::hash, in order

enum class PrefixError : std::uint8_t {
  Malformed,  // not a prefix of "kind:uuid", "uuid" or of a whole id
  NotFound,
  Ambiguous,
};
std::string_view name_of(PrefixError error);

class AssetIndex {
 public:
  void add(const assets::AssetRecord& record);
  void remove(const assets::AssetRecord& record);

  const AssetSet& of_kind(assets::AssetKind kind) const;
  const AssetSet& of_owner(const identity::OwnerId& owner) const;
  const AssetSet& of_node(const identity::NodeId& node) const;

  // The one asset whose uuid begins with `prefix` (hex digits, dashes where a UUID has them). A
  // leading "kind:" narrows the search; a whole id is a prefix of itself. At least 4 characters.
  Result<crypto::Digest, PrefixError> find(std::string_view prefix) const;

  // The shortest prefix of the uuid, at least 8 characters, that names this asset alone.
  std::string short_form(const assets::AssetId& id) const;

 private:
  std::array<AssetSet, assets::kAssetKindCount> by_kind_;
  std::map<identity::OwnerId, AssetSet> by_owner_;
  std::map<identity::NodeId, AssetSet> by_node_;
  // By the uuid's canonical text; two kinds may share a uuid.
  std::map<std::string, std::map<assets::AssetKind, crypto::Digest>, std::less<>> by_uuid_;
};

}  // namespace hm::ledger
