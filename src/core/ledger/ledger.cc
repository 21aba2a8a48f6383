// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/ledger.h"

#include <algorithm>
#include <array>

#include "core/ledger/account_book.h"
#include "core/ledger/epoch.h"
#include "core/ledger/layer.h"
#include "core/ledger/lease_book.h"
#include "core/ledger/limits.h"
#include "core/ledger/row_key.h"
#include "core/ledger/rows.h"
#include "core/ledger/rules.h"
#include "foundation/base/check.h"
#include "foundation/codec/writer.h"

namespace hm::ledger {
namespace {

template <class K, class V>
const V* look(const std::map<K, V>& rows, const K& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? nullptr : &found->second;
}

// Collects the rows that a block changed, for the store and for the tree.
class Changed {
 public:
  template <class V>
  void put(Bytes key, const V& value) {
    Bytes bytes = codec::encode(value);
    updates_.push_back({crypto::sha256(key), crypto::sha256(bytes)});
    writes_.push_back({std::move(key), std::move(bytes)});
  }
  void remove(Bytes key) {
    updates_.push_back({crypto::sha256(key), std::nullopt});
    writes_.push_back({std::move(key), std::nullopt});
  }

  std::vector<StateWrite> finish(MerkleTree& tree) && {
    tree.update(std::move(updates_));
    std::ranges::sort(writes_, {}, &StateWrite::key);
    return std::move(writes_);
  }

 private:
  std::vector<StateWrite> writes_;
  std::vector<MerkleUpdate> updates_;
};

// What a record holds, by compartment. The sums follow the records themselves, not what the actions
// believe they did: that is what makes the comparison with the supply a check.
caesar::Supply holdings(const OwnerRecord& owner) {
  const caesar::Account& account = owner.account;
  return {.balances = account.balance,
          .bonds = caesar::Amount{account.bond.value + account.unbonding.value}};
}
caesar::Supply holdings(const LeaseRecord& lease) { return {.escrows = lease.escrow}; }
caesar::Supply holdings(const ValidatorRecord& validator) {
  return {.bonds = validator.delegated.total};
}
template <class Other>
caesar::Supply holdings(const Other&) {
  return {};
}

constexpr std::array kCompartments = {&caesar::Supply::balances, &caesar::Supply::escrows,
                                      &caesar::Supply::bonds};

template <class Record>
void add_holdings(caesar::Supply& sums, const Record& record) {
  const caesar::Supply held = holdings(record);
  for (const auto part : kCompartments) (sums.*part).value += (held.*part).value;
}
template <class Record>
void take_holdings(caesar::Supply& sums, const Record& record) {
  const caesar::Supply held = holdings(record);
  for (const auto part : kCompartments) (sums.*part).value -= (held.*part).value;
}

}  // namespace

crypto::Digest receipts_root(const std::vector<Receipt>& receipts) {
  return crypto::tagged_hash("hm.receipts.v1", codec::encode(receipts));
}

Ledger Ledger::from_genesis(const Genesis& genesis, FaultJudge judge) {
  Ledger ledger;
  ledger.judge_ = judge;
  Tables& tables = ledger.tables_;
  tables.chain = {.chain_id = hm::ledger::chain_id(genesis),
                  .name = genesis.chain_name,
                  .preset = genesis.preset,
                  .genesis_time = genesis.time,
                  .root = genesis.root,
                  .economy = genesis.economy};
  for (const GenesisOwner& owner : genesis.owners) {
    const identity::OwnerId id = identity::owner_id_of(owner.bundle);
    OwnerRecord record{.name = owner.name};
    HM_CHECK(caesar::mint(tables.supply, caesar::balance_of(record.account), owner.balance) &&
             caesar::mint(tables.supply, caesar::bond_of(record.account), owner.bond));
    tables.owners.emplace(id, std::move(record));
    tables.owner_keys.emplace(id, OwnerKeyRecord{.bundle = owner.bundle});
  }
  HM_CHECK(caesar::mint(tables.supply, caesar::as_pool(tables.pools.starter),
                        genesis.economy.starter_pool));
  for (const identity::NodeBinding& binding : genesis.nodes) {
    tables.nodes.emplace(binding.node(), NodeRecord{.binding = binding});
  }
  for (const GenesisValidator& validator : genesis.validators) {
    const identity::NodeBinding& binding = tables.nodes.at(validator.node).binding;
    tables.validators.emplace(validator.node,
                              ValidatorRecord{binding.node_key, validator.stake, {}});
    tables.owners.at(binding.owner).staked.value += validator.stake.value;
  }
  tables.blocks.emplace(
      0, BlockRecord{{tables.chain.chain_id.bytes}, genesis.time, 0, receipts_root({})});
  ledger.rebuild();
  HM_CHECK(tables.supply.is_conserved() && ledger.recount() == tables.supply);
  return ledger;
}

void Ledger::rebuild() {
  std::vector<MerkleUpdate> updates;
  for (const StateEntry& entry : export_state()) {
    updates.push_back({crypto::sha256(entry.key), crypto::sha256(entry.value)});
  }
  tree_ = {};
  tree_.update(std::move(updates));
  index_ = {};
  for (const auto& [hash, asset] : tables_.assets) index_.add(asset);
  lease_index_ = {};
  for (const auto& [id, lease] : tables_.leases) lease_index_.add(policy(), id, lease);
}

std::optional<Refused> Ledger::precheck(const PreparedOperation& operation) const {
  Layer scratch(tables_);
  return execute(scratch, {height() + 1, head().time, judge_}, operation);
}

BlockOutcome Ledger::apply(const BlockContext& block,
                           std::span<const PreparedOperation> operations) {
  HM_CHECK(block.height == height() + 1);
  const UnixMillis time = std::max(block.time, head().time);
  Layer layer(tables_);
  run_clock(layer, block.height, time);
  BlockOutcome outcome;
  outcome.receipts.reserve(operations.size());
  for (const PreparedOperation& operation : operations) {
    outcome.receipts.push_back(
        {operation.id, execute(layer, {block.height, time, judge_}, operation)});
  }
  outcome.receipts_root = receipts_root(outcome.receipts);
  outcome.changes = layer.changes();
  outcome.lease_changes = layer.lease_changes();
  const BlockRecord record{block.hash, time, static_cast<std::uint32_t>(operations.size()),
                           outcome.receipts_root};
  outcome.writes = commit(std::move(layer), block.height, record);
  outcome.root = tree_.root();
  return outcome;
}

// What the block's time and height bring about before its operations.
void Ledger::run_clock(Layer& layer, std::uint64_t height, UnixMillis time) const {
  const Frame frame{height, time};
  if (ends_epoch(chain().economy, height)) end_epoch(layer, frame, tables_.validators);
  LeaseBook leases(layer, frame, std::nullopt);
  for (const LeaseId& id : lease_index_.due(time, kMaxDueLeasesPerBlock)) leases.catch_up(id);
}

void Ledger::reindex(const crypto::Digest&, const assets::AssetRecord* before,
                     const assets::AssetRecord* after) {
  // Kind and uuid never change, and mostly nothing else that is looked up by.
  if (before != nullptr && before->owner == after->owner && before->node == after->node) return;
  if (before != nullptr) index_.remove(*before);
  index_.add(*after);
}

void Ledger::reindex(const LeaseId& id, const LeaseRecord* before, const LeaseRecord* after) {
  if (before != nullptr) lease_index_.remove(policy(), id, *before);
  if (after != nullptr) lease_index_.add(policy(), id, *after);
}

std::vector<StateWrite> Ledger::commit(Layer&& layer, std::uint64_t height,
                                       const BlockRecord& block) {
  Changed changed;
  caesar::Supply sums = tables_.supply;
  zip_tables(tables_, layer, [&](Table table, auto& rows, auto& overlay) {
    for (auto& [key, value] : overlay.changes()) {
      const auto place = rows.lower_bound(key);
      const bool is_there = place != rows.end() && place->first == key;
      reindex(key, is_there ? &place->second : nullptr, value ? &*value : nullptr);
      if (is_there) take_holdings(sums, place->second);
      if (!value) {
        if (!is_there) continue;
        changed.remove(row_key(table, key));
        rows.erase(place);
        continue;
      }
      add_holdings(sums, *value);
      changed.put(row_key(table, key), *value);
      if (is_there) {
        place->second = std::move(*value);
      } else {
        rows.emplace_hint(place, key, std::move(*value));
      }
    }
  });
  if (layer.changed_supply()) {
    tables_.supply = *layer.changed_supply();
    changed.put(row_key(Table::Supply), tables_.supply);
  }
  if (layer.changed_pools()) {
    tables_.pools = *layer.changed_pools();
    changed.put(row_key(Table::Pools), tables_.pools);
  }
  HM_CHECK(tables_.supply.is_conserved());
  for (const auto part : kCompartments) HM_CHECK(sums.*part == tables_.supply.*part);
  HM_CHECK(caesar::sum(tables_.pools) == tables_.supply.pools);

  changed.put(row_key(Table::Block, height), block);
  tables_.blocks.emplace(height, block);
  // The next block may anchor as far back as the policy says, and no further.
  while (height + 1 - tables_.blocks.begin()->first > policy().anchor_max_age) {
    changed.remove(row_key(Table::Block, tables_.blocks.begin()->first));
    tables_.blocks.erase(tables_.blocks.begin());
  }
  return std::move(changed).finish(tree_);
}

std::optional<std::uint64_t> Ledger::next_sequence(const Actor& actor) const {
  if (const auto* id = std::get_if<identity::OwnerId>(&actor)) {
    const OwnerRecord* record = owner(*id);
    return record != nullptr ? std::optional(record->progress.sequence + 1) : std::nullopt;
  }
  const NodeRecord* record = node(std::get<identity::NodeId>(actor));
  return record != nullptr ? std::optional(record->progress.sequence + 1) : std::nullopt;
}

const OwnerRecord* Ledger::owner(const identity::OwnerId& id) const {
  return look(tables_.owners, id);
}

const OwnerKeyRecord* Ledger::owner_keys(const identity::OwnerId& id) const {
  return look(tables_.owner_keys, id);
}

const NodeRecord* Ledger::node(const identity::NodeId& id) const { return look(tables_.nodes, id); }

const assets::AssetRecord* Ledger::asset(const crypto::Digest& hash) const {
  return look(tables_.assets, hash);
}

const LeaseRecord* Ledger::lease(const LeaseId& id) const { return look(tables_.leases, id); }

const StorageCommitment* Ledger::storage_commitment(const identity::NodeId& node) const {
  return look(tables_.storage_commitments, node);
}

caesar::Account Ledger::account(const identity::OwnerId& id) const {
  return account_at(tables_.chain, tables_.owners.at(id), look(tables_.unbondings, id),
                    head().time);
}

const assets::AssetRecord* Ledger::asset_at(const assets::Address& address) const {
  const crypto::Digest* hash = look(tables_.addresses, address);
  return hash != nullptr ? asset(*hash) : nullptr;
}

proofs::FourVerdicts Ledger::verdicts(const assets::AssetRecord& asset) const {
  const OwnerRecord* holder = owner(asset.owner);
  const NodeRecord* place = node(asset.node);
  proofs::StakeFacts stake;
  stake.owner_registered = holder != nullptr;
  stake.node_bound_to_owner = place != nullptr && place->binding.owner == asset.owner;
  if (holder != nullptr) stake.bond = holder->account.bond;
  stake.minimum = policy().bond_register_asset;
  stake.last_operation = asset.last_operation;
  return {.space = proofs::space_verdict(nullptr, height()),
          .stake = proofs::stake_verdict(stake),
          .work = proofs::work_verdict(nullptr, height()),
          .time = proofs::time_verdict(asset.changed, asset.last_operation)};
}

StateProof Ledger::prove(ByteView key) const {
  return {root(), value_of(tables_, key), tree_.prove(crypto::sha256(key))};
}

std::vector<StateEntry> Ledger::export_state() const { return entries_of(tables_); }

std::optional<caesar::Supply> Ledger::recount() const {
  caesar::Supply counted{.minted = tables_.supply.minted, .burned = tables_.supply.burned};
  bool overflowed = false;
  zip_tables(tables_, tables_, [&](Table, const auto& rows, const auto&) {
    for (const auto& [key, record] : rows) {
      const caesar::Supply held = holdings(record);
      for (const auto part : kCompartments) {
        std::uint64_t& sum = (counted.*part).value;
        overflowed |= __builtin_add_overflow(sum, (held.*part).value, &sum);
      }
    }
  });
  const auto pools = caesar::sum(tables_.pools);
  if (overflowed || !pools) return std::nullopt;
  counted.pools = *pools;
  return counted;
}

Speculation::Speculation(const Ledger& ledger)
    : ledger_(&ledger), layer_(std::make_unique<Layer>(ledger.tables_)) {}
Speculation::~Speculation() = default;
Speculation::Speculation(Speculation&&) noexcept = default;
Speculation& Speculation::operator=(Speculation&&) noexcept = default;

std::optional<Refused> Speculation::admit(const PreparedOperation& operation) {
  return execute(*layer_, {ledger_->height() + 1, ledger_->head().time, ledger_->judge_},
                 operation);
}

}  // namespace hm::ledger
