// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/operation.h"

#include <array>

#include "core/ledger/limits.h"
#include "foundation/codec/reader.h"
#include "foundation/codec/writer.h"

namespace hm::ledger {
namespace {

constexpr std::string_view kTag = "hm.operation.v1";
// A signed operation ends with the key and the signature, both of fixed size.
constexpr std::size_t kTrailer = 32 + 64;

using Checked = std::optional<Refused>;

Refused refuse(Refusal rule, std::uint64_t given = 0, std::uint64_t wanted = 0) {
  return {rule, given, wanted};
}

Checked check_terms(const assets::AssetTerms& terms) {
  const auto checked = assets::validate(terms);
  if (checked) return std::nullopt;
  const assets::Quantity& quantity = terms.quantity;
  switch (checked.error()) {
    case assets::TermsError::DescriptorTooLarge: return refuse(Refusal::DescriptorTooLarge);
    case assets::TermsError::DescriptorInvalid: return refuse(Refusal::DescriptorInvalid);
    case assets::TermsError::BadUnit: return refuse(Refusal::BadUnit);
    case assets::TermsError::OfferedAboveDetected:
      return refuse(Refusal::OfferedAboveDetected, quantity.offered, quantity.detected);
    case assets::TermsError::AvailableAboveOffered:
      return refuse(Refusal::AvailableAboveOffered, quantity.available, quantity.offered);
    case assets::TermsError::LevelNeedsCommitment: return refuse(Refusal::LevelNeedsCommitment);
  }
  return refuse(Refusal::Malformed);
}

Checked check_settable(assets::AssetState state) {
  switch (state) {
    case assets::AssetState::Available:
    case assets::AssetState::Maintenance:
    case assets::AssetState::Failed: return std::nullopt;
    default: return refuse(Refusal::StateNotSettable);
  }
}

Checked check_id(const identity::ChainId& chain, const assets::AssetId& id) {
  const auto checked = assets::verify(chain, id);
  if (checked) return std::nullopt;
  return refuse(checked.error() == assets::AssetIdError::WrongChain ? Refusal::AssetIdOfAnotherChain
                                                                    : Refusal::AssetIdInvalid);
}

Checked check_binding(const identity::NodeBinding& binding, const crypto::PublicKey& owner_key,
                      const identity::ChainId& chain) {
  const auto checked =
      identity::verify_without_falcon(binding, owner_key, identity::binding_context(chain));
  if (checked) return std::nullopt;
  switch (checked.error()) {
    case identity::BindingError::BadName: return refuse(Refusal::BadName);
    case identity::BindingError::InvalidNodeKey: return refuse(Refusal::BadNodeKey);
    case identity::BindingError::NotSignedByOwner:
    case identity::BindingError::NotFalconSigned: return refuse(Refusal::BindingNotByOwner);
    case identity::BindingError::NotSignedByNode: return refuse(Refusal::BindingNotByNode);
  }
  return refuse(Refusal::Malformed);
}

// What an action must satisfy whatever the state is.
struct FormCheck {
  const identity::ChainId& chain;
  const Operation& operation;
  const crypto::PublicKey& key;

  Checked operator()(const RegisterOwner& action) const {
    if (!identity::is_valid_name(action.name)) return refuse(Refusal::BadName);
    if (!identity::validate(action.bundle)) return refuse(Refusal::BadKeyBundle);
    return std::nullopt;
  }
  Checked operator()(const RegisterNode& action) const {
    return check_binding(action.binding, key, chain);
  }
  Checked operator()(const RegisterAsset& action) const {
    if (const auto refused = check_id(chain, action.id)) return refused;
    if (const auto refused = check_settable(action.terms.state)) return refused;
    return check_terms(action.terms);
  }
  Checked operator()(const UpdateAsset& action) const {
    if (const auto refused = check_id(chain, action.id)) return refused;
    if (const auto refused = check_settable(action.terms.state)) return refused;
    return check_terms(action.terms);
  }
  Checked operator()(const TransferAsset& action) const { return check_id(chain, action.id); }
  Checked operator()(const RetireAsset& action) const { return check_id(chain, action.id); }
  Checked operator()(const TransferCaes& action) const {
    if (action.amount.value == 0) return refuse(Refusal::ZeroAmount);
    return std::nullopt;
  }
  Checked operator()(const RotateKeys& action) const {
    const auto* owner = std::get_if<identity::OwnerId>(&operation.actor);
    if (owner == nullptr) return refuse(Refusal::NodeMayNot);
    const auto held =
        identity::check_possession(action.rotation, {chain, *owner, operation.sequence});
    if (held) return std::nullopt;
    return refuse(held.error() == identity::RotationError::BadKeyBundle ? Refusal::BadKeyBundle
                                                                        : Refusal::RotationNotHeld);
  }
};

Result<PreparedOperation, Refused> check(SignedOperation&& signed_operation,
                                         const crypto::Digest& id, const identity::ChainId& chain) {
  if (signed_operation.operation.chain_id != chain) return fail(refuse(Refusal::WrongChain));
  if (!crypto::verify(signed_operation.key, id.view(), signed_operation.signature)) {
    return fail(refuse(Refusal::BadSignature));
  }
  const FormCheck form{chain, signed_operation.operation, signed_operation.key};
  if (const auto refused = std::visit(form, signed_operation.operation.action)) {
    return fail(*refused);
  }
  return PreparedOperation{id, std::move(signed_operation.operation), signed_operation.key};
}

}  // namespace

std::string_view name_of(const Action& action) {
  static constexpr std::array<std::string_view, std::variant_size_v<Action>> kNames = {
      "register_owner", "register_node", "register_asset", "update_asset",
      "transfer_asset", "retire_asset",  "transfer_caes",  "rotate_keys"};
  return kNames.at(action.index());
}

crypto::Digest operation_id(const Operation& operation) {
  return crypto::tagged_hash(kTag, codec::encode(operation));
}

SignedOperation sign(Operation operation, const crypto::SigningKey& key) {
  const crypto::Digest id = operation_id(operation);
  return {std::move(operation), key.public_key(), key.sign(id.view())};
}

Result<PreparedOperation, Refused> prepare(ByteView bytes, const identity::ChainId& chain) {
  if (bytes.size() > kMaxOperationBytes) {
    return fail(refuse(Refusal::OperationTooLarge, bytes.size(), kMaxOperationBytes));
  }
  auto decoded = codec::decode<SignedOperation>(bytes);
  if (!decoded) return fail(refuse(Refusal::Malformed));
  // The encoding is canonical, so the operation's own bytes are what stands before the trailer.
  const auto id = crypto::tagged_hash(kTag, bytes.first(bytes.size() - kTrailer));
  return check(std::move(*decoded), id, chain);
}

Result<PreparedOperation, Refused> prepare(SignedOperation operation,
                                           const identity::ChainId& chain) {
  const Bytes bytes = codec::encode(operation);
  return prepare(bytes, chain);
}

}  // namespace hm::ledger
