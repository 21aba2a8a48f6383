// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/group.h"

#include <algorithm>

#include "foundation/codec/writer.h"

namespace hm::privacy {

std::string_view name_of(GroupError error) {
  switch (error) {
    case GroupError::BadName: return "bad_name";
    case GroupError::BadPattern: return "bad_pattern";
    case GroupError::TooManyMembers: return "too_many_members";
    case GroupError::DuplicateMember: return "duplicate_member";
  }
  return "unknown";
}

std::string_view name_of(FederationError error) {
  switch (error) {
    case FederationError::SameMesh: return "same_mesh";
    case FederationError::WrongOrder: return "wrong_order";
    case FederationError::BadName: return "bad_name";
    case FederationError::BadKeyBundle: return "bad_key_bundle";
  }
  return "unknown";
}

Result<void, GroupError> validate(const Group& group) {
  if (!identity::is_valid_name(group.name)) return fail(GroupError::BadName);
  if (group.members.size() > kMaxGroupMembers) return fail(GroupError::TooManyMembers);
  for (const GroupMember& member : group.members) {
    const auto* pattern = std::get_if<CertificatePattern>(&member);
    if (pattern != nullptr && !is_valid_pattern(pattern->name)) return fail(GroupError::BadPattern);
  }
  for (auto member = group.members.begin(); member != group.members.end(); ++member) {
    if (std::find(group.members.begin(), member, *member) != member) {
      return fail(GroupError::DuplicateMember);
    }
  }
  return {};
}

bool is_member(const Group& group, const identity::OwnerId& owner,
               std::span<const CertifiedName> certificates) {
  return std::ranges::any_of(group.members, [&](const GroupMember& member) {
    if (const auto* one = std::get_if<ToOwner>(&member)) return one->owner == owner;
    return means(std::get<CertificatePattern>(member), certificates);
  });
}

crypto::Digest certificate_statement(const Certificate& certificate) {
  return crypto::tagged_hash("hm.certificate.v1", codec::encode(certificate));
}

crypto::Digest federation_statement(const Federation& federation) {
  return crypto::tagged_hash("hm.federation.v1", codec::encode(federation));
}

Result<void, FederationError> validate(const Federation& federation) {
  const MeshRoot& first = federation.first;
  const MeshRoot& second = federation.second;
  if (first.chain == second.chain) return fail(FederationError::SameMesh);
  if (second.chain < first.chain) return fail(FederationError::WrongOrder);
  for (const MeshRoot* root : {&first, &second}) {
    if (!identity::is_valid_name(root->name)) return fail(FederationError::BadName);
    if (!identity::validate(root->bundle)) return fail(FederationError::BadKeyBundle);
  }
  return {};
}

}  // namespace hm::privacy
