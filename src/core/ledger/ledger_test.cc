// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/ledger/row_key.h"
#include "core/ledger/sample_chain.h"
#include "foundation/codec/reader.h"

namespace hm::ledger {
namespace {

using sample::asset_id;
using sample::Chain;
using sample::key;
using sample::node_id;
using sample::owner_id;
using sample::terms;

RegisterAsset registration(const Chain& chain, std::uint64_t number, std::uint32_t node = 1000) {
  return {asset_id(chain.id(), number), node_id(key(node)), terms()};
}

bool all_applied(const BlockOutcome& outcome) {
  return std::ranges::none_of(outcome.receipts,
                              [](const Receipt& receipt) { return receipt.refused.has_value(); });
}

TEST(Ledger, AnAssetLivesFromRegistrationToRetirement) {
  Chain chain;
  const auto id = asset_id(chain.id(), 1);
  const auto registered = chain.block({chain.by_owner(0, registration(chain, 1))});
  ASSERT_TRUE(all_applied(registered));
  const auto* asset = chain.ledger().asset(id.hash);
  ASSERT_NE(asset, nullptr);
  EXPECT_EQ(asset->version, 1u);
  EXPECT_EQ(asset->owner, owner_id(0));
  EXPECT_EQ(chain.ledger().asset_at(asset->address), asset);
  EXPECT_EQ(registered.changes.at(0).event, AssetEvent::Registered);

  auto changed = terms();
  changed.quantity.available = 3;
  changed.price = caesar::Price{caesar::Amount{7}};
  EXPECT_TRUE(all_applied(chain.block({chain.by_node(1000, UpdateAsset{id, 1, changed})})));
  EXPECT_EQ(chain.ledger().asset(id.hash)->terms, changed);

  EXPECT_TRUE(all_applied(chain.block({chain.by_owner(0, TransferAsset{id, 2, owner_id(1)})})));
  EXPECT_EQ(chain.ledger().asset(id.hash)->owner, owner_id(1));
  EXPECT_TRUE(all_applied(chain.block({chain.by_owner(1, RetireAsset{id, 3})})));
  asset = chain.ledger().asset(id.hash);
  EXPECT_EQ(asset->terms.state, assets::AssetState::Retired);
  EXPECT_EQ(asset->terms.quantity.offered, 0u);
  EXPECT_EQ(asset->version, 4u);
}

TEST(Ledger, ANodesKeyLosesAnAssetThatItsOwnerGaveAway) {
  Chain chain;
  const auto id = asset_id(chain.id(), 1);
  chain.block({chain.by_owner(0, registration(chain, 1))});
  chain.block({chain.by_owner(0, TransferAsset{id, 1, owner_id(1)})});
  const auto update = chain.by_node(1000, UpdateAsset{id, 2, terms()});
  EXPECT_EQ(chain.ledger().precheck(update)->rule, Refusal::NotTheOwner);
}

TEST(Ledger, NewOwnersAndNodesActFromTheNextOperationOn) {
  Chain chain;
  const auto before = chain.ledger().tables().supply;
  ASSERT_TRUE(all_applied(chain.block({chain.by_owner(
      0, RegisterOwner{"newcomer", sample::bundle(50), caesar::caes(20), caesar::caes(5)})})));
  EXPECT_EQ(chain.ledger().tables().supply.minted, before.minted);
  EXPECT_EQ(chain.ledger().owner(owner_id(50))->account.bond, caesar::caes(5));
  EXPECT_EQ(chain.ledger().owner(owner_id(0))->account.balance, caesar::caes(975));

  const auto binding = sample::binding(50, 1050, identity::binding_context(chain.id()), "node-50");
  ASSERT_TRUE(all_applied(chain.block({chain.by_owner(50, RegisterNode{binding})})));
  EXPECT_TRUE(all_applied(chain.block({chain.by_node(1050, registration(chain, 1, 1050))})));
  EXPECT_EQ(chain.ledger().recount(), chain.ledger().tables().supply);
}

TEST(Ledger, AnOwnerKeepsItsIdAndEverythingElseWhenItsKeysAreReplaced) {
  Chain chain;
  const auto id = asset_id(chain.id(), 1);
  chain.block({chain.by_owner(0, registration(chain, 1))});
  const auto rotate = [&](std::uint32_t from, std::uint32_t to) {
    auto operation = chain.operation(owner_id(0), RotateKeys{});
    operation.action = RotateKeys{identity::sign_rotation(
        sample::owner(from), sample::owner(to), {chain.id(), owner_id(0), operation.sequence}, 0,
        {sample::fixed_randomness(1), sample::fixed_randomness(2)})};
    return chain.block({chain.prepared(operation, key(from))});
  };
  ASSERT_TRUE(all_applied(rotate(0, 60)));
  const auto* keys = chain.ledger().owner_keys(owner_id(0));
  EXPECT_EQ(keys->bundle, sample::bundle(60));
  EXPECT_EQ(keys->since_height, chain.ledger().height());
  EXPECT_EQ(chain.ledger().asset(id.hash)->owner, owner_id(0));

  // New nodes are bound with the new keys, by the owner of old.
  auto binding =
      identity::bind_node(sample::owner_as(60, owner_id(0)), key(1050),
                          identity::binding_context(chain.id()), "n", sample::fixed_randomness());
  const auto registered =
      chain.prepared(chain.operation(owner_id(0), RegisterNode{binding}), key(60));
  EXPECT_TRUE(all_applied(chain.block({registered})));
  ASSERT_TRUE(all_applied(rotate(60, 61)));
  EXPECT_EQ(chain.ledger().recount(), chain.ledger().tables().supply);
  const auto restored = Ledger::restore(chain.ledger().export_state(), chain.ledger().root());
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->tables(), chain.ledger().tables());
}

TEST(Ledger, StateHasAPriceInBond) {
  // 0.001 CAES of bond per record: with 1 CAES the thousandth record is the last.
  Chain chain(sample::genesis(1, 1'000, 1));
  std::vector<PreparedOperation> operations;
  const auto signer = key(0);
  for (std::uint64_t i = 1; i <= 1'001; ++i) {
    auto operation = chain.operation(owner_id(0), registration(chain, i));
    operation.sequence = i;
    operations.push_back(chain.prepared(operation, signer));
  }
  const auto outcome = chain.block(operations);
  EXPECT_FALSE(outcome.receipts.at(999).refused);
  ASSERT_TRUE(outcome.receipts.at(1'000).refused);
  EXPECT_EQ(outcome.receipts.at(1'000).refused->rule, Refusal::BondBelowMinimum);
}

TEST(Ledger, SpeculationAdmitsAChainOfWaitingOperations) {
  Chain chain;
  const auto signer = key(0);
  const auto pay = [&](std::uint64_t sequence, std::uint64_t amount) {
    auto operation = chain.operation(owner_id(0), TransferCaes{owner_id(1), caesar::caes(amount)});
    operation.sequence = sequence;
    return chain.prepared(operation, signer);
  };
  Speculation waiting(chain.ledger());
  EXPECT_EQ(chain.ledger().precheck(pay(2, 1))->rule, Refusal::SequenceGap);
  EXPECT_FALSE(waiting.admit(pay(1, 600)));
  EXPECT_EQ(waiting.admit(pay(2, 600))->rule, Refusal::OverBalance);
  EXPECT_FALSE(waiting.admit(pay(2, 400)));
  EXPECT_EQ(waiting.admit(pay(2, 400))->rule, Refusal::AlreadyApplied);
  EXPECT_EQ(chain.ledger().owner(owner_id(0))->account.balance, caesar::caes(1'000));
}

TEST(Ledger, ARepeatIsToldFromAnotherOperationWithAUsedSequence) {
  Chain chain;
  const auto signer = key(0);
  std::vector<PreparedOperation> applied;
  for (std::size_t i = 0; i < kRecentOperations + 1; ++i) {
    applied.push_back(chain.by_owner(0, TransferCaes{owner_id(1), caesar::caes(1)}));
    chain.block({applied.back()});
  }
  EXPECT_EQ(chain.ledger().precheck(applied.back())->rule, Refusal::AlreadyApplied);
  EXPECT_EQ(chain.ledger().precheck(applied.at(1))->rule, Refusal::AlreadyApplied);
  // Out of memory: still refused, only less precisely.
  EXPECT_EQ(chain.ledger().precheck(applied.at(0))->rule, Refusal::SequenceUsed);
  auto other = chain.operation(owner_id(0), TransferCaes{owner_id(2), caesar::caes(9)});
  other.sequence = applied.back().operation.sequence;
  EXPECT_EQ(chain.ledger().precheck(chain.prepared(other, signer))->rule, Refusal::SequenceUsed);
}

TEST(Ledger, WritesAreExactlyTheDifferenceBetweenTheStates) {
  Chain chain;
  std::map<Bytes, Bytes> stored;
  for (auto& entry : chain.ledger().export_state()) stored[entry.key] = entry.value;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const auto outcome = chain.block({chain.by_owner(0, registration(chain, i))});
    for (const StateWrite& write : outcome.writes) {
      if (write.value) {
        stored[write.key] = *write.value;
      } else {
        EXPECT_EQ(stored.erase(write.key), 1u);
      }
    }
    EXPECT_TRUE(std::ranges::is_sorted(outcome.writes, {}, &StateWrite::key));
  }
  std::map<Bytes, Bytes> exported;
  for (auto& entry : chain.ledger().export_state()) exported[entry.key] = entry.value;
  EXPECT_EQ(stored, exported);
}

TEST(Ledger, KeepsTheAnchorWindowAndNoMore) {
  Chain chain(sample::genesis(1, 1'000, 20'000, Preset::Production));
  const std::uint64_t window = chain.ledger().policy().anchor_max_age;
  std::size_t removed = 0;
  for (std::uint64_t i = 0; i < window + 10; ++i) {
    const auto outcome = chain.block({});
    removed += static_cast<std::size_t>(
        std::ranges::count_if(outcome.writes, [](const auto& write) { return !write.value; }));
  }
  EXPECT_EQ(chain.ledger().tables().blocks.size(), window);
  EXPECT_EQ(removed, 11u);
  // The oldest block of the window is still an anchor for the next block.
  auto operation = chain.operation(owner_id(0), RegisterOwner{"x", sample::bundle(9), {}, {}});
  const auto& [height, record] = *chain.ledger().tables().blocks.begin();
  operation.anchor = {height, record.hash};
  EXPECT_FALSE(chain.ledger().precheck(chain.prepared(operation, key(0))));
}

TEST(Ledger, RestoresFromItsEntriesInAnyOrder) {
  Chain chain;
  for (std::uint64_t i = 1; i <= 5; ++i) chain.block({chain.by_owner(0, registration(chain, i))});
  auto entries = chain.ledger().export_state();
  std::ranges::reverse(entries);
  auto restored = Ledger::restore(entries, chain.ledger().root());
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->tables(), chain.ledger().tables());
  EXPECT_EQ(restored->root(), chain.ledger().root());
  EXPECT_EQ(restored->index().of_owner(owner_id(0)).size(), 5u);
  // Both go on alike.
  const auto next = chain.by_owner(0, registration(chain, 6));
  const BlockContext block{6, {}, UnixMillis{sample::kGenesisTime + 1'000}};
  EXPECT_EQ(restored->apply(block, {&next, 1}).root, chain.ledger().apply(block, {&next, 1}).root);
}

class Restore : public ::testing::Test {
 protected:
  Restore() {
    chain_.block({chain_.by_owner(0, registration(chain_, 1))});
    entries_ = chain_.ledger().export_state();
  }
  RestoreError error() const { return Ledger::restore(entries_, chain_.ledger().root()).error(); }
  StateEntry& entry(Table table) {
    return *std::ranges::find_if(entries_, [table](const StateEntry& entry) {
      return entry.key.front() == static_cast<std::uint8_t>(table);
    });
  }
  Chain chain_;
  std::vector<StateEntry> entries_;
};

TEST_F(Restore, RefusesKeysOfNoTableAndRepeatedOnes) {
  entries_.push_back({{}, {}});
  EXPECT_EQ(error(), RestoreError::BadKey);
  entries_.back() = {{200, 1}, {}};
  EXPECT_EQ(error(), RestoreError::BadKey);
  entries_.back() = entry(Table::Chain);
  EXPECT_EQ(error(), RestoreError::BadKey);
  entries_.back() = entry(Table::Owner);
  EXPECT_EQ(error(), RestoreError::BadKey);
  entries_.back().key.pop_back();
  EXPECT_EQ(error(), RestoreError::BadKey);
}

TEST_F(Restore, RefusesValuesThatAreNoRecord) {
  entry(Table::Asset).value.push_back(0);
  EXPECT_EQ(error(), RestoreError::BadValue);
}

TEST_F(Restore, RefusesAStateThatLacksAPart) {
  std::erase_if(entries_, [](const StateEntry& e) { return e.key == row_key(Table::Supply); });
  EXPECT_EQ(error(), RestoreError::Incomplete);
}

TEST_F(Restore, RefusesAGapInTheBlockWindow) {
  std::erase_if(entries_, [](const StateEntry& e) {
    return e.key == row_key(Table::Block, std::uint64_t{0});
  });
  EXPECT_EQ(error(), RestoreError::Incomplete);
}

TEST_F(Restore, RefusesRecordsUnderForeignKeys) {
  entry(Table::Owner).key.back() ^= 1;
  EXPECT_EQ(error(), RestoreError::Inconsistent);
}

TEST_F(Restore, RefusesAStateOfAnotherRoot) {
  OwnerRecord owner = codec::decode<OwnerRecord>(entry(Table::Owner).value).value();
  owner.account.balance.value += 1;
  entry(Table::Owner).value = codec::encode(owner);
  EXPECT_EQ(error(), RestoreError::WrongRoot);
}

TEST_F(Restore, RefusesMoneyThatCameFromNowhereUnderAnyRoot) {
  OwnerRecord owner = codec::decode<OwnerRecord>(entry(Table::Owner).value).value();
  owner.account.balance.value += 1;
  entry(Table::Owner).value = codec::encode(owner);
  std::vector<MerkleUpdate> updates;
  for (const auto& e : entries_) {
    updates.push_back({crypto::sha256(e.key), crypto::sha256(e.value)});
  }
  MerkleTree tree;
  tree.update(std::move(updates));
  EXPECT_EQ(Ledger::restore(entries_, tree.root()).error(), RestoreError::NotConserved);
}

TEST(Ledger, ProvesEachEntryAndTheAbsenceOfOthers) {
  Chain chain;
  chain.block({chain.by_owner(0, registration(chain, 1))});
  const Ledger& ledger = chain.ledger();
  for (const StateEntry& entry : ledger.export_state()) {
    const StateProof proof = ledger.prove(entry.key);
    EXPECT_EQ(proof.value, entry.value);
    EXPECT_TRUE(verify_state(ledger.root(), entry.key, proof.value, proof.path));
  }
  const Bytes absent = row_key(Table::Asset, asset_id(chain.id(), 2).hash);
  const StateProof proof = ledger.prove(absent);
  EXPECT_FALSE(proof.value);
  EXPECT_TRUE(verify_state(ledger.root(), absent, std::nullopt, proof.path));
}

TEST(Ledger, VerdictsFollowTheLedger) {
  Chain chain;
  chain.block({chain.by_owner(0, registration(chain, 1))});
  const auto id = asset_id(chain.id(), 1);
  const auto verdicts = chain.ledger().verdicts(*chain.ledger().asset(id.hash));
  EXPECT_EQ(verdicts.stake.verdict, proofs::Verdict::Proven);
  EXPECT_EQ(verdicts.time.verdict, proofs::Verdict::Proven);
  EXPECT_EQ(verdicts.time.interval->not_before, UnixMillis{sample::kGenesisTime});
  EXPECT_EQ(verdicts.time.interval->not_after, UnixMillis{sample::kGenesisTime + 10});
  EXPECT_EQ(verdicts.space.verdict, proofs::Verdict::Unproven);
  EXPECT_EQ(verdicts.work.verdict, proofs::Verdict::Unproven);

  // Given to an owner without a bond, the stake is no longer there.
  chain.block({chain.by_owner(0, RegisterOwner{"poor", sample::bundle(50), {}, {}})});
  chain.block({chain.by_owner(0, TransferAsset{id, 1, owner_id(50)})});
  const auto after = chain.ledger().verdicts(*chain.ledger().asset(id.hash));
  EXPECT_EQ(after.stake.verdict, proofs::Verdict::Refused);
}

TEST(Ledger, BlockTimeNeverRunsBackwards) {
  Chain chain;
  Ledger& ledger = chain.ledger();
  ledger.apply({1, {}, UnixMillis{sample::kGenesisTime + 500}}, {});
  ledger.apply({2, {}, UnixMillis{sample::kGenesisTime + 100}}, {});
  EXPECT_EQ(ledger.head().time, UnixMillis{sample::kGenesisTime + 500});
}

TEST(AssetIndex, FindsByPrefixKindOwnerAndNode) {
  Chain chain;
  const auto cpu = registration(chain, 1);
  auto gpu = registration(chain, 0x10000);
  gpu.id = asset_id(chain.id(), 0x10000, assets::AssetKind::Gpu);
  chain.block({chain.by_owner(0, cpu)});
  chain.block({chain.by_owner(0, gpu)});
  const AssetIndex& index = chain.ledger().index();
  EXPECT_EQ(index.of_kind(assets::AssetKind::Gpu), AssetSet{gpu.id.hash});
  EXPECT_EQ(index.of_node(node_id(key(1000))).size(), 2u);
  EXPECT_TRUE(index.of_owner(owner_id(1)).empty());

  EXPECT_EQ(index.find(cpu.id.to_string()).value(), cpu.id.hash);
  EXPECT_EQ(index.find(cpu.id.uuid.to_string()).value(), cpu.id.hash);
  EXPECT_EQ(index.find(index.short_form(gpu.id)).value(), gpu.id.hash);
  EXPECT_EQ(index.find(index.short_form(cpu.id)).value(), cpu.id.hash);
  EXPECT_EQ(index.find("gpu:" + cpu.id.uuid.to_string().substr(0, 6)).value(), gpu.id.hash);
  EXPECT_EQ(index.find(cpu.id.uuid.to_string().substr(0, 6)).error(), PrefixError::Ambiguous);
  EXPECT_EQ(index.find("ffffff").error(), PrefixError::NotFound);
  EXPECT_EQ(index.find("01").error(), PrefixError::Malformed);
  EXPECT_EQ(index.find("xpu:0199").error(), PrefixError::Malformed);
  EXPECT_EQ(index.find("cpu:0199*").error(), PrefixError::Malformed);
}

TEST(AssetIndex, FollowsTransfers) {
  Chain chain;
  const auto id = asset_id(chain.id(), 1);
  chain.block({chain.by_owner(0, registration(chain, 1))});
  chain.block({chain.by_owner(0, TransferAsset{id, 1, owner_id(1)})});
  EXPECT_TRUE(chain.ledger().index().of_owner(owner_id(0)).empty());
  EXPECT_EQ(chain.ledger().index().of_owner(owner_id(1)), AssetSet{id.hash});
}

using LedgerDeathTest = ::testing::Test;

TEST(LedgerDeathTest, ABlockOutOfOrderIsADriversBugAndAborts) {
  Chain chain;
  EXPECT_DEATH(chain.ledger().apply({2, {}, {}}, {}), "");
}

}  // namespace
}  // namespace hm::ledger
