// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/level.h"

#include <array>

namespace hm::privacy {
namespace {

using assets::PrivacyLevel;

constexpr std::array<std::string_view, 3> kPrivateNetwork = {
    "The members of the groups that you name learn that this asset exists, its kind, how much of "
    "it is offered and at which price.",
    "Everybody in the mesh sees that you keep something hidden that these groups may use, but not "
    "what it is.",
    "A ledger does not forget: a member can keep and pass on what it has learned, also after you "
    "take the asset or the group back.",
};
constexpr std::array<std::string_view, 3> kP2P = {
    "The peers that you name, each by itself, learn that this asset exists, what it is, how much "
    "of it is offered and at which price.",
    "Everybody in the mesh sees a coarse class of the asset, such as a GPU with at least 16 GB, "
    "and that it can be asked for.",
    "A ledger does not forget: the class stays readable for as long as anybody keeps the ledger, "
    "and a peer can keep and pass on the rest.",
};
constexpr std::array<std::string_view, 4> kPublicNetwork = {
    "Everybody in the mesh sees the full record of this asset: its kind, model, features, sizes, "
    "machine, price and state, under your owner's name.",
    "Everybody in the mesh sees who leases the asset, how much of it, when and for which price.",
    "Whoever holds a certificate of a root that this mesh recognises can lease what your grants "
    "give it.",
    "A ledger does not forget: every version of the record, and every lease, stays readable for "
    "as long as anybody keeps the ledger, also after you lower the level or retire the asset.",
};
constexpr std::array<std::string_view, 4> kFullPublic = {
    "Anyone, with or without a certificate, sees the full record of this asset and, at every "
    "moment, how much of it is free.",
    "Anyone can tell from this when the machine is in use, and by which owners.",
    "Every owner on the ledger, known to you or not, can lease what your grants give to anyone.",
    "A ledger does not forget: every version of the record, and every lease, stays readable for "
    "as long as anybody keeps the ledger, also after you lower the level or retire the asset.",
};

template <class T, class Wrap>
std::vector<Grantee> each(const std::vector<T>& named, Wrap wrap) {
  std::vector<Grantee> all;
  all.reserve(named.size());
  for (const T& one : named) all.emplace_back(wrap(one));
  return all;
}

std::vector<Grantee> grantees(PrivacyLevel level, const Named& named) {
  switch (level) {
    case PrivacyLevel::Private: return {};
    case PrivacyLevel::PrivateNetwork:
      return each(named.groups, [](const GroupId& group) { return ToGroup{group}; });
    case PrivacyLevel::P2P:
      return each(named.peers, [](const identity::OwnerId& peer) { return ToOwner{peer}; });
    case PrivacyLevel::PublicNetwork: return {CertificatePattern{std::nullopt, "*"}};
    case PrivacyLevel::FullPublic: return {ToAnyone{}};
  }
  return {};
}

}  // namespace

bool admits(PrivacyLevel level, const Grantee& to) {
  if (std::holds_alternative<CertificatePattern>(to)) return level >= PrivacyLevel::PublicNetwork;
  if (std::holds_alternative<ToAnyone>(to)) return level >= PrivacyLevel::FullPublic;
  return level >= PrivacyLevel::PrivateNetwork;
}

std::span<const std::string_view> discloses(PrivacyLevel level) {
  switch (level) {
    case PrivacyLevel::Private: return {};
    case PrivacyLevel::PrivateNetwork: return kPrivateNetwork;
    case PrivacyLevel::P2P: return kP2P;
    case PrivacyLevel::PublicNetwork: return kPublicNetwork;
    case PrivacyLevel::FullPublic: return kFullPublic;
  }
  return {};
}

std::vector<Grant> preset(PrivacyLevel level, const Grant& base, const Named& named) {
  std::vector<Grant> grants;
  for (Grantee& to : grantees(level, named)) {
    Grant& grant = grants.emplace_back(base);
    grant.number += grants.size() - 1;
    grant.to = std::move(to);
  }
  return grants;
}

caesar::Ratio reward_multiplier(PrivacyLevel level) {
  switch (level) {
    case PrivacyLevel::Private: return {0, 1};
    case PrivacyLevel::PrivateNetwork: return {1, 4};
    case PrivacyLevel::P2P: return {1, 2};
    case PrivacyLevel::PublicNetwork: return {3, 4};
    case PrivacyLevel::FullPublic: return {1, 1};
  }
  return {0, 1};
}

}  // namespace hm::privacy
