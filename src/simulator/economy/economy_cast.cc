// SPDX-License-Identifier: Apache-2.0
#include "simulator/economy/economy_cast.h"

#include <string>

#include "foundation/base/check.h"

namespace hm::simulator {
namespace {

using caesar::Amount;
using caesar::caes;

constexpr std::uint64_t kGenesisTime = 1'760'000'000'000;
constexpr std::uint64_t kMinute = 60'000;
constexpr std::uint64_t kDay = 1'440 * kMinute;
constexpr std::uint32_t kDarkPermille = 150;

crypto::SigningKey make_key(SimRandom& random) {
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> seed{};
  random.fill(seed);
  return crypto::SigningKey::from_seed(seed);
}

identity::OwnerKeys make_owner(SimRandom& random) {
  identity::OwnerSeeds seeds;
  random.fill(seeds.ed25519);
  random.fill(seeds.falcon);
  random.fill(seeds.ml_kem);
  return identity::OwnerKeys::generate(seeds, falcon::Arithmetic::Hardware);
}

template <class T>
T one_of(SimRandom& random, std::initializer_list<T> items) {
  return items.begin()[random.below(items.size())];
}

std::uint32_t ppm(SimRandom& random, std::uint32_t most) {
  return static_cast<std::uint32_t>(random.below(most + 1));
}

caesar::Economy draw_economy(SimRandom& random) {
  caesar::Economy economy;
  economy.epoch_blocks = random.between(4, 300);
  economy.epoch_emission = Amount{random.below(5 * caesar::kUnitsPerCaes)};
  economy.halving_epochs = one_of<std::uint64_t>(random, {0, 50, 1'000});
  economy.provider_ppm = ppm(random, caesar::kPpm);
  economy.fee_ppm = one_of<std::uint32_t>(random, {0, 10'000, 300'000, caesar::kPpm});
  economy.reward_ppm = ppm(random, static_cast<std::uint32_t>(economy.fee_ppm * 2ULL / 3));
  economy.commission_ppm = ppm(random, caesar::kPpm);
  economy.demurrage_ppm_per_day = one_of<std::uint32_t>(random, {0, 1, 300, 20'000});
  economy.starter_credit = Amount{random.below(20) * caesar::kUnitsPerCaes};
  economy.starter_pool = Amount{economy.starter_credit.value * random.between(1, kPeople)};
  economy.unbonding_ms = one_of<std::uint64_t>(random, {1, 10 * kMinute, 7 * kDay});
  return economy;
}

}  // namespace

falcon::SigningRandomness signing_randomness(SimRandom& random) {
  falcon::SigningRandomness randomness;
  random.fill(randomness.nonce);
  random.fill(randomness.seed);
  return randomness;
}

Cast::Cast(std::uint64_t seed) {
  SimRandom random(seed);
  for (std::size_t i = 0; i < kPeople; ++i) {
    PersonKeys person;
    person.sets.push_back(make_owner(random));
    person.id = person.sets[0].id();
    person.sets.push_back(make_owner(random).as_owner(person.id));
    people_by_id_.emplace(person.id, people.size());
    people.push_back(std::move(person));
    for (std::size_t j = 0; j < kMachinesEach; ++j) {
      crypto::SigningKey key = make_key(random);
      const identity::NodeId id = identity::node_id_of(key.public_key());
      machines_by_id_.emplace(id, machines.size());
      machines.push_back({id, std::move(key), i, random.chance(kDarkPermille), std::nullopt});
    }
  }
  for (std::size_t i = 0; i < kForeignMeshes; ++i) {
    identity::ChainId chain;
    random.fill(chain.bytes);
    foreign.push_back({chain, make_owner(random)});
  }
}

ledger::Genesis Cast::genesis(SimRandom& random) {
  ledger::Genesis genesis;
  genesis.chain_name = "economy";
  genesis.preset = static_cast<ledger::Preset>(random.below(3));
  genesis.time = UnixMillis{kGenesisTime};
  genesis.root = people[0].id;
  genesis.economy = draw_economy(random);
  const ledger::Policy& policy = ledger::policy_of(genesis.preset);
  const auto context = identity::genesis_binding_context(genesis.chain_name, kGenesisTime);
  for (std::size_t i = 0; i < kFounders; ++i) {
    // Enough for all the records of a run, for some of them not twice as much.
    const std::uint64_t bond = policy.stake_validator.value + policy.bond_register_owner.value +
                               random.between(100, 1'000) * policy.bond_per_record.value;
    genesis.owners.push_back({"founder-" + std::to_string(i), people[i].sets[0].bundle(),
                              Amount{random.below(1'000'000) * caesar::kUnitsPerCaes +
                                     random.below(caesar::kUnitsPerCaes)},
                              Amount{bond}});
    for (std::size_t j = 0; j < kFounderMachines; ++j) {
      const Machine& machine = machines[i * kMachinesEach + j];
      genesis.nodes.push_back(identity::bind_node(
          people[i].sets[0], machine.key, context,
          "node-" + std::to_string(i) + "-" + std::to_string(j), signing_randomness(random)));
    }
    if (i < kValidators) {
      genesis.validators.push_back({machines[i * kMachinesEach].id, policy.stake_validator});
    }
  }
  HM_CHECK(ledger::validate(genesis).has_value());
  return genesis;
}

const Machine* Cast::machine_of(const identity::NodeId& id) const {
  const auto found = machines_by_id_.find(id);
  return found != machines_by_id_.end() ? &machines[found->second] : nullptr;
}

std::optional<std::size_t> Cast::person_of(const identity::OwnerId& id) const {
  const auto found = people_by_id_.find(id);
  return found != people_by_id_.end() ? std::optional(found->second) : std::nullopt;
}

const identity::OwnerKeys& Cast::current(const ledger::Ledger& ledger, std::size_t person) const {
  const PersonKeys& keys = people[person];
  const ledger::OwnerKeyRecord* record = ledger.owner_keys(keys.id);
  const bool is_second = record != nullptr && record->bundle == keys.sets[1].bundle();
  return keys.sets[is_second ? 1 : 0];
}

const identity::OwnerKeys& Cast::other(const ledger::Ledger& ledger, std::size_t person) const {
  const PersonKeys& keys = people[person];
  return &current(ledger, person) == keys.sets.data() ? keys.sets[1] : keys.sets[0];
}

}  // namespace hm::simulator
