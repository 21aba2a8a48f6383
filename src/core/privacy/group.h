// SPDX-License-Identifier: Apache-2.0
// Groups, certificates and federation: how a person comes to be meant by a grant that does not
// name it.
//   A group belongs to the owner that keeps it; members are owners or certificate patterns.
//   A certificate says that its issuer calls a subject by a name.
//   A federation record says that two meshes' roots recognise each other's certificates.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/identity/key_bundle.h"
#include "core/identity/owner_signature.h"
#include "core/privacy/decision.h"
#include "core/privacy/grant.h"

namespace hm::privacy {

using GroupMember = std::variant<ToOwner, CertificatePattern>;

struct Group {
  identity::OwnerId owner;
  std::string name;
  std::vector<GroupMember> members;  // in the owner's order, none twice
  bool operator==(const Group&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.owner, self.name, self.members); }
};

enum class GroupError : std::uint8_t { BadName, BadPattern, TooManyMembers, DuplicateMember };
std::string_view name_of(GroupError error);
// Everything about a group that needs no ledger; its name is like an owner's.
Result<void, GroupError> validate(const Group& group);

// True iff the owner, or one of its certificates, is among the members.
bool is_member(const Group& group, const identity::OwnerId& owner,
               std::span<const CertifiedName> certificates);

struct Certificate {
  identity::ChainId issuer_chain;  // the mesh on which the issuer's keys stand
  identity::OwnerId issuer;
  identity::OwnerId subject;
  std::string name;
  UnixMillis expiry;
  bool operator==(const Certificate&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.issuer_chain, self.issuer, self.subject, self.name, self.expiry);
  }
};
// H("hm.certificate.v1", certificate): the issuer signs it with both keys.
crypto::Digest certificate_statement(const Certificate& certificate);

// One mesh as the other sees it.
struct MeshRoot {
  identity::ChainId chain;
  std::string name;
  identity::OwnerId owner;
  identity::KeyBundle bundle;  // the root owner's keys at the time of signing
  bool operator==(const MeshRoot&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.chain, self.name, self.owner, self.bundle);
  }
};

// The same bytes go onto both ledgers. `first` is the one with the smaller chain id.
struct Federation {
  MeshRoot first;
  MeshRoot second;
  UnixMillis expiry;
  bool operator==(const Federation&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.first, self.second, self.expiry);
  }
};
// H("hm.federation.v1", federation): both roots sign it with both keys.
crypto::Digest federation_statement(const Federation& federation);

enum class FederationError : std::uint8_t { SameMesh, WrongOrder, BadName, BadKeyBundle };
std::string_view name_of(FederationError error);
// Everything about a record that needs no ledger. That `owner` has these keys, and that it is the
// root, is each mesh's to know: keys rotate, and the id stays.
Result<void, FederationError> validate(const Federation& federation);

}  // namespace hm::privacy
