// SPDX-License-Identifier: Apache-2.0
// What the tests of refusals share: a chain on which an operation is submitted and, if refused,
// shown to have changed nothing. Not for programs.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "core/ledger/layer.h"
#include "core/ledger/rules.h"
#include "core/ledger/sample_lending.h"

namespace hm::ledger {

// Owner 0 acts; asset 1 is registered on its node 1000, asset 2 on owner 1's node, asset 3 retired.
class World {
 public:
  World() {
    using sample::key;
    using sample::node_id;
    chain.block({});
    chain.block({chain.by_owner(0, RegisterAsset{id(1), node_id(key(1000)), sample::terms()}),
                 chain.by_owner(1, RegisterAsset{id(2), node_id(key(1001)), sample::terms()})});
    chain.block({chain.by_owner(0, RegisterAsset{id(3), node_id(key(1000)), sample::terms()})});
    chain.block({chain.by_owner(0, RetireAsset{id(3), 1})});
  }

  assets::AssetId id(std::uint64_t number) const { return sample::asset_id(chain.id(), number); }
  Operation by_owner(Action action) const { return by(0, std::move(action)); }
  Operation by(std::uint32_t seed, Action action) const {
    return chain.operation(sample::owner_id(seed), std::move(action));
  }
  Operation by_node(Action action) const {
    return chain.operation(sample::node_id(sample::key(1000)), std::move(action));
  }
  Operation payment() const { return by_owner(TransferCaes{sample::owner_id(1), caesar::caes(1)}); }

  // What becomes of these bytes: refused at preparation, or at admission and then in a block.
  std::optional<Refused> submit(const Bytes& bytes) {
    const auto prepared = prepare(bytes, chain.id());
    if (!prepared) return prepared.error();
    const auto at_admission = chain.ledger().precheck(*prepared);
    Tables before = chain.ledger().tables();
    const auto outcome = chain.block({*prepared});
    EXPECT_EQ(outcome.receipts.at(0).refused.has_value(), at_admission.has_value());
    if (!at_admission) return std::nullopt;
    EXPECT_EQ(outcome.receipts.at(0).refused->rule, at_admission->rule);
    Tables after = chain.ledger().tables();
    before.blocks.clear();
    after.blocks.clear();
    EXPECT_EQ(before, after);
    return at_admission;
  }
  std::optional<Refused> submit(Operation operation, std::uint32_t signer = 0) {
    return submit(codec::encode(sign(std::move(operation), sample::key(signer))));
  }
  // By owner `seed` with its own key.
  std::optional<Refused> submit(std::uint32_t seed, Action action) {
    return submit(by(seed, std::move(action)), seed);
  }

  // What the rules say of a state that would take too long to come to.
  std::optional<Refused> submit_to(const std::function<void(Tables&)>& plant,
                                   const PreparedOperation& operation) const {
    Tables tables = chain.ledger().tables();
    plant(tables);
    Layer layer(tables);
    return execute(layer, {chain.ledger().height() + 1, chain.ledger().head().time}, operation);
  }

  sample::Market market;
  sample::Chain& chain = market.chain();
};

using Case = std::function<std::optional<Refused>(World&)>;
using Cases = std::map<Refusal, Case>;

// refusal_lending_test.cc
void add_privacy_cases(Cases& cases);
void add_lease_cases(Cases& cases);
void add_staking_cases(Cases& cases);

}  // namespace hm::ledger
