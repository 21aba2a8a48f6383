// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/genesis.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/ledger/limits.h"
#include "core/ledger/sample_chain.h"

namespace hm::ledger {
namespace {

using sample::key;
using sample::node_id;

struct Fault {
  GenesisRule rule;
  std::size_t index;
  std::function<void(Genesis&)> plant;
};

std::vector<Fault> faults() {
  return {
      {GenesisRule::UnknownFormat, 0, [](Genesis& g) { g.format = 1; }},
      {GenesisRule::TooLarge, 0,
       [](Genesis& g) { g.validators.resize(kMaxGenesisValidators + 1); }},
      {GenesisRule::BadChainName, 0, [](Genesis& g) { g.chain_name = "My Chain"; }},
      {GenesisRule::NoTime, 0, [](Genesis& g) { g.time = {}; }},
      {GenesisRule::NoOwners, 0, [](Genesis& g) { g.owners.clear(); }},
      {GenesisRule::NoValidators, 0, [](Genesis& g) { g.validators.clear(); }},
      {GenesisRule::BadEconomy, 0, [](Genesis& g) { g.economy.epoch_blocks = 0; }},
      {GenesisRule::BadEconomy, 0, [](Genesis& g) { g.economy.unbonding_ms = 0; }},
      {GenesisRule::UnknownRoot, 0, [](Genesis& g) { g.root = sample::owner_id(9); }},
      {GenesisRule::SupplyTooLarge, 0,
       [](Genesis& g) {
         g.economy.starter_pool = caesar::kMaxSupply;
         g.owners[0].balance = caesar::Amount{1};
       }},
      {GenesisRule::BadOwnerName, 1, [](Genesis& g) { g.owners[1].name = ""; }},
      {GenesisRule::BadKeyBundle, 2, [](Genesis& g) { g.owners[2].bundle = {}; }},
      {GenesisRule::DuplicateOwner, 3, [](Genesis& g) { g.owners[3].bundle = g.owners[0].bundle; }},
      {GenesisRule::DuplicateOwnerName, 3, [](Genesis& g) { g.owners[3].name = g.owners[0].name; }},
      {GenesisRule::SupplyTooLarge, 1, [](Genesis& g) { g.owners[1].bond = caesar::kMaxSupply; }},
      {GenesisRule::UnknownNodeOwner, 0, [](Genesis& g) { g.nodes[0].owner = {}; }},
      {GenesisRule::BadNodeName, 2, [](Genesis& g) { g.nodes[2].name = "-"; }},
      {GenesisRule::BadNodeKey, 2, [](Genesis& g) { g.nodes[2].node_key = {}; }},
      {GenesisRule::DuplicateNode, 3, [](Genesis& g) { g.nodes[3] = g.nodes[0]; }},
      {GenesisRule::DuplicateNodeName, 4,
       [](Genesis& g) {
         const auto context = identity::genesis_binding_context("sample", sample::kGenesisTime);
         g.nodes.push_back(sample::binding(0, 2000, context, "node-0"));
       }},
      {GenesisRule::BindingNotByOwner, 1,
       [](Genesis& g) { g.nodes[1].owner_signature.ed25519.bytes[0] ^= 1; }},
      {GenesisRule::BindingNotByOwner, 1,
       [](Genesis& g) { g.nodes[1].owner_signature.falcon.bytes[100] ^= 1; }},
      {GenesisRule::BindingNotByOwner, 0, [](Genesis& g) { g.chain_name = "other"; }},
      {GenesisRule::BindingNotByNode, 1, [](Genesis& g) { g.nodes[1].possession.bytes[0] ^= 1; }},
      {GenesisRule::UnknownValidatorNode, 0,
       [](Genesis& g) { g.validators[0].node = node_id(key(9)); }},
      {GenesisRule::DuplicateValidator, 1,
       [](Genesis& g) { g.validators[1].node = g.validators[0].node; }},
      {GenesisRule::StakeBelowMinimum, 2, [](Genesis& g) { g.validators[2].stake = {}; }},
      {GenesisRule::StakeAboveBond, 3, [](Genesis& g) { ++g.validators[3].stake.value; }},
  };
}

TEST(Genesis, EachFaultIsRefusedByNameAndPlace) {
  ASSERT_TRUE(validate(sample::genesis()));
  for (const Fault& fault : faults()) {
    Genesis genesis = sample::genesis();
    fault.plant(genesis);
    const auto checked = validate(genesis);
    ASSERT_FALSE(checked) << name_of(fault.rule);
    EXPECT_EQ(name_of(checked.error().rule), name_of(fault.rule));
    EXPECT_EQ(checked.error().index, fault.index) << name_of(fault.rule);
  }
}

TEST(Genesis, ExplainsWhere) {
  EXPECT_EQ(explain({GenesisRule::StakeAboveBond, 3}),
            "genesis: validator 3: its owner's validators have more stake than its bond");
  EXPECT_EQ(explain({GenesisRule::NoTime, 0}), "genesis: no time of creation");
}

TEST(Genesis, ChainIdCoversEveryField) {
  const auto id = chain_id(sample::genesis());
  const std::vector<std::function<void(Genesis&)>> changes = {
      [](Genesis& g) { g.chain_name += "x"; },
      [](Genesis& g) { g.preset = Preset::Production; },
      [](Genesis& g) { ++g.time.value; },
      [](Genesis& g) { ++g.owners[0].balance.value; },
      [](Genesis& g) { g.nodes[0].possession.bytes[5] ^= 1; },
      [](Genesis& g) { std::swap(g.validators[0], g.validators[1]); },
      [](Genesis& g) { g.root = g.nodes[1].owner; },
      [](Genesis& g) { ++g.economy.fee_ppm; },
  };
  for (const auto& change : changes) {
    Genesis genesis = sample::genesis();
    change(genesis);
    EXPECT_NE(chain_id(genesis), id);
  }
}

TEST(Genesis, EncodingRoundTripsAndIsStrict) {
  const Genesis genesis = sample::genesis();
  Bytes bytes = encode(genesis);
  EXPECT_EQ(decode_genesis(bytes).value(), genesis);
  bytes.push_back(0);
  EXPECT_EQ(decode_genesis(bytes).error().rule, GenesisRule::Malformed);
  EXPECT_EQ(decode_genesis(Bytes(kMaxGenesisBytes + 1)).error().rule, GenesisRule::TooLarge);
}

TEST(Genesis, MakesTheStateItDescribes) {
  const Genesis document = sample::genesis();
  const Ledger ledger = Ledger::from_genesis(document);
  EXPECT_EQ(ledger.height(), 0u);
  EXPECT_EQ(ledger.head().hash.bytes, chain_id(document).bytes);
  EXPECT_EQ(ledger.tables().owners.size(), 4u);
  EXPECT_EQ(ledger.tables().validators.size(), 4u);
  EXPECT_EQ(ledger.tables().supply.minted, caesar::caes(8'000));
  const auto* owner = ledger.owner(sample::owner_id(2));
  ASSERT_NE(owner, nullptr);
  EXPECT_EQ(owner->account.bond, caesar::caes(1'000));
  EXPECT_EQ(ledger.node(node_id(key(1002)))->binding.name, "node-2");
}

TEST(Policy, PresetsAskForMoreTheMoreIsAtStake) {
  const Policy& small = policy_of(Preset::Localhost);
  const Policy& middle = policy_of(Preset::Default);
  const Policy& large = policy_of(Preset::Production);
  EXPECT_LT(small.bond_register_asset, middle.bond_register_asset);
  EXPECT_LT(middle.bond_register_asset, large.bond_register_asset);
  EXPECT_LT(small.bond_per_record, middle.bond_per_record);
  EXPECT_EQ(parse_preset("production"), Preset::Production);
  EXPECT_FALSE(parse_preset("prod"));
}

}  // namespace
}  // namespace hm::ledger
