// SPDX-License-Identifier: Apache-2.0
// Who takes part in a random economy: people with real keys, the machines that they have or may
// register, and the genesis document that some of them begin with. Everything follows from the
// seed. Keys are made once and stay in number, so that a run of any length needs the same memory.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/identity/node_binding.h"
#include "core/identity/owner_keys.h"
#include "core/ledger/genesis.h"
#include "core/ledger/ledger.h"
#include "core/privacy/group.h"
#include "simulator/random.h"

namespace hm::simulator {

// The first kFounders stand in the genesis document with two machines each, and the first
// kValidators of those with a validator; the others are registered while the economy runs.
inline constexpr std::size_t kFounders = 8;
inline constexpr std::size_t kPeople = 24;
inline constexpr std::size_t kMachinesEach = 3;
inline constexpr std::size_t kFounderMachines = 2;
inline constexpr std::size_t kValidators = 4;
inline constexpr std::size_t kForeignMeshes = 2;

// Two sets of keys under one owner id: a rotation goes from the one to the other.
struct PersonKeys {
  identity::OwnerId id;
  std::vector<identity::OwnerKeys> sets;
};

struct Machine {
  identity::NodeId id;
  crypto::SigningKey key;
  std::size_t owner = 0;
  bool is_dark = false;  // its owner never answers for it
  std::optional<identity::NodeBinding> binding;
};

// Another mesh whose root may be recognised.
struct ForeignMesh {
  identity::ChainId chain;
  identity::OwnerKeys root;
};

class Cast {
 public:
  explicit Cast(std::uint64_t seed);

  // Terms of the economy, preset and means are drawn. Valid.
  ledger::Genesis genesis(SimRandom& random);

  std::vector<PersonKeys> people;
  std::vector<Machine> machines;  // kMachinesEach of each person, in the order of people
  std::vector<ForeignMesh> foreign;

  const Machine* machine_of(const identity::NodeId& id) const;
  std::optional<std::size_t> person_of(const identity::OwnerId& id) const;
  // Those that the ledger knows as the owner's.
  const identity::OwnerKeys& current(const ledger::Ledger& ledger, std::size_t person) const;
  const identity::OwnerKeys& other(const ledger::Ledger& ledger, std::size_t person) const;

 private:
  std::map<identity::OwnerId, std::size_t> people_by_id_;
  std::map<identity::NodeId, std::size_t> machines_by_id_;
};

falcon::SigningRandomness signing_randomness(SimRandom& random);

}  // namespace hm::simulator
