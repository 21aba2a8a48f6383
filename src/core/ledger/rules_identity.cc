// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/demurrage.h"
#include "core/ledger/execution.h"
#include "foundation/base/check.h"

namespace hm::ledger {

Execution::Checked Execution::act(const RegisterOwner& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  const identity::OwnerId id = identity::owner_id_of(action.bundle);
  if (layer_.owners.find(id) != nullptr) return refuse(Refusal::DuplicateOwner);
  const caesar::Amount balance = accounts_.at(acting_.owner).balance;
  const auto cost = caesar::checked_add(action.credit, action.bond);
  if (!cost || *cost > balance) {
    return refuse(Refusal::OverBalance, balance.value, cost ? cost->value : UINT64_MAX);
  }
  layer_.add_owner(id,
                   {.name = action.name,
                    .demurrage_day = caesar::day_of(layer_.chain().genesis_time, frame_.time),
                    .registered_height = frame_.height},
                   {.bundle = action.bundle, .since_height = frame_.height});
  caesar::Account& sponsor = accounts_.at(acting_.owner);
  caesar::Account& account = accounts_.at(id);
  HM_CHECK(accounts_.move(caesar::balance_of(sponsor), caesar::balance_of(account), action.credit));
  HM_CHECK(accounts_.move(caesar::balance_of(sponsor), caesar::bond_of(account), action.bond));
  const caesar::Amount starter = layer_.chain().economy.starter_credit;
  if (starter.value > 0 && layer_.pools().starter >= starter) {
    HM_CHECK(accounts_.move(caesar::as_pool(layer_.edit_pools().starter),
                            caesar::balance_of(account), starter));
  }
  ++layer_.owners.edit(acting_.owner).records_created;
  return std::nullopt;
}

Execution::Checked Execution::act(const RegisterNode& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  if (action.binding.owner != acting_.owner) return refuse(Refusal::BindingNotByOwner);
  const identity::NodeId id = action.binding.node();
  if (layer_.nodes.find(id) != nullptr) return refuse(Refusal::DuplicateNode);
  if (!identity::verify_falcon(action.binding, falcon_key(),
                               identity::binding_context(layer_.chain().chain_id))) {
    return refuse(Refusal::NotFalconSigned);
  }
  layer_.nodes.add(id, NodeRecord{.binding = action.binding, .registered_height = frame_.height});
  ++layer_.owners.edit(acting_.owner).records_created;
  return std::nullopt;
}

Execution::Checked Execution::act(const RotateKeys& action) {
  const identity::KeyRotation& rotation = action.rotation;
  const OwnerKeyRecord& old = *layer_.owner_keys.find(acting_.owner);
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
  layer_.owner_keys.edit(acting_.owner) = {
      .bundle = rotation.bundle,
      .since_height = frame_.height,
      .retiring = RetiringKey{key_, frame_.height + rotation.overlap}};
  return std::nullopt;
}

falcon::VerifyingKey Execution::falcon_key() const {
  auto keys = identity::validate(layer_.owner_keys.find(acting_.owner)->bundle);
  HM_CHECK(keys.has_value());
  return std::move(keys->falcon);
}

}  // namespace hm::ledger
