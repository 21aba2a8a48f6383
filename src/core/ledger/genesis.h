// SPDX-License-Identifier: Apache-2.0
// The document a chain starts from: owners with their CAES, nodes with their bindings, validators
// with their stake, and the preset of minima. Its hash is the chain id. Reading it from TOML is
// done elsewhere; what comes out of there is validated here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/caesar/economy.h"
#include "core/identity/key_bundle.h"
#include "core/identity/node_binding.h"
#include "core/ledger/policy.h"
#include "foundation/base/result.h"
#include "foundation/base/time.h"

namespace hm::ledger {

struct GenesisOwner {
  std::string name;
  identity::KeyBundle bundle;
  caesar::Amount balance;
  caesar::Amount bond;
  bool operator==(const GenesisOwner&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.name, self.bundle, self.balance, self.bond);
  }
};

struct GenesisValidator {
  identity::NodeId node;
  caesar::Amount stake;  // voting weight; part of the bond of the node's owner
  bool operator==(const GenesisValidator&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.node, self.stake); }
};

struct Genesis {
  std::uint16_t format = 2;
  std::string chain_name;
  Preset preset = Preset::Default;
  UnixMillis time;
  std::vector<GenesisOwner> owners;
  std::vector<identity::NodeBinding> nodes;  // context: genesis_binding_context(chain_name, time)
  std::vector<GenesisValidator> validators;
  identity::OwnerId root;  // one of the owners: its certificates are the mesh's own
  caesar::Economy economy;
  bool operator==(const Genesis&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.format, self.chain_name, self.preset, self.time, self.owners, self.nodes,
                    self.validators, self.root, self.economy);
  }
};

enum class GenesisRule : std::uint8_t {
  Malformed,      // not the one encoding of a genesis document
  TooLarge,       // above a limit of ledger/limits.h
  UnknownFormat,  // format is not 2
  BadChainName,
  NoTime,  // time is 0
  NoOwners,
  NoValidators,
  BadEconomy,  // caesar::validate() says what is wrong
  BadOwnerName,
  BadKeyBundle,
  DuplicateOwner,
  DuplicateOwnerName,
  UnknownRoot,       // the root is not among the owners
  SupplyTooLarge,    // balances, bonds and the starter pool exceed kMaxSupply
  UnknownNodeOwner,  // a node's owner is not in the document
  BadNodeName,
  BadNodeKey,
  DuplicateNode,
  DuplicateNodeName,
  BindingNotByOwner,
  BindingNotByNode,
  UnknownValidatorNode,  // a validator is not among the nodes
  DuplicateValidator,
  StakeBelowMinimum,  // below the preset's stake_validator
  StakeAboveBond,     // an owner's validators have more stake than its bond
};
std::string_view name_of(GenesisRule rule);

struct GenesisError {
  GenesisRule rule = GenesisRule::Malformed;
  std::size_t index = 0;  // which owner, node or validator, from 0
  bool operator==(const GenesisError&) const = default;
};

// One sentence for a person: "owner 2: key bundle …".
std::string explain(const GenesisError& error);

Result<void, GenesisError> validate(const Genesis& genesis);

Bytes encode(const Genesis& genesis);
// Strict; does not validate.
Result<Genesis, GenesisError> decode_genesis(ByteView bytes);

// SHA-256 of encode(genesis) under "hm.chain.v1".
identity::ChainId chain_id(const Genesis& genesis);

}  // namespace hm::ledger
