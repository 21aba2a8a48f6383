// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/rules.h"

#include <algorithm>

#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

using Checked = std::optional<Refused>;

Refused refuse(Refusal rule, std::uint64_t given = 0, std::uint64_t wanted = 0) {
  return {rule, given, wanted};
}

std::uint64_t id_prefix(const crypto::Digest& id) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) prefix = (prefix << 8) | id.bytes[i];
  return prefix;
}

// Who acts: the owner whose rights and bond count, and its node if the node's key signed.
struct Acting {
  identity::OwnerId owner;
  std::optional<identity::NodeId> node;
};

class Execution {
 public:
  Execution(Layer& layer, const Frame& frame, const PreparedOperation& prepared)
      : layer_(layer),
        frame_(frame),
        id_(prepared.id),
        operation_(prepared.operation),
        key_(prepared.key) {}

  Checked run() {
    if (operation_.chain_id != layer_.chain().chain_id) return refuse(Refusal::WrongChain);
    if (const auto refused = check_actor()) return refused;
    if (const auto refused = check_sequence()) return refused;
    if (const auto refused = check_time()) return refused;
    if (const auto refused = check_cited()) return refused;
    if (const auto refused = check_bond()) return refused;
    if (const auto refused =
            std::visit([this](const auto& action) { return act(action); }, operation_.action)) {
      return refused;
    }
    advance();
    return std::nullopt;
  }

 private:
  // PoStake: the actor exists and its registered key signed.
  Checked check_actor() {
    if (const auto* owner = std::get_if<identity::OwnerId>(&operation_.actor)) {
      acting_.owner = *owner;
    } else {
      acting_.node = std::get<identity::NodeId>(operation_.actor);
      const NodeRecord* node = layer_.node(*acting_.node);
      if (node == nullptr) return refuse(Refusal::UnknownActor);
      if (node->binding.node_key != key_) return refuse(Refusal::WrongKey);
      acting_.owner = node->binding.owner;
    }
    const OwnerKeyRecord* keys = layer_.owner_keys(acting_.owner);
    if (keys == nullptr) return refuse(Refusal::UnknownActor);
    if (acting_.node || keys->bundle.has_ed25519(key_)) return std::nullopt;
    if (!keys->retiring || keys->retiring->key != key_) return refuse(Refusal::WrongKey);
    const std::uint64_t until = keys->retiring->until_height;
    if (frame_.height > until) return refuse(Refusal::KeyRetired, frame_.height, until);
    return std::nullopt;
  }

  const ActorProgress& progress() const {
    return acting_.node ? layer_.node(*acting_.node)->progress
                        : layer_.owner(acting_.owner)->progress;
  }

  Checked check_sequence() const {
    const ActorProgress& done = progress();
    const std::uint64_t next = done.sequence + 1;
    const std::uint64_t given = operation_.sequence;
    if (given == next) return std::nullopt;
    if (given > next) return refuse(Refusal::SequenceGap, given, next);
    return refuse(is_recent(done, given, id_) ? Refusal::AlreadyApplied : Refusal::SequenceUsed,
                  given, next);
  }

  // PoTime: made after a recent block of this branch, included before it expires.
  Checked check_time() {
    const Policy& policy = policy_of(layer_.chain().preset);
    const std::uint64_t anchored = operation_.anchor.height;
    const std::uint64_t expiry = operation_.expiry_height;
    if (expiry < frame_.height) return refuse(Refusal::Expired, expiry, frame_.height);
    if (anchored >= frame_.height) {
      return refuse(Refusal::UnknownAnchor, anchored, frame_.height - 1);
    }
    if (frame_.height - anchored > policy.anchor_max_age) {
      return refuse(Refusal::AnchorTooOld, anchored, frame_.height - policy.anchor_max_age);
    }
    const BlockRecord* block = layer_.block(anchored);
    HM_CHECK(block != nullptr);  // the state keeps the whole window
    if (block->hash != operation_.anchor.hash) {
      return refuse(Refusal::AnchorOnAnotherBranch, anchored);
    }
    if (expiry - anchored > policy.expiry_max_ahead) {
      return refuse(Refusal::ExpiryTooFar, expiry, anchored + policy.expiry_max_ahead);
    }
    interval_ = {block->time, frame_.time};
    return std::nullopt;
  }

  // PoSpace and PoWork: audits do not exist yet, so no record can be cited.
  Checked check_cited() const {
    if (operation_.proofs.space) return refuse(Refusal::UnknownSpaceRecord);
    if (operation_.proofs.work) return refuse(Refusal::UnknownWorkRecord);
    return std::nullopt;
  }

  Checked check_bond() const {
    const OwnerRecord& owner = *layer_.owner(acting_.owner);
    const caesar::Amount needed =
        bond_needed(policy_of(layer_.chain().preset), operation_.action, owner.records_created);
    if (owner.account.bond < needed) {
      return refuse(Refusal::BondBelowMinimum, owner.account.bond.value, needed.value);
    }
    return std::nullopt;
  }

  Checked act(const RegisterOwner& action) {
    if (acting_.node) return refuse(Refusal::NodeMayNot);
    const identity::OwnerId id = identity::owner_id_of(action.bundle);
    if (layer_.owner(id) != nullptr) return refuse(Refusal::DuplicateOwner);
    const caesar::Amount balance = layer_.owner(acting_.owner)->account.balance;
    const auto cost = caesar::checked_add(action.credit, action.bond);
    if (!cost || *cost > balance) {
      return refuse(Refusal::OverBalance, balance.value, cost ? cost->value : UINT64_MAX);
    }
    OwnerRecord& sponsor = layer_.edit_owner(acting_.owner);
    OwnerRecord& owner =
        layer_.add_owner(id, {.name = action.name, .registered_height = frame_.height},
                         {.bundle = action.bundle, .since_height = frame_.height});
    HM_CHECK(caesar::endow(layer_.edit_supply(), sponsor.account, owner.account, action.credit,
                           action.bond));
    ++sponsor.records_created;
    return std::nullopt;
  }

  Checked act(const RegisterNode& action) {
    if (acting_.node) return refuse(Refusal::NodeMayNot);
    if (action.binding.owner != acting_.owner) return refuse(Refusal::BindingNotByOwner);
    const identity::NodeId id = action.binding.node();
    if (layer_.node(id) != nullptr) return refuse(Refusal::DuplicateNode);
    if (!identity::verify_falcon(action.binding, falcon_key(),
                                 identity::binding_context(layer_.chain().chain_id))) {
      return refuse(Refusal::NotFalconSigned);
    }
    layer_.add_node(id, {.binding = action.binding, .registered_height = frame_.height});
    ++layer_.edit_owner(acting_.owner).records_created;
    return std::nullopt;
  }

  Checked act(const RegisterAsset& action) {
    if (acting_.node && *acting_.node != action.node) return refuse(Refusal::NotOnThisNode);
    const NodeRecord* node = layer_.node(action.node);
    if (node == nullptr) return refuse(Refusal::UnknownNode);
    if (node->binding.owner != acting_.owner) return refuse(Refusal::NodeNotOwned);
    if (layer_.asset(action.id.hash) != nullptr) return refuse(Refusal::DuplicateAsset);
    const auto address = assets::address_of(layer_.chain().chain_id, action.id.hash);
    if (layer_.is_address_taken(address)) return refuse(Refusal::AddressCollision);
    layer_.add_asset({.id = action.id,
                      .owner = acting_.owner,
                      .node = action.node,
                      .terms = action.terms,
                      .address = address,
                      .registered_height = frame_.height});
    ++layer_.edit_owner(acting_.owner).records_created;
    touch(action.id.hash, AssetEvent::Registered);
    return std::nullopt;
  }

  Checked act(const UpdateAsset& action) {
    if (const auto refused = check_asset(action.id, action.expected_version)) return refused;
    layer_.edit_asset(action.id.hash).terms = action.terms;
    touch(action.id.hash, AssetEvent::Updated);
    return std::nullopt;
  }

  Checked act(const TransferAsset& action) {
    if (acting_.node) return refuse(Refusal::NodeMayNot);
    if (const auto refused = check_asset(action.id, action.expected_version)) return refused;
    if (action.to == acting_.owner) return refuse(Refusal::TransferToSelf);
    if (layer_.owner(action.to) == nullptr) return refuse(Refusal::UnknownOwner);
    layer_.edit_asset(action.id.hash).owner = action.to;
    touch(action.id.hash, AssetEvent::Transferred);
    return std::nullopt;
  }

  Checked act(const RetireAsset& action) {
    if (const auto refused = check_asset(action.id, action.expected_version)) return refused;
    assets::AssetRecord& asset = layer_.edit_asset(action.id.hash);
    asset.terms.state = assets::AssetState::Retired;
    asset.terms.quantity.offered = 0;
    asset.terms.quantity.available = 0;
    touch(action.id.hash, AssetEvent::Retired);
    return std::nullopt;
  }

  Checked act(const TransferCaes& action) {
    if (acting_.node) return refuse(Refusal::NodeMayNot);
    if (action.to == acting_.owner) return refuse(Refusal::TransferToSelf);
    if (layer_.owner(action.to) == nullptr) return refuse(Refusal::UnknownOwner);
    const caesar::Amount balance = layer_.owner(acting_.owner)->account.balance;
    if (action.amount > balance) {
      return refuse(Refusal::OverBalance, balance.value, action.amount.value);
    }
    OwnerRecord& from = layer_.edit_owner(acting_.owner);
    OwnerRecord& to = layer_.edit_owner(action.to);
    HM_CHECK(caesar::transfer(from.account, to.account, action.amount));
    return std::nullopt;
  }

  Checked act(const RotateKeys& action) {
    const identity::KeyRotation& rotation = action.rotation;
    const OwnerKeyRecord& old = *layer_.owner_keys(acting_.owner);
    if (!old.bundle.has_ed25519(key_)) return refuse(Refusal::RotationByOldKey);
    for (const auto& [algorithm, key] : rotation.bundle.keys) {
      if (old.bundle.keys.at(algorithm) == key) return refuse(Refusal::RotationKeyNotNew);
    }
    const std::uint64_t longest = policy_of(layer_.chain().preset).expiry_max_ahead;
    if (rotation.overlap > longest) {
      return refuse(Refusal::OverlapTooLong, rotation.overlap, longest);
    }
    const crypto::Digest statement =
        identity::rotation_statement({layer_.chain().chain_id, acting_.owner, operation_.sequence},
                                     rotation.bundle, rotation.overlap);
    if (!identity::verify(falcon_key(), statement, rotation.agreement)) {
      return refuse(Refusal::NotFalconSigned);
    }
    layer_.edit_owner_keys(acting_.owner) = {
        .bundle = rotation.bundle,
        .since_height = frame_.height,
        .retiring = RetiringKey{key_, frame_.height + rotation.overlap}};
    return std::nullopt;
  }

  // The acting owner's current Falcon key: what is on the ledger was valid when it came there.
  falcon::VerifyingKey falcon_key() const {
    auto keys = identity::validate(layer_.owner_keys(acting_.owner)->bundle);
    HM_CHECK(keys.has_value());
    return std::move(keys->falcon);
  }

  // The asset exists, the actor may change it, and it is as the actor last saw it.
  Checked check_asset(const assets::AssetId& id, std::uint64_t expected_version) const {
    const assets::AssetRecord* asset = layer_.asset(id.hash);
    if (asset == nullptr) return refuse(Refusal::UnknownAsset);
    if (asset->owner != acting_.owner) return refuse(Refusal::NotTheOwner);
    if (acting_.node && *acting_.node != asset->node) return refuse(Refusal::NotOnThisNode);
    if (asset->terms.state == assets::AssetState::Retired) return refuse(Refusal::AssetRetired);
    if (asset->version != expected_version) {
      return refuse(Refusal::VersionMismatch, expected_version, asset->version);
    }
    return std::nullopt;
  }

  // What every applied operation leaves on its asset.
  void touch(const crypto::Digest& hash, AssetEvent event) {
    assets::AssetRecord& asset = layer_.edit_asset(hash);
    ++asset.version;
    asset.cited = operation_.proofs;
    asset.changed_height = frame_.height;
    asset.changed = interval_;
    asset.last_operation = id_;
    layer_.note({event, asset.id, asset.version, id_});
  }

  void advance() {
    ActorProgress& done = acting_.node ? layer_.edit_node(*acting_.node).progress
                                       : layer_.edit_owner(acting_.owner).progress;
    done.sequence = operation_.sequence;
    done.recent[operation_.sequence % kRecentOperations] = id_prefix(id_);
  }

  Layer& layer_;
  const Frame& frame_;
  const crypto::Digest& id_;
  const Operation& operation_;
  const crypto::PublicKey& key_;
  Acting acting_;
  assets::TimeInterval interval_;
};

caesar::Amount action_minimum(const Policy& policy, const Action& action) {
  struct Minimum {
    const Policy& table;
    caesar::Amount operator()(const RegisterOwner&) const { return table.bond_register_owner; }
    caesar::Amount operator()(const RegisterNode&) const { return table.bond_register_node; }
    caesar::Amount operator()(const RegisterAsset&) const { return table.bond_register_asset; }
    caesar::Amount operator()(const UpdateAsset&) const { return table.bond_update_asset; }
    caesar::Amount operator()(const TransferAsset&) const { return table.bond_transfer_asset; }
    caesar::Amount operator()(const RetireAsset&) const { return table.bond_retire_asset; }
    caesar::Amount operator()(const TransferCaes&) const { return table.bond_transfer_caes; }
    // Whoever fears for its keys must be able to replace them.
    caesar::Amount operator()(const RotateKeys&) const { return {}; }
  };
  return std::visit(Minimum{policy}, action);
}

bool creates_record(const Action& action) {
  return std::holds_alternative<RegisterOwner>(action) ||
         std::holds_alternative<RegisterNode>(action) ||
         std::holds_alternative<RegisterAsset>(action);
}

}  // namespace

caesar::Amount bond_needed(const Policy& policy, const Action& action,
                           std::uint64_t records_created) {
  const caesar::Amount minimum = action_minimum(policy, action);
  if (!creates_record(action)) return minimum;
  const auto tied_up = caesar::scale(policy.bond_per_record, records_created + 1, 1);
  return std::max(minimum, tied_up.value_or(caesar::Amount{UINT64_MAX}));
}

bool is_recent(const ActorProgress& progress, std::uint64_t sequence, const crypto::Digest& id) {
  return sequence >= 1 && sequence <= progress.sequence &&
         progress.sequence - sequence < kRecentOperations &&
         progress.recent[sequence % kRecentOperations] == id_prefix(id);
}

std::optional<Refused> execute(Layer& layer, const Frame& frame,
                               const PreparedOperation& operation) {
  Layer scratch(layer);
  if (auto refused = Execution(scratch, frame, operation).run()) return refused;
  layer.absorb(std::move(scratch));
  return std::nullopt;
}

}  // namespace hm::ledger
