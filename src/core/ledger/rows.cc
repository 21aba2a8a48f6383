// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/rows.h"

#include <algorithm>

#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::ledger {
namespace {

using Loaded = Result<void, RestoreError>;

std::optional<std::uint64_t> height_of(ByteView row) {
  if (row.size() != 8) return std::nullopt;
  std::uint64_t height = 0;
  for (const std::uint8_t byte : row) height = (height << 8) | byte;
  return height;
}

// A fixed-size row key: an identifier, a digest or an address.
template <class K>
std::optional<K> key_as(ByteView row) {
  K key;
  if (row.size() != key.bytes.size()) return std::nullopt;
  std::ranges::copy(row, key.bytes.begin());
  return key;
}

template <class K, class V>
std::optional<Bytes> encoded(const std::map<K, V>& rows, const std::optional<K>& key) {
  if (!key) return std::nullopt;
  const auto found = rows.find(*key);
  if (found == rows.end()) return std::nullopt;
  return codec::encode(found->second);
}

template <class K, class V>
Loaded load(std::map<K, V>& rows, const std::optional<K>& key, ByteView value) {
  if (!key) return fail(RestoreError::BadKey);
  auto decoded = codec::decode<V>(value);
  if (!decoded) return fail(RestoreError::BadValue);
  if (!rows.emplace(*key, std::move(*decoded)).second) return fail(RestoreError::BadKey);
  return {};
}

// The chain and supply records stand alone in their tables.
struct Singles {
  std::optional<ChainRecord> chain;
  std::optional<caesar::Supply> supply;
};

template <class V>
Loaded load_single(std::optional<V>& record, ByteView row, ByteView value) {
  if (!row.empty() || record) return fail(RestoreError::BadKey);
  auto decoded = codec::decode<V>(value);
  if (!decoded) return fail(RestoreError::BadValue);
  record = std::move(*decoded);
  return {};
}

Loaded load_entry(Tables& tables, Singles& singles, const StateEntry& entry) {
  if (entry.key.empty()) return fail(RestoreError::BadKey);
  const ByteView row = ByteView(entry.key).subspan(1);
  const ByteView value = entry.value;
  switch (static_cast<Table>(entry.key.front())) {
    case Table::Chain: return load_single(singles.chain, row, value);
    case Table::Supply: return load_single(singles.supply, row, value);
    case Table::Block: return load(tables.blocks, height_of(row), value);
    case Table::Owner: return load(tables.owners, key_as<identity::OwnerId>(row), value);
    case Table::Node: return load(tables.nodes, key_as<identity::NodeId>(row), value);
    case Table::Validator: return load(tables.validators, key_as<identity::NodeId>(row), value);
    case Table::Asset: return load(tables.assets, key_as<crypto::Digest>(row), value);
    case Table::Address: return load(tables.addresses, key_as<assets::Address>(row), value);
    case Table::OwnerKeys: return load(tables.owner_keys, key_as<identity::OwnerId>(row), value);
  }
  return fail(RestoreError::BadKey);
}

// Each record stands under its own key, and what it names exists.
bool is_consistent(const Tables& tables) {
  const auto is_owner = [&](const auto& row) { return tables.owner_keys.contains(row.first); };
  const auto is_node = [&](const auto& row) {
    return row.first == row.second.binding.node() &&
           tables.owners.contains(row.second.binding.owner);
  };
  const auto is_validator = [&](const auto& row) {
    const auto node = tables.nodes.find(row.first);
    return node != tables.nodes.end() && node->second.binding.node_key == row.second.key;
  };
  const auto is_asset = [&](const auto& row) {
    const assets::AssetRecord& asset = row.second;
    const auto address = tables.addresses.find(asset.address);
    return row.first == asset.id.hash && assets::verify(tables.chain.chain_id, asset.id) &&
           tables.owners.contains(asset.owner) && tables.nodes.contains(asset.node) &&
           asset.address == assets::address_of(tables.chain.chain_id, asset.id.hash) &&
           address != tables.addresses.end() && address->second == asset.id.hash;
  };
  return std::ranges::all_of(tables.owners, is_owner) &&
         std::ranges::all_of(tables.nodes, is_node) &&
         std::ranges::all_of(tables.validators, is_validator) &&
         std::ranges::all_of(tables.assets, is_asset) &&
         tables.owner_keys.size() == tables.owners.size() &&
         tables.addresses.size() == tables.assets.size();
}

// The blocks are the window that the rules look into: without gaps, up to the head.
bool is_whole_window(const Tables& tables) {
  const std::uint64_t first = tables.blocks.begin()->first;
  const std::uint64_t last = tables.blocks.rbegin()->first;
  const std::uint64_t window = policy_of(tables.chain.preset).anchor_max_age;
  const std::uint64_t oldest = last + 1 > window ? last + 1 - window : 0;
  return first == oldest && last - first == tables.blocks.size() - 1;
}

}  // namespace

std::string_view name_of(RestoreError error) {
  switch (error) {
    case RestoreError::BadKey: return "a key of no table, or twice the same";
    case RestoreError::BadValue: return "a value that is not a record of its table";
    case RestoreError::Incomplete: return "a part that every state has is missing";
    case RestoreError::Inconsistent: return "records contradict each other";
    case RestoreError::NotConserved: return "the accounts do not add up to the supply";
    case RestoreError::WrongRoot: return "the entries do not have the recorded root";
  }
  return "unknown";
}

std::optional<Bytes> value_of(const Tables& tables, ByteView key) {
  if (key.empty()) return std::nullopt;
  const ByteView row = key.subspan(1);
  switch (static_cast<Table>(key.front())) {
    case Table::Chain:
      return row.empty() ? std::optional(codec::encode(tables.chain)) : std::nullopt;
    case Table::Supply:
      return row.empty() ? std::optional(codec::encode(tables.supply)) : std::nullopt;
    case Table::Block: return encoded(tables.blocks, height_of(row));
    case Table::Owner: return encoded(tables.owners, key_as<identity::OwnerId>(row));
    case Table::Node: return encoded(tables.nodes, key_as<identity::NodeId>(row));
    case Table::Validator: return encoded(tables.validators, key_as<identity::NodeId>(row));
    case Table::Asset: return encoded(tables.assets, key_as<crypto::Digest>(row));
    case Table::Address: return encoded(tables.addresses, key_as<assets::Address>(row));
    case Table::OwnerKeys: return encoded(tables.owner_keys, key_as<identity::OwnerId>(row));
  }
  return std::nullopt;
}

std::vector<StateEntry> entries_of(const Tables& tables) {
  std::vector<StateEntry> entries;
  const auto add = [&entries](Bytes key, const auto& record) {
    entries.push_back({std::move(key), codec::encode(record)});
  };
  add(chain_key(), tables.chain);
  add(supply_key(), tables.supply);
  for (const auto& [height, block] : tables.blocks) add(block_key(height), block);
  for (const auto& [id, owner] : tables.owners) add(owner_key(id), owner);
  for (const auto& [id, node] : tables.nodes) add(node_key(id), node);
  for (const auto& [id, validator] : tables.validators) add(validator_key(id), validator);
  for (const auto& [hash, asset] : tables.assets) add(asset_key(hash), asset);
  for (const auto& [address, hash] : tables.addresses) add(address_key(address), hash);
  for (const auto& [id, keys] : tables.owner_keys) add(owner_keys_key(id), keys);
  return entries;
}

Result<Tables, RestoreError> tables_of(std::span<const StateEntry> entries) {
  Tables tables;
  Singles singles;
  for (const StateEntry& entry : entries) HM_TRY_VOID(load_entry(tables, singles, entry));
  if (!singles.chain || !singles.supply || tables.blocks.empty()) {
    return fail(RestoreError::Incomplete);
  }
  tables.chain = std::move(*singles.chain);
  tables.supply = *singles.supply;
  if (!is_whole_window(tables)) return fail(RestoreError::Incomplete);
  if (!is_consistent(tables)) return fail(RestoreError::Inconsistent);
  return tables;
}

Result<Ledger, RestoreError> Ledger::restore(std::span<const StateEntry> entries,
                                             const crypto::Digest& expected_root) {
  Ledger ledger;
  HM_TRY(ledger.tables_, tables_of(entries));
  ledger.rebuild();
  if (ledger.root() != expected_root) return fail(RestoreError::WrongRoot);
  if (!ledger.tables_.supply.is_conserved() || ledger.recount() != ledger.tables_.supply) {
    return fail(RestoreError::NotConserved);
  }
  return ledger;
}

}  // namespace hm::ledger
