// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/rules.h"

#include <algorithm>

#include "core/ledger/execution.h"
#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

std::uint64_t id_prefix(const crypto::Digest& id) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) prefix = (prefix << 8) | id.bytes[i];
  return prefix;
}

// The bond that the acting owner must hold for an action, whatever it created before.
struct Minimum {
  const Policy& table;
  caesar::Amount operator()(const RegisterOwner&) const { return table.bond_register_owner; }
  caesar::Amount operator()(const RegisterNode&) const { return table.bond_register_node; }
  caesar::Amount operator()(const RegisterAsset&) const { return table.bond_register_asset; }
  caesar::Amount operator()(const UpdateAsset&) const { return table.bond_update_asset; }
  caesar::Amount operator()(const TransferAsset&) const { return table.bond_transfer_asset; }
  caesar::Amount operator()(const RetireAsset&) const { return table.bond_retire_asset; }
  caesar::Amount operator()(const TransferCaes&) const { return table.bond_transfer_caes; }
  caesar::Amount operator()(const AddGrant&) const { return table.bond_lend; }
  caesar::Amount operator()(const SetGroup&) const { return table.bond_lend; }
  caesar::Amount operator()(const RecordCertificate&) const { return table.bond_lend; }
  caesar::Amount operator()(const RecordFederation&) const { return table.bond_lend; }
  // A newcomer leases with what a sponsor gave it; and whoever lends or leases must always be able
  // to end it. Whoever fears for its keys must be able to replace them.
  template <class Other>
  caesar::Amount operator()(const Other&) const {
    return {};
  }
};

caesar::Amount action_minimum(const Policy& policy, const Action& action) {
  return std::visit(Minimum{policy}, action);
}

bool creates_record(const Action& action) {
  return std::holds_alternative<RegisterOwner>(action) ||
         std::holds_alternative<RegisterNode>(action) ||
         std::holds_alternative<RegisterAsset>(action);
}

}  // namespace

std::optional<Refused> Execution::run() {
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

// PoStake: the actor exists and its registered key signed.
Execution::Checked Execution::check_actor() {
  if (const auto* owner = std::get_if<identity::OwnerId>(&operation_.actor)) {
    acting_.owner = *owner;
  } else {
    acting_.node = std::get<identity::NodeId>(operation_.actor);
    const NodeRecord* node = layer_.nodes.find(*acting_.node);
    if (node == nullptr) return refuse(Refusal::UnknownActor);
    if (node->binding.node_key != key_) return refuse(Refusal::WrongKey);
    acting_.owner = node->binding.owner;
  }
  const OwnerKeyRecord* keys = layer_.owner_keys.find(acting_.owner);
  if (keys == nullptr) return refuse(Refusal::UnknownActor);
  if (acting_.node || keys->bundle.has_ed25519(key_)) return std::nullopt;
  if (!keys->retiring || keys->retiring->key != key_) return refuse(Refusal::WrongKey);
  const std::uint64_t until = keys->retiring->until_height;
  if (frame_.height > until) return refuse(Refusal::KeyRetired, frame_.height, until);
  return std::nullopt;
}

const ActorProgress& Execution::progress() const {
  return acting_.node ? layer_.nodes.find(*acting_.node)->progress
                      : layer_.owners.find(acting_.owner)->progress;
}

Execution::Checked Execution::check_sequence() const {
  const ActorProgress& done = progress();
  const std::uint64_t next = done.sequence + 1;
  const std::uint64_t given = operation_.sequence;
  if (given == next) return std::nullopt;
  if (given > next) return refuse(Refusal::SequenceGap, given, next);
  return refuse(is_recent(done, given, id_) ? Refusal::AlreadyApplied : Refusal::SequenceUsed,
                given, next);
}

// PoTime: made after a recent block of this branch, included before it expires.
Execution::Checked Execution::check_time() {
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
Execution::Checked Execution::check_cited() const {
  if (operation_.proofs.space) return refuse(Refusal::UnknownSpaceRecord);
  if (operation_.proofs.work) return refuse(Refusal::UnknownWorkRecord);
  return std::nullopt;
}

Execution::Checked Execution::check_bond() const {
  const OwnerRecord& owner = *layer_.owners.find(acting_.owner);
  const caesar::Amount needed =
      bond_needed(policy_of(layer_.chain().preset), operation_.action, owner.records_created);
  if (owner.account.bond < needed) {
    return refuse(Refusal::BondBelowMinimum, owner.account.bond.value, needed.value);
  }
  return std::nullopt;
}

void Execution::advance() {
  ActorProgress& done = acting_.node ? layer_.nodes.edit(*acting_.node).progress
                                     : layer_.owners.edit(acting_.owner).progress;
  done.sequence = operation_.sequence;
  done.recent[operation_.sequence % kRecentOperations] = id_prefix(id_);
}

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
