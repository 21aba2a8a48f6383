// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/ledger/execution.h"
#include "core/ledger/limits.h"
#include "core/ledger/membership.h"
#include "core/privacy/limits.h"
#include "foundation/base/check.h"

namespace hm::ledger {
namespace {

// The keys are those of an owner on the ledger or of a federated root: valid when they came there.
identity::PublicKeys keys_of(const identity::KeyBundle& bundle) {
  auto keys = identity::validate(bundle);
  HM_CHECK(keys.has_value());
  return std::move(*keys);
}

bool is_signed(const identity::KeyBundle& bundle, const crypto::Digest& statement,
               const identity::OwnerSignature& signature) {
  return !identity::broken_half(keys_of(bundle), statement, signature);
}

}  // namespace

Execution::Checked Execution::act(const AddGrant& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  const privacy::Grant& grant = action.grant;
  if (grant.issuer != acting_.owner) return refuse(Refusal::GrantNotByIssuer);
  if (!layer_.owners.contains(grant.owner)) return refuse(Refusal::UnknownOwner);
  const privacy::GrantId id = privacy::grant_id(layer_.chain().chain_id, grant);
  if (layer_.grants.contains({grant.owner, id})) return refuse(Refusal::DuplicateGrant);
  if (grant.expiry && *grant.expiry <= frame_.time) {
    return refuse(Refusal::GrantExpired, grant.expiry->value, frame_.time.value);
  }
  const std::uint32_t count = layer_.owners.find(acting_.owner)->grants;
  if (count >= privacy::kMaxGrantsPerOwner) {
    return refuse(Refusal::TooManyGrants, count, privacy::kMaxGrantsPerOwner);
  }
  if (const auto refused = check_parent(grant)) return refused;
  const auto& bundle = layer_.owner_keys.find(acting_.owner)->bundle;
  if (!is_signed(bundle, privacy::grant_statement(id), action.signature)) {
    return refuse(Refusal::GrantNotSigned);
  }
  layer_.grants.add({grant.owner, id},
                    {.grant = grant, .signature = action.signature, .height = frame_.height});
  ++layer_.owners.edit(acting_.owner).grants;
  return std::nullopt;
}

// A grant passed on is within the one that it comes from, which its issuer has.
Execution::Checked Execution::check_parent(const privacy::Grant& grant) const {
  if (!grant.parent) return std::nullopt;
  const GrantRecord* parent = layer_.grants.find({grant.owner, *grant.parent});
  if (parent == nullptr) return refuse(Refusal::UnknownGrant);
  if (parent->revoked) return refuse(Refusal::GrantRevoked);
  if (const auto excess = privacy::excess_over(parent->grant, grant)) {
    return refuse(Refusal::GrantExceedsParent, static_cast<std::uint64_t>(*excess));
  }
  const MembershipOf issuer(layer_, frame_, parent->grant.to, grant.issuer);
  if (!privacy::means(parent->grant.to, issuer.requester())) {
    return refuse(Refusal::NotTheGrantee);
  }
  return std::nullopt;
}

Execution::Checked Execution::act(const RevokeGrant& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  const GrantKey key{action.owner, action.grant};
  const GrantRecord* record = layer_.grants.find(key);
  if (record == nullptr) return refuse(Refusal::UnknownGrant);
  if (record->revoked) return refuse(Refusal::GrantRevoked);
  const identity::OwnerId issuer = record->grant.issuer;
  if (acting_.owner != issuer && acting_.owner != action.owner) {
    return refuse(Refusal::GrantNotByIssuer);
  }
  const GrantUseRecord* use = layer_.grant_uses.find(key);
  if (use != nullptr && use->open_leases > 0) {
    layer_.grants.edit(key).revoked = true;
  } else {
    layer_.grants.remove(key);
    if (use != nullptr) layer_.grant_uses.remove(key);
  }
  --layer_.owners.edit(issuer).grants;
  return std::nullopt;
}

Execution::Checked Execution::act(const SetGroup& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  const privacy::GroupId id =
      privacy::group_id(layer_.chain().chain_id, acting_.owner, action.name);
  const GroupRecord* record = layer_.groups.find(id);
  const std::uint64_t version = record != nullptr ? record->version : 0;
  if (action.expected_version != version) {
    return refuse(Refusal::VersionMismatch, action.expected_version, version);
  }
  if (record != nullptr && action.members.empty()) {
    layer_.groups.remove(id);
    --layer_.owners.edit(acting_.owner).groups;
    return std::nullopt;
  }
  if (record == nullptr) {
    OwnerRecord& owner = layer_.owners.edit(acting_.owner);
    if (owner.groups >= privacy::kMaxGroupsPerOwner) {
      return refuse(Refusal::TooManyGroups, owner.groups, privacy::kMaxGroupsPerOwner);
    }
    ++owner.groups;
  }
  layer_.groups.edit_or_add(id) = {.group = {acting_.owner, action.name, action.members},
                                   .version = version + 1,
                                   .changed_height = frame_.height};
  return std::nullopt;
}

Execution::Checked Execution::act(const RecordCertificate& action) {
  const privacy::Certificate& certificate = action.certificate;
  if (!layer_.owners.contains(certificate.subject)) return refuse(Refusal::UnknownOwner);
  if (certificate.expiry <= frame_.time) {
    return refuse(Refusal::CertificateExpired, certificate.expiry.value, frame_.time.value);
  }
  const identity::KeyBundle* bundle = nullptr;
  if (certificate.issuer_chain == layer_.chain().chain_id) {
    const OwnerKeyRecord* keys = layer_.owner_keys.find(certificate.issuer);
    if (keys != nullptr) bundle = &keys->bundle;
  } else if (const auto* record = layer_.federations.find(certificate.issuer_chain)) {
    const privacy::MeshRoot& root = record->other(layer_.chain().chain_id);
    if (root.owner == certificate.issuer && record->federation.expiry > frame_.time) {
      bundle = &root.bundle;
    }
  }
  if (bundle == nullptr) return refuse(Refusal::UnknownIssuer);
  if (!is_signed(*bundle, privacy::certificate_statement(certificate), action.signature)) {
    return refuse(Refusal::CertificateNotSigned);
  }
  auto& rows = layer_.certificates.edit_or_add(certificate.subject).by_issuer;
  std::erase_if(rows,
                [this](const auto& row) { return row.second.certificate.expiry <= frame_.time; });
  const auto last = rows.find(certificate.issuer);
  if (last != rows.end()) {
    // What an issuer took back by a later word does not return with the old one.
    if (certificate.expiry <= last->second.certificate.expiry) {
      return refuse(Refusal::CertificateInvalid);
    }
  } else if (rows.size() >= privacy::kMaxCertificatesPerOwner && !make_room(certificate)) {
    return refuse(Refusal::TooManyCertificates, rows.size(), privacy::kMaxCertificatesPerOwner);
  }
  rows[certificate.issuer] = {certificate, frame_.height};
  return std::nullopt;
}

// Anyone may record a certificate, so that anyone could fill the subject's places with its own. For
// what the subject records, and for a root's, one of those that are no root's yields.
bool Execution::make_room(const privacy::Certificate& certificate) {
  if (acting_.owner != certificate.subject && !is_by_root(layer_, certificate, frame_.time)) {
    return false;
  }
  auto& rows = layer_.certificates.edit(certificate.subject).by_issuer;
  auto first = rows.end();
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    const privacy::Certificate& held = row->second.certificate;
    if (is_by_root(layer_, held, frame_.time)) continue;
    if (first == rows.end() || held.expiry < first->second.certificate.expiry) first = row;
  }
  if (first == rows.end()) return false;
  rows.erase(first);
  return true;
}

Execution::Checked Execution::act(const RecordFederation& action) {
  if (acting_.node) return refuse(Refusal::NodeMayNot);
  const ChainRecord& chain = layer_.chain();
  const privacy::Federation& federation = action.federation;
  if (acting_.owner != chain.root) return refuse(Refusal::NotTheRoot);
  const bool is_first = federation.first.chain == chain.chain_id;
  const privacy::MeshRoot& ours = is_first ? federation.first : federation.second;
  const privacy::MeshRoot& theirs = is_first ? federation.second : federation.first;
  if (ours.chain != chain.chain_id || ours.owner != chain.root || ours.name != chain.name ||
      ours.bundle != layer_.owner_keys.find(chain.root)->bundle) {
    return refuse(Refusal::FederationOfOthers);
  }
  if (federation.expiry <= frame_.time) {
    return refuse(Refusal::CertificateExpired, federation.expiry.value, frame_.time.value);
  }
  const crypto::Digest statement = privacy::federation_statement(federation);
  if (!is_signed(federation.first.bundle, statement, action.first) ||
      !is_signed(federation.second.bundle, statement, action.second)) {
    return refuse(Refusal::FederationNotSigned);
  }
  layer_.federations.edit_or_add(theirs.chain) = {.federation = federation,
                                                  .first = action.first,
                                                  .second = action.second,
                                                  .height = frame_.height};
  return std::nullopt;
}

Execution::Checked Execution::act(const CommitVault& action) {
  if (const auto refused = check_commits_for(action.node)) return refused;
  layer_.nodes.edit(action.node).vault_root = action.root;
  return std::nullopt;
}

// Without gaps, so that of two commitments for one generation only one is taken, and a node that
// went back to an old copy of itself is refused where it goes on from there.
Execution::Checked Execution::act(const CommitStorage& action) {
  if (const auto refused = check_commits_for(action.node)) return refused;
  const StorageCommitment* last = layer_.storage_commitments.find(action.node);
  const std::uint64_t next = last != nullptr ? last->generation + 1 : 1;
  if (action.generation != next) {
    return refuse(Refusal::GenerationNotNext, action.generation, next);
  }
  layer_.storage_commitments.edit_or_add(action.node) = {.generation = action.generation,
                                                         .objects = action.objects,
                                                         .shards = action.shards,
                                                         .changed_height = frame_.height,
                                                         .last_operation = id_};
  return std::nullopt;
}

// The node itself, or its owner, says what it holds.
Execution::Checked Execution::check_commits_for(const identity::NodeId& id) const {
  if (acting_.node && *acting_.node != id) return refuse(Refusal::NotOnThisNode);
  const NodeRecord* node = layer_.nodes.find(id);
  if (node == nullptr) return refuse(Refusal::UnknownNode);
  if (node->binding.owner != acting_.owner) return refuse(Refusal::NodeNotOwned);
  return std::nullopt;
}

}  // namespace hm::ledger
