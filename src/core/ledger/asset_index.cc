// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/asset_index.h"

#include <algorithm>

namespace hm::ledger {
namespace {

// A person types at least this much, and is shown at least this much.
constexpr std::size_t kMinPrefix = 4;
constexpr std::size_t kMinShortForm = 8;

const AssetSet kNothing;

template <class Map, class Key>
void remove_from(Map& map, const Key& key, const crypto::Digest& hash) {
  const auto found = map.find(key);
  if (found == map.end()) return;
  found->second.erase(hash);
  if (found->second.empty()) map.erase(found);
}

template <class Map, class Key>
const AssetSet& look(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? kNothing : found->second;
}

bool is_uuid_char(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; }

std::size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

std::string_view name_of(PrefixError error) {
  switch (error) {
    case PrefixError::Malformed: return "not the beginning of an asset id (at least 4 characters)";
    case PrefixError::NotFound: return "no asset begins with this";
    case PrefixError::Ambiguous: return "several assets begin with this";
  }
  return "unknown";
}

void AssetIndex::add(const assets::AssetRecord& record) {
  const crypto::Digest& hash = record.id.hash;
  by_kind_.at(static_cast<std::size_t>(record.id.kind)).insert(hash);
  by_owner_[record.owner].insert(hash);
  by_node_[record.node].insert(hash);
  by_uuid_[record.id.uuid.to_string()].insert_or_assign(record.id.kind, hash);
}

void AssetIndex::remove(const assets::AssetRecord& record) {
  const crypto::Digest& hash = record.id.hash;
  by_kind_.at(static_cast<std::size_t>(record.id.kind)).erase(hash);
  remove_from(by_owner_, record.owner, hash);
  remove_from(by_node_, record.node, hash);
  const auto found = by_uuid_.find(record.id.uuid.to_string());
  if (found == by_uuid_.end()) return;
  found->second.erase(record.id.kind);
  if (found->second.empty()) by_uuid_.erase(found);
}

const AssetSet& AssetIndex::of_kind(assets::AssetKind kind) const {
  return by_kind_.at(static_cast<std::size_t>(kind));
}

const AssetSet& AssetIndex::of_owner(const identity::OwnerId& owner) const {
  return look(by_owner_, owner);
}

const AssetSet& AssetIndex::of_node(const identity::NodeId& node) const {
  return look(by_node_, node);
}

Result<crypto::Digest, PrefixError> AssetIndex::find(std::string_view prefix) const {
  std::optional<assets::AssetKind> kind;
  std::string_view hash;
  if (const std::size_t colon = prefix.find(':'); colon != std::string_view::npos) {
    kind = assets::parse_kind(prefix.substr(0, colon));
    if (!kind) return fail(PrefixError::Malformed);
    prefix.remove_prefix(colon + 1);
    if (const std::size_t second = prefix.find(':'); second != std::string_view::npos) {
      hash = prefix.substr(second + 1);
      prefix = prefix.substr(0, second);
    }
  }
  if (prefix.size() < kMinPrefix || !std::ranges::all_of(prefix, is_uuid_char)) {
    return fail(PrefixError::Malformed);
  }
  std::optional<crypto::Digest> found;
  for (auto at = by_uuid_.lower_bound(prefix);
       at != by_uuid_.end() && at->first.starts_with(prefix); ++at) {
    for (const auto& [candidate_kind, candidate] : at->second) {
      if (kind && candidate_kind != *kind) continue;
      if (!hash.empty() && !candidate.to_string().starts_with(hash)) continue;
      if (found) return fail(PrefixError::Ambiguous);
      found = candidate;
    }
  }
  if (!found) return fail(PrefixError::NotFound);
  return *found;
}

std::string AssetIndex::short_form(const assets::AssetId& id) const {
  const std::string uuid = id.uuid.to_string();
  std::size_t length = kMinShortForm;
  const auto at = by_uuid_.lower_bound(uuid);
  if (at != by_uuid_.begin()) {
    length = std::max(length, common_prefix(uuid, std::prev(at)->first) + 1);
  }
  auto next = at;
  if (next != by_uuid_.end() && next->first == uuid) ++next;
  if (next != by_uuid_.end()) length = std::max(length, common_prefix(uuid, next->first) + 1);
  length = std::min(length, uuid.size());
  // A dash at the end says nothing more.
  if (uuid[length - 1] == '-') ++length;
  return uuid.substr(0, length);
}

}  // namespace hm::ledger
