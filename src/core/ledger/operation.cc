// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/operation.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

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
    case assets::TermsError::TooTelling: return refuse(Refusal::TooTelling);
    case assets::TermsError::BadPrice: return refuse(Refusal::LeaseInvalid);
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

// The kind in the id of an asset whose kind is nobody's business says nothing.
Checked check_kind(const assets::AssetId& id, const assets::AssetTerms& terms) {
  const bool is_concealed = id.kind == assets::AssetKind::Concealed;
  const bool conceals_kind = terms.level == assets::PrivacyLevel::PrivateNetwork;
  if (is_concealed != conceals_kind) return refuse(Refusal::KindConcealed);
  return std::nullopt;
}

Checked check_reading(const identity::ChainId& chain, const MeterReading& reading) {
  for (const SignedTotal& side : {reading.provider, reading.tenant}) {
    const auto statement = meter_statement(chain, reading.lease, reading.placement,
                                           reading.interval, side.delivered_ms, side.used);
    if (!crypto::verify(side.key, statement.view(), side.signature)) {
      return refuse(Refusal::BadMeterSignature);
    }
  }
  return std::nullopt;
}

Checked check_results(const identity::ChainId& chain, const ReportDisagreement& action) {
  const auto& results = action.results;
  // One is no quorum, and none is larger than all.
  if (results.size() < kMinResults || results.size() > kMaxResults || action.quorum < 2 ||
      action.quorum > results.size() ||
      std::ranges::adjacent_find(results, std::ranges::greater_equal{}, &SignedResult::lease) !=
          results.end()) {
    return refuse(Refusal::ResultsInvalid);
  }
  for (const SignedResult& result : results) {
    const auto fault = check_result(chain, result);
    if (fault == ResultFault::NotCommitted) return refuse(Refusal::ResultNotCommitted);
    if (fault) return refuse(Refusal::BadResultSignature);
  }
  return std::nullopt;
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
    if (const auto refused = check_kind(action.id, action.terms)) return refused;
    return check_terms(action.terms);
  }
  Checked operator()(const UpdateAsset& action) const {
    if (const auto refused = check_id(chain, action.id)) return refused;
    if (const auto refused = check_settable(action.terms.state)) return refused;
    if (const auto refused = check_kind(action.id, action.terms)) return refused;
    return check_terms(action.terms);
  }
  Checked operator()(const TransferAsset& action) const { return check_id(chain, action.id); }
  Checked operator()(const RetireAsset& action) const { return check_id(chain, action.id); }
  Checked operator()(const TransferCaes& action) const {
    return check_above_zero(action.amount.value);
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
  Checked operator()(const AddGrant& action) const {
    const auto checked = privacy::validate(action.grant);
    if (checked) return std::nullopt;
    return refuse(Refusal::GrantInvalid, static_cast<std::uint64_t>(checked.error()));
  }
  Checked operator()(const RevokeGrant&) const { return std::nullopt; }
  Checked operator()(const SetGroup& action) const {
    const auto* owner = std::get_if<identity::OwnerId>(&operation.actor);
    if (owner == nullptr) return refuse(Refusal::NodeMayNot);
    const auto checked = privacy::validate(privacy::Group{*owner, action.name, action.members});
    if (checked) return std::nullopt;
    return refuse(Refusal::GroupInvalid, static_cast<std::uint64_t>(checked.error()));
  }
  Checked operator()(const RecordCertificate& action) const {
    const privacy::Certificate& certificate = action.certificate;
    if (privacy::is_valid_name(certificate.name) && certificate.issuer != certificate.subject) {
      return std::nullopt;
    }
    return refuse(Refusal::CertificateInvalid);
  }
  Checked operator()(const RecordFederation& action) const {
    const auto checked = privacy::validate(action.federation);
    if (checked) return std::nullopt;
    return refuse(Refusal::FederationInvalid, static_cast<std::uint64_t>(checked.error()));
  }
  Checked operator()(const CommitVault&) const { return std::nullopt; }
  Checked operator()(const OpenLease& action) const {
    if (action.choices.empty() || action.choices.size() > kMaxLeaseChoices ||
        action.quantity == 0 || action.duration_ms == 0 || action.highest_price.quantity == 0) {
      return refuse(Refusal::LeaseInvalid);
    }
    std::set<crypto::Digest> assets;
    for (const LeaseChoice& choice : action.choices) {
      if (const auto refused = check_id(chain, choice.asset)) return refused;
      if (!assets.insert(choice.asset.hash).second) return refuse(Refusal::LeaseInvalid);
    }
    return std::nullopt;
  }
  Checked operator()(const AcceptLease&) const { return std::nullopt; }
  Checked operator()(const DeclineLease&) const { return std::nullopt; }
  Checked operator()(const RenewLease& action) const {
    if (action.extra_ms == 0) return refuse(Refusal::LeaseInvalid);
    return std::nullopt;
  }
  Checked operator()(const CloseLease&) const { return std::nullopt; }
  Checked operator()(const ReclaimLease&) const { return std::nullopt; }
  Checked operator()(const MeterLease& action) const {
    return check_reading(chain, action.reading);
  }
  Checked operator()(const SettleLease&) const { return std::nullopt; }
  Checked operator()(const Bond& action) const { return check_above_zero(action.amount.value); }
  Checked operator()(const Unbond& action) const { return check_above_zero(action.amount.value); }
  Checked operator()(const Delegate& action) const { return check_above_zero(action.amount.value); }
  Checked operator()(const Undelegate& action) const { return check_above_zero(action.shares); }

  Checked operator()(const ReportFault& action) const {
    if (action.evidence.size() <= kMaxEvidenceBytes) return std::nullopt;
    return refuse(Refusal::EvidenceProvesNothing);
  }
  Checked operator()(const ReportDisagreement& action) const {
    return check_results(chain, action);
  }
  Checked operator()(const SetAllowance&) const { return std::nullopt; }
  Checked operator()(const CommitStorage&) const { return std::nullopt; }

  static Checked check_above_zero(std::uint64_t amount) {
    if (amount == 0) return refuse(Refusal::ZeroAmount);
    return std::nullopt;
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
      "register_owner",    "register_node", "register_asset", "update_asset",
      "transfer_asset",    "retire_asset",  "transfer_caes",  "rotate_keys",
      "add_grant",         "revoke_grant",  "set_group",      "record_certificate",
      "record_federation", "commit_vault",  "open_lease",     "accept_lease",
      "decline_lease",     "renew_lease",   "close_lease",    "reclaim_lease",
      "meter_lease",       "settle_lease",  "bond",           "unbond",
      "delegate",          "undelegate",    "report_fault",   "report_disagreement",
      "set_allowance",     "commit_storage"};
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
