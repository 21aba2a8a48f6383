// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/ledger.h"

#include <algorithm>

#include "core/ledger/layer.h"
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

// Replaces one account in the running sums. The sums follow the accounts themselves, not what the
// actions believe they did: that is what makes the comparison with the supply a check.
void recount_account(caesar::Supply& sums, const caesar::Account* before,
                     const caesar::Account& after) {
  if (before != nullptr) {
    sums.balances.value -= before->balance.value;
    sums.bonds.value -= before->bond.value;
  }
  sums.balances.value += after.balance.value;
  sums.bonds.value += after.bond.value;
}

}  // namespace

std::string_view name_of(AssetEvent event) {
  switch (event) {
    case AssetEvent::Registered: return "registered";
    case AssetEvent::Updated: return "updated";
    case AssetEvent::Transferred: return "transferred";
    case AssetEvent::Retired: return "retired";
  }
  return "unknown";
}

crypto::Digest receipts_root(const std::vector<Receipt>& receipts) {
  return crypto::tagged_hash("hm.receipts.v1", codec::encode(receipts));
}

Ledger Ledger::from_genesis(const Genesis& genesis) {
  Ledger ledger;
  Tables& tables = ledger.tables_;
  tables.chain = {hm::ledger::chain_id(genesis), genesis.chain_name, genesis.preset};
  for (const GenesisOwner& owner : genesis.owners) {
    const identity::OwnerId id = identity::owner_id_of(owner.bundle);
    OwnerRecord record{.name = owner.name};
    HM_CHECK(caesar::mint(tables.supply, record.account, owner.balance, owner.bond));
    tables.owners.emplace(id, std::move(record));
    tables.owner_keys.emplace(id, OwnerKeyRecord{.bundle = owner.bundle});
  }
  for (const identity::NodeBinding& binding : genesis.nodes) {
    tables.nodes.emplace(binding.node(), NodeRecord{.binding = binding});
  }
  for (const GenesisValidator& validator : genesis.validators) {
    tables.validators.emplace(
        validator.node,
        ValidatorRecord{tables.nodes.at(validator.node).binding.node_key, validator.stake});
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
}

std::optional<Refused> Ledger::precheck(const PreparedOperation& operation) const {
  Layer scratch(tables_);
  return execute(scratch, {height() + 1, head().time}, operation);
}

BlockOutcome Ledger::apply(const BlockContext& block,
                           std::span<const PreparedOperation> operations) {
  HM_CHECK(block.height == height() + 1);
  const UnixMillis time = std::max(block.time, head().time);
  Layer layer(tables_);
  BlockOutcome outcome;
  outcome.receipts.reserve(operations.size());
  for (const PreparedOperation& operation : operations) {
    outcome.receipts.push_back({operation.id, execute(layer, {block.height, time}, operation)});
  }
  outcome.receipts_root = receipts_root(outcome.receipts);
  outcome.changes = layer.changes();
  const BlockRecord record{block.hash, time, static_cast<std::uint32_t>(operations.size()),
                           outcome.receipts_root};
  outcome.writes = commit(std::move(layer), block.height, record);
  outcome.root = tree_.root();
  return outcome;
}

std::vector<StateWrite> Ledger::commit(Layer&& layer, std::uint64_t height,
                                       const BlockRecord& block) {
  Changed changed;
  caesar::Supply sums = tables_.supply;
  for (auto& [id, record] : layer.owners()) {
    const OwnerRecord* before = look(tables_.owners, id);
    recount_account(sums, before != nullptr ? &before->account : nullptr, record.account);
    changed.put(owner_key(id), record);
    tables_.owners.insert_or_assign(id, std::move(record));
  }
  for (auto& [id, keys] : layer.owner_keys()) {
    changed.put(owner_keys_key(id), keys);
    tables_.owner_keys.insert_or_assign(id, std::move(keys));
  }
  for (auto& [id, record] : layer.nodes()) {
    changed.put(node_key(id), record);
    tables_.nodes.insert_or_assign(id, std::move(record));
  }
  for (auto& [hash, record] : layer.assets()) {
    changed.put(asset_key(hash), record);
    index_asset(look(tables_.assets, hash), record);
    tables_.assets.insert_or_assign(hash, std::move(record));
  }
  for (const auto& [address, hash] : layer.addresses()) {
    changed.put(address_key(address), hash);
    tables_.addresses.emplace(address, hash);
  }
  if (layer.changed_supply()) {
    tables_.supply = *layer.changed_supply();
    changed.put(supply_key(), tables_.supply);
  }
  HM_CHECK(tables_.supply.is_conserved());
  HM_CHECK(sums.balances == tables_.supply.balances && sums.bonds == tables_.supply.bonds);

  changed.put(block_key(height), block);
  tables_.blocks.emplace(height, block);
  // The next block may anchor as far back as the policy says, and no further.
  while (height + 1 - tables_.blocks.begin()->first > policy().anchor_max_age) {
    changed.remove(block_key(tables_.blocks.begin()->first));
    tables_.blocks.erase(tables_.blocks.begin());
  }
  return std::move(changed).finish(tree_);
}

void Ledger::index_asset(const assets::AssetRecord* before, const assets::AssetRecord& after) {
  if (before != nullptr) {
    // Kind and uuid never change, and mostly nothing else that is looked up by.
    if (before->owner == after.owner && before->node == after.node) return;
    index_.remove(*before);
  }
  index_.add(after);
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
  // Escrows and pools have no holders yet: nothing can move units into them.
  caesar::Supply counted{.minted = tables_.supply.minted, .burned = tables_.supply.burned};
  for (const auto& [id, record] : tables_.owners) {
    const auto balances = caesar::checked_add(counted.balances, record.account.balance);
    const auto bonds = caesar::checked_add(counted.bonds, record.account.bond);
    if (!balances || !bonds) return std::nullopt;
    counted.balances = *balances;
    counted.bonds = *bonds;
  }
  return counted;
}

Speculation::Speculation(const Ledger& ledger)
    : ledger_(&ledger), layer_(std::make_unique<Layer>(ledger.tables_)) {}
Speculation::~Speculation() = default;
Speculation::Speculation(Speculation&&) noexcept = default;
Speculation& Speculation::operator=(Speculation&&) noexcept = default;

std::optional<Refused> Speculation::admit(const PreparedOperation& operation) {
  return execute(*layer_, {ledger_->height() + 1, ledger_->head().time}, operation);
}

}  // namespace hm::ledger
