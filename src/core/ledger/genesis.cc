// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/genesis.h"

#include <map>
#include <set>

#include "core/caesar/supply.h"
#include "core/ledger/limits.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::ledger {
namespace {

constexpr std::uint16_t kFormat = 2;

using Checked = Result<void, GenesisError>;

GenesisRule rule_of(identity::BindingError error) {
  switch (error) {
    case identity::BindingError::BadName: return GenesisRule::BadNodeName;
    case identity::BindingError::InvalidNodeKey: return GenesisRule::BadNodeKey;
    case identity::BindingError::NotSignedByOwner:
    case identity::BindingError::NotFalconSigned: return GenesisRule::BindingNotByOwner;
    case identity::BindingError::NotSignedByNode: return GenesisRule::BindingNotByNode;
  }
  return GenesisRule::Malformed;
}

class Validation {
 public:
  explicit Validation(const Genesis& genesis) : genesis_(genesis) {}

  Checked run() {
    HM_TRY_VOID(check_head());
    caesar::Amount starter_pool;
    if (!caesar::mint(supply_, caesar::as_pool(starter_pool), genesis_.economy.starter_pool)) {
      return fail(GenesisError{GenesisRule::SupplyTooLarge, 0});
    }
    for (std::size_t i = 0; i < genesis_.owners.size(); ++i) {
      if (const auto rule = check_owner(genesis_.owners[i])) return fail(GenesisError{*rule, i});
    }
    if (!owners_.contains(genesis_.root)) return fail(GenesisError{GenesisRule::UnknownRoot, 0});
    for (std::size_t i = 0; i < genesis_.nodes.size(); ++i) {
      if (const auto rule = check_node(genesis_.nodes[i])) return fail(GenesisError{*rule, i});
    }
    for (std::size_t i = 0; i < genesis_.validators.size(); ++i) {
      if (const auto rule = check_validator(genesis_.validators[i])) {
        return fail(GenesisError{*rule, i});
      }
    }
    return {};
  }

 private:
  using Broken = std::optional<GenesisRule>;

  struct Owner {
    identity::PublicKeys keys;
    caesar::Amount bond;
    caesar::Amount staked;
  };

  Checked check_head() const {
    const auto broken = [](GenesisRule rule) { return fail(GenesisError{rule, 0}); };
    if (genesis_.format != kFormat) return broken(GenesisRule::UnknownFormat);
    if (genesis_.owners.size() > kMaxGenesisOwners || genesis_.nodes.size() > kMaxGenesisNodes ||
        genesis_.validators.size() > kMaxGenesisValidators) {
      return broken(GenesisRule::TooLarge);
    }
    if (!identity::is_valid_name(genesis_.chain_name)) return broken(GenesisRule::BadChainName);
    if (genesis_.time.value == 0) return broken(GenesisRule::NoTime);
    if (genesis_.owners.empty()) return broken(GenesisRule::NoOwners);
    if (genesis_.validators.empty()) return broken(GenesisRule::NoValidators);
    if (!caesar::validate(genesis_.economy)) return broken(GenesisRule::BadEconomy);
    return {};
  }

  Broken check_owner(const GenesisOwner& owner) {
    if (!identity::is_valid_name(owner.name)) return GenesisRule::BadOwnerName;
    auto keys = identity::validate(owner.bundle);
    if (!keys) return GenesisRule::BadKeyBundle;
    Owner entry{std::move(*keys), owner.bond, {}};
    if (!owners_.emplace(identity::owner_id_of(owner.bundle), std::move(entry)).second) {
      return GenesisRule::DuplicateOwner;
    }
    if (!owner_names_.insert(owner.name).second) return GenesisRule::DuplicateOwnerName;
    caesar::Account account;
    if (!caesar::mint(supply_, caesar::balance_of(account), owner.balance) ||
        !caesar::mint(supply_, caesar::bond_of(account), owner.bond)) {
      return GenesisRule::SupplyTooLarge;
    }
    return std::nullopt;
  }

  Broken check_node(const identity::NodeBinding& binding) {
    const auto owner = owners_.find(binding.owner);
    if (owner == owners_.end()) return GenesisRule::UnknownNodeOwner;
    const auto context =
        identity::genesis_binding_context(genesis_.chain_name, genesis_.time.value);
    const auto checked = identity::verify(binding, owner->second.keys, context);
    if (!checked) return rule_of(checked.error());
    if (!nodes_.emplace(binding.node(), binding.owner).second) return GenesisRule::DuplicateNode;
    if (!node_names_.insert(binding.name).second) return GenesisRule::DuplicateNodeName;
    return std::nullopt;
  }

  Broken check_validator(const GenesisValidator& validator) {
    const auto node = nodes_.find(validator.node);
    if (node == nodes_.end()) return GenesisRule::UnknownValidatorNode;
    if (!validators_.insert(validator.node).second) return GenesisRule::DuplicateValidator;
    if (validator.stake < policy_of(genesis_.preset).stake_validator ||
        validator.stake.value == 0) {
      return GenesisRule::StakeBelowMinimum;
    }
    Owner& owner = owners_.at(node->second);
    const auto staked = caesar::checked_add(owner.staked, validator.stake);
    if (!staked || *staked > owner.bond) return GenesisRule::StakeAboveBond;
    owner.staked = *staked;
    return std::nullopt;
  }

  const Genesis& genesis_;
  caesar::Supply supply_;
  std::map<identity::OwnerId, Owner> owners_;
  std::set<std::string> owner_names_;
  std::map<identity::NodeId, identity::OwnerId> nodes_;
  std::set<std::string> node_names_;
  std::set<identity::NodeId> validators_;
};

enum class Part : std::uint8_t { Document, Owner, Node, Validator };

Part part_of(GenesisRule rule) {
  if (rule >= GenesisRule::UnknownValidatorNode) return Part::Validator;
  if (rule >= GenesisRule::UnknownNodeOwner) return Part::Node;
  if (rule >= GenesisRule::BadOwnerName) return Part::Owner;
  return Part::Document;
}

}  // namespace

std::string_view name_of(GenesisRule rule) {
  switch (rule) {
    case GenesisRule::Malformed: return "not the one encoding of a genesis document";
    case GenesisRule::TooLarge: return "too large";
    case GenesisRule::UnknownFormat: return "unknown format; this version reads format 2";
    case GenesisRule::BadChainName: return "the chain's name is not valid";
    case GenesisRule::NoTime: return "no time of creation";
    case GenesisRule::NoOwners: return "no owner";
    case GenesisRule::NoValidators: return "no validator";
    case GenesisRule::BadEconomy: return "the economy's numbers are not valid";
    case GenesisRule::BadOwnerName: return "the name is not valid";
    case GenesisRule::BadKeyBundle:
      return "the key bundle is not one valid key each of Ed25519, Falcon-1024 and ML-KEM-1024";
    case GenesisRule::DuplicateOwner: return "the key bundle appears twice";
    case GenesisRule::DuplicateOwnerName: return "the name appears twice";
    case GenesisRule::UnknownRoot: return "the root is not among the owners";
    case GenesisRule::SupplyTooLarge:
      return "balances, bonds and the starter pool exceed the largest supply";
    case GenesisRule::UnknownNodeOwner: return "its owner is not in the document";
    case GenesisRule::BadNodeName: return "the name is not valid";
    case GenesisRule::BadNodeKey: return "the key is not a valid Ed25519 key";
    case GenesisRule::DuplicateNode: return "the key appears twice";
    case GenesisRule::DuplicateNodeName: return "the name appears twice";
    case GenesisRule::BindingNotByOwner: return "the binding is not signed by the owner";
    case GenesisRule::BindingNotByNode: return "the node has not proven that it holds its key";
    case GenesisRule::UnknownValidatorNode: return "its node is not in the document";
    case GenesisRule::DuplicateValidator: return "its node appears twice";
    case GenesisRule::StakeBelowMinimum: return "the stake is below the preset's minimum";
    case GenesisRule::StakeAboveBond: return "its owner's validators have more stake than its bond";
  }
  return "unknown";
}

std::string explain(const GenesisError& error) {
  std::string text = "genesis";
  const std::string index = " " + std::to_string(error.index);
  switch (part_of(error.rule)) {
    case Part::Document: break;
    case Part::Owner: text += ": owner" + index; break;
    case Part::Node: text += ": node" + index; break;
    case Part::Validator: text += ": validator" + index; break;
  }
  return text + ": " + std::string(name_of(error.rule));
}

Result<void, GenesisError> validate(const Genesis& genesis) { return Validation(genesis).run(); }

Bytes encode(const Genesis& genesis) { return codec::encode(genesis); }

Result<Genesis, GenesisError> decode_genesis(ByteView bytes) {
  if (bytes.size() > kMaxGenesisBytes) return fail(GenesisError{GenesisRule::TooLarge, 0});
  auto genesis = codec::decode<Genesis>(bytes);
  if (!genesis) return fail(GenesisError{GenesisRule::Malformed, 0});
  return std::move(*genesis);
}

identity::ChainId chain_id(const Genesis& genesis) {
  return {crypto::tagged_hash("hm.chain.v1", encode(genesis)).bytes};
}

}  // namespace hm::ledger
