// SPDX-License-Identifier: Apache-2.0
// Random operations, right and wrong, against a small independent model of what should happen, and
// against a second ledger that sees the same blocks.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>

#include "core/ledger/sample_chain.h"

namespace hm::ledger {
namespace {

using sample::asset_id;
using sample::key;
using sample::node_id;
using sample::owner_id;

constexpr std::uint32_t kOwners = 3;
constexpr std::uint64_t kAssets = 8;

// From here on a step has a right frame and, if it changes an asset, its owner and version.
constexpr std::uint8_t kAimed = 5;

// What the model knows of an asset.
struct Thing {
  std::uint32_t owner = 0;
  std::uint32_t node = 0;
  std::uint64_t version = 0;
  bool retired = false;
};

// Plain arithmetic on plain maps; shares nothing with the ledger but the meaning.
struct Model {
  std::map<std::uint32_t, std::uint64_t> balance;
  std::map<std::uint64_t, Thing> things;
  std::map<std::uint32_t, std::uint64_t> sequence;
  std::map<std::uint32_t, std::uint64_t> generation;  // of a node's storage commitment
};

struct Step {
  std::uint8_t verb = 0;
  std::uint32_t actor = 0;
  std::uint32_t other = 0;
  std::uint64_t asset = 0;
  std::uint64_t number = 0;  // an amount, a version or a generation
  std::uint8_t wrong = 0;    // below kAimed: a wrong frame, or a random target
  bool closes_block = false;
};

rc::Gen<Step> any_step() {
  using rc::gen::inRange;
  return rc::gen::build<Step>(rc::gen::set(&Step::verb, inRange<std::uint8_t>(0, 7)),
                              rc::gen::set(&Step::actor, inRange<std::uint32_t>(0, kOwners)),
                              rc::gen::set(&Step::other, inRange<std::uint32_t>(0, kOwners)),
                              rc::gen::set(&Step::asset, inRange<std::uint64_t>(1, kAssets + 1)),
                              rc::gen::set(&Step::number, inRange<std::uint64_t>(0, 6)),
                              rc::gen::set(&Step::wrong, inRange<std::uint8_t>(0, 24)),
                              rc::gen::set(&Step::closes_block, rc::gen::arbitrary<bool>()));
}

Action action_of(const Step& step, const identity::ChainId& chain) {
  const auto id = asset_id(chain, step.asset);
  switch (step.verb) {
    case 0: return RegisterAsset{id, node_id(key(1000 + step.actor)), sample::terms()};
    case 1: return UpdateAsset{id, step.number, sample::terms(step.number + 1)};
    case 2: return TransferAsset{id, step.number, owner_id(step.other)};
    case 3: return RetireAsset{id, step.number};
    case 4: return CommitStorage{node_id(key(1000 + step.other)), step.number, id.hash, id.hash};
    default: return TransferCaes{owner_id(step.other), caesar::caes(step.number * 100 + 1)};
  }
}

// What should happen; true if the operation should be applied, and then the model has changed.
bool predict(Model& model, const Step& step) {
  const auto found = model.things.find(step.asset);
  Thing* thing = found == model.things.end() ? nullptr : &found->second;
  const bool may_change = thing != nullptr && thing->owner == step.actor && !thing->retired &&
                          thing->version == step.number;
  switch (step.verb) {
    case 0:
      if (thing != nullptr) return false;
      model.things[step.asset] = {step.actor, step.actor, 1, false};
      return true;
    case 1:
      if (!may_change) return false;
      ++thing->version;
      return true;
    case 2:
      if (!may_change || step.other == step.actor) return false;
      ++thing->version;
      thing->owner = step.other;
      return true;
    case 3:
      if (!may_change) return false;
      ++thing->version;
      thing->retired = true;
      return true;
    case 4:
      if (step.other != step.actor || step.number != model.generation[step.actor] + 1) return false;
      ++model.generation[step.actor];
      return true;
    default: {
      const std::uint64_t amount = (step.number * 100 + 1) * caesar::kUnitsPerCaes;
      if (step.other == step.actor || model.balance[step.actor] < amount) return false;
      model.balance[step.actor] -= amount;
      model.balance[step.other] += amount;
      return true;
    }
  }
}

// Spoils the frame of an operation in one of several ways; true if it did.
bool spoil(Operation& operation, std::uint8_t wrong) {
  switch (wrong) {
    case 1: ++operation.sequence; return true;
    case 2: --operation.sequence; return true;
    case 3: operation.anchor.hash.bytes[7] ^= 1; return true;
    case 4: operation.expiry_height = 0; return true;
    default: return false;
  }
}

class Comparison {
 public:
  Comparison() {
    for (std::uint32_t i = 0; i < kOwners; ++i) {
      model_.balance[i] = 1'000 * caesar::kUnitsPerCaes;
    }
  }

  void step(Step step) {
    aim(step);
    const auto signer = key(step.actor);
    Operation operation = left_.operation(owner_id(step.actor), action_of(step, left_.id()));
    operation.sequence = model_.sequence[step.actor] + 1;
    const bool spoilt = spoil(operation, step.wrong);
    const bool expected = !spoilt && predict(model_, step);
    if (expected) ++model_.sequence[step.actor];
    expected_.push_back(expected);
    block_.push_back(left_.prepared(std::move(operation), signer));
    if (step.closes_block) close();
  }

  void close() {
    const auto outcome = left_.block(block_);
    const auto mirror = right_.block(block_);
    RC_ASSERT(outcome.root == mirror.root);
    RC_ASSERT(outcome.receipts == mirror.receipts);
    RC_ASSERT(outcome.writes == mirror.writes);
    for (std::size_t i = 0; i < block_.size(); ++i) {
      RC_ASSERT(!outcome.receipts[i].refused.has_value() == expected_[i]);
    }
    block_.clear();
    expected_.clear();
    compare();
  }

  void compare() const {
    const Tables& tables = left_.ledger().tables();
    RC_ASSERT(tables.supply.is_conserved());
    RC_ASSERT(left_.ledger().recount() == std::optional(tables.supply));
    for (const auto& [owner, balance] : model_.balance) {
      RC_ASSERT(tables.owners.at(owner_id(owner)).account.balance.value == balance);
    }
    for (const auto& [owner, generation] : model_.generation) {
      const auto* held = left_.ledger().storage_commitment(node_id(key(1000 + owner)));
      RC_ASSERT((held != nullptr ? held->generation : 0) == generation);
    }
    RC_ASSERT(tables.assets.size() == model_.things.size());
    for (const auto& [number, thing] : model_.things) {
      const auto& asset = tables.assets.at(asset_id(left_.id(), number).hash);
      RC_ASSERT(asset.owner == owner_id(thing.owner));
      RC_ASSERT(asset.version == thing.version);
      RC_ASSERT((asset.terms.state == assets::AssetState::Retired) == thing.retired);
    }
  }

  void finish() {
    close();
    const Tables& tables = left_.ledger().tables();
    const auto restored = Ledger::restore(left_.ledger().export_state(), left_.ledger().root());
    RC_ASSERT(restored.has_value());
    RC_ASSERT(restored->tables() == tables);
  }

 private:
  void aim(Step& step) {
    if (step.verb == 4 && step.wrong >= 2 * kAimed) {
      step.other = step.actor;
      step.number = model_.generation[step.actor] + 1;
    }
    const auto thing = model_.things.find(step.asset);
    const bool changes_asset = step.verb >= 1 && step.verb <= 3;
    if (step.wrong < kAimed || !changes_asset || thing == model_.things.end()) return;
    step.actor = thing->second.owner;
    step.number = thing->second.version;
  }

  sample::Chain left_{sample::genesis(kOwners)};
  sample::Chain right_{sample::genesis(kOwners)};
  Model model_;
  std::vector<PreparedOperation> block_;
  std::vector<bool> expected_;
};

TEST(LedgerModel, AgreesWithTheLedgerOnRandomOperations) {
  EXPECT_TRUE(rc::check("any sequence of operations", [] {
    const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
    Comparison run;
    for (const Step& step : steps) run.step(step);
    run.finish();
  }));
}

}  // namespace
}  // namespace hm::ledger
