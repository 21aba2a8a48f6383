// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/rows.h"

#include <algorithm>

#include "core/ledger/row_key.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::ledger {
namespace {

using Loaded = Result<void, RestoreError>;

template <class K, class V>
std::optional<Bytes> encoded(const std::map<K, V>& rows, ByteView row) {
  const auto key = RowReader<K>::read(row);
  if (!key) return std::nullopt;
  const auto found = rows.find(*key);
  if (found == rows.end()) return std::nullopt;
  return codec::encode(found->second);
}

template <class K, class V>
Loaded load(std::map<K, V>& rows, ByteView row, ByteView value) {
  const auto key = RowReader<K>::read(row);
  if (!key) return fail(RestoreError::BadKey);
  auto decoded = codec::decode<V>(value);
  if (!decoded) return fail(RestoreError::BadValue);
  if (!rows.emplace(*key, std::move(*decoded)).second) return fail(RestoreError::BadKey);
  return {};
}

// The records that stand alone in their tables.
struct Singles {
  std::optional<ChainRecord> chain;
  std::optional<caesar::Supply> supply;
  std::optional<caesar::Pools> pools;
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
  const auto wanted = static_cast<Table>(entry.key.front());
  switch (wanted) {
    case Table::Chain: return load_single(singles.chain, row, value);
    case Table::Supply: return load_single(singles.supply, row, value);
    case Table::Pools: return load_single(singles.pools, row, value);
    case Table::Block: return load(tables.blocks, row, value);
    default: break;
  }
  Loaded loaded = fail(RestoreError::BadKey);
  zip_tables(tables, tables, [&](Table table, auto& rows, auto&) {
    if (table == wanted) loaded = load(rows, row, value);
  });
  return loaded;
}

// Each record stands under its own key, and what it names exists.
class Consistency {
 public:
  explicit Consistency(const Tables& tables) : t_(tables) {}

  bool holds() const {
    return every(t_.owners) && every(t_.nodes) && every(t_.validators) && every(t_.assets) &&
           every(t_.grants) && every(t_.groups) && every(t_.leases) && every(t_.delegations) &&
           every(t_.storage_commitments) && t_.owner_keys.size() == t_.owners.size() &&
           t_.addresses.size() == t_.assets.size() && are_uses_sums_of_leases() &&
           can_allowances_return();
  }

 private:
  template <class K, class V>
  bool every(const std::map<K, V>& rows) const {
    return std::ranges::all_of(rows, [this](const auto& row) { return is_right(row); });
  }

  bool is_right(const std::pair<const identity::OwnerId, OwnerRecord>& row) const {
    return t_.owner_keys.contains(row.first);
  }
  bool is_right(const std::pair<const identity::NodeId, NodeRecord>& row) const {
    return row.first == row.second.binding.node() && t_.owners.contains(row.second.binding.owner);
  }
  bool is_right(const std::pair<const identity::NodeId, ValidatorRecord>& row) const {
    const auto node = t_.nodes.find(row.first);
    return node != t_.nodes.end() && node->second.binding.node_key == row.second.key;
  }
  bool is_right(const std::pair<const crypto::Digest, assets::AssetRecord>& row) const {
    const assets::AssetRecord& asset = row.second;
    const auto address = t_.addresses.find(asset.address);
    return row.first == asset.id.hash && assets::verify(t_.chain.chain_id, asset.id) &&
           t_.owners.contains(asset.owner) && t_.nodes.contains(asset.node) &&
           asset.address == assets::address_of(t_.chain.chain_id, asset.id.hash) &&
           address != t_.addresses.end() && address->second == asset.id.hash;
  }
  bool is_right(const std::pair<const GrantKey, GrantRecord>& row) const {
    return row.first.first == row.second.grant.owner &&
           row.first.second == privacy::grant_id(t_.chain.chain_id, row.second.grant) &&
           t_.owners.contains(row.second.grant.issuer);
  }
  bool is_right(const std::pair<const privacy::GroupId, GroupRecord>& row) const {
    const privacy::Group& group = row.second.group;
    return row.first == privacy::group_id(t_.chain.chain_id, group.owner, group.name) &&
           t_.owners.contains(group.owner);
  }
  bool is_right(const std::pair<const LeaseId, LeaseRecord>& row) const {
    const LeaseRecord& lease = row.second;
    return t_.owners.contains(lease.tenant) && t_.owners.contains(lease.placement.provider) &&
           t_.assets.contains(lease.placement.choice.asset.hash) && is_opener_right(lease);
  }
  bool is_opener_right(const LeaseRecord& lease) const {
    if (!lease.opened_by) return lease.allowance_held == caesar::Amount{};
    const auto node = t_.nodes.find(*lease.opened_by);
    return node != t_.nodes.end() && node->second.binding.owner == lease.tenant &&
           lease.allowance_held <= lease.escrow;
  }
  bool is_right(const std::pair<const identity::NodeId, StorageCommitment>& row) const {
    return t_.nodes.contains(row.first) && row.second.generation > 0;
  }
  bool is_right(const std::pair<const DelegationKey, DelegationRecord>& row) const {
    return t_.validators.contains(row.first.first) && t_.owners.contains(row.first.second);
  }

  // What is leased of each asset is what its open leases say, and never more than is offered.
  bool are_uses_sums_of_leases() const {
    std::map<crypto::Digest, std::uint64_t> counted;
    std::size_t open = 0;
    for (const auto& [id, lease] : t_.leases) {
      if (!lease.is_open()) continue;
      ++open;
      std::uint64_t& sum = counted[lease.placement.choice.asset.hash];
      if (__builtin_add_overflow(sum, lease.quantity, &sum)) return false;
    }
    std::size_t listed = 0;
    for (const auto& [asset, use] : t_.asset_uses) {
      const auto found = t_.assets.find(asset);
      if (found == t_.assets.end() || use.leased > found->second.terms.quantity.offered) {
        return false;
      }
      const auto sum = counted.find(asset);
      if (sum == counted.end() || sum->second != use.leased) return false;
      listed += use.leases.size();
    }
    return listed == open && counted.size() == t_.asset_uses.size();
  }

  // What a node may spend and what may come back to it were one amount once.
  bool can_allowances_return() const {
    std::map<identity::NodeId, caesar::Amount> sums;
    for (const auto& [id, lease] : t_.leases) {
      if (lease.allowance_held == caesar::Amount{}) continue;
      const NodeRecord& node = t_.nodes.at(*lease.opened_by);
      if (lease.allowance_version != node.allowance_version) continue;
      caesar::Amount& sum = sums.try_emplace(*lease.opened_by, node.allowance).first->second;
      const auto more = caesar::checked_add(sum, lease.allowance_held);
      if (!more) return false;
      sum = *more;
    }
    return true;
  }

  const Tables& t_;
};

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
  const auto single = [&row](const auto& record) {
    return row.empty() ? std::optional(codec::encode(record)) : std::nullopt;
  };
  const auto wanted = static_cast<Table>(key.front());
  switch (wanted) {
    case Table::Chain: return single(tables.chain);
    case Table::Supply: return single(tables.supply);
    case Table::Pools: return single(tables.pools);
    case Table::Block: return encoded(tables.blocks, row);
    default: break;
  }
  std::optional<Bytes> value;
  zip_tables(tables, tables, [&](Table table, const auto& rows, const auto&) {
    if (table == wanted) value = encoded(rows, row);
  });
  return value;
}

std::vector<StateEntry> entries_of(const Tables& tables) {
  std::vector<StateEntry> entries;
  const auto add = [&entries](Bytes key, const auto& record) {
    entries.push_back({std::move(key), codec::encode(record)});
  };
  add(row_key(Table::Chain), tables.chain);
  add(row_key(Table::Supply), tables.supply);
  add(row_key(Table::Pools), tables.pools);
  for (const auto& [height, block] : tables.blocks) add(row_key(Table::Block, height), block);
  zip_tables(tables, tables, [&](Table table, const auto& rows, const auto&) {
    for (const auto& [row, record] : rows) add(row_key(table, row), record);
  });
  std::ranges::sort(entries, {}, &StateEntry::key);
  return entries;
}

Result<Tables, RestoreError> tables_of(std::span<const StateEntry> entries) {
  Tables tables;
  Singles singles;
  for (const StateEntry& entry : entries) HM_TRY_VOID(load_entry(tables, singles, entry));
  if (!singles.chain || !singles.supply || !singles.pools || tables.blocks.empty()) {
    return fail(RestoreError::Incomplete);
  }
  tables.chain = std::move(*singles.chain);
  tables.supply = *singles.supply;
  tables.pools = *singles.pools;
  if (!is_whole_window(tables)) return fail(RestoreError::Incomplete);
  if (!Consistency(tables).holds()) return fail(RestoreError::Inconsistent);
  return tables;
}

Result<Ledger, RestoreError> Ledger::restore(std::span<const StateEntry> entries,
                                             const crypto::Digest& expected_root,
                                             FaultJudge judge) {
  Ledger ledger;
  ledger.judge_ = judge;
  HM_TRY(ledger.tables_, tables_of(entries));
  ledger.rebuild();
  if (ledger.root() != expected_root) return fail(RestoreError::WrongRoot);
  if (!ledger.tables_.supply.is_conserved() || ledger.recount() != ledger.tables_.supply) {
    return fail(RestoreError::NotConserved);
  }
  return ledger;
}

}  // namespace hm::ledger
