// SPDX-License-Identifier: Apache-2.0
// Who may lease: grants as they are revoked, passed on and run out, groups, certificates of this
// mesh and of federated ones, and concealed assets.
#include <gtest/gtest.h>

#include "core/ledger/limits.h"
#include "core/ledger/sample_lending.h"
#include "core/privacy/limits.h"

namespace hm::ledger {
namespace {

using caesar::caes;
using privacy::Grant;
using sample::kDay;
using sample::key;
using sample::kHour;
using sample::lent_terms;
using sample::Market;
using sample::node_id;
using sample::owner_id;

std::optional<Refusal> rule(const std::optional<Refused>& refused) {
  return refused ? std::optional(refused->rule) : std::nullopt;
}

class Grants : public ::testing::Test {
 protected:
  std::optional<Refusal> ask(std::uint32_t tenant, const privacy::GrantId& grant,
                             std::uint64_t quantity = 2) {
    OpenLease request = Market::request({{asset, grant}});
    request.quantity = quantity;
    return rule(m.by_owner(tenant, request));
  }
  const GrantUseRecord* use(const privacy::GrantId& grant) const {
    const auto found = m.ledger().tables().grant_uses.find({owner_id(0), grant});
    return found != m.ledger().tables().grant_uses.end() ? &found->second : nullptr;
  }
  bool stands(const privacy::GrantId& grant) const {
    return m.ledger().tables().grants.contains({owner_id(0), grant});
  }
  std::uint32_t issued(std::uint32_t seed) const {
    return m.ledger().owner(owner_id(seed))->grants;
  }

  Market m;
  assets::AssetId asset = m.lend(1);
};

TEST_F(Grants, ARevokedOneEndsNoLeaseAndAllowsNothingMore) {
  const auto grant = m.grant(m.open_grant());
  const LeaseId open = m.accepted(1, Market::request({{asset, grant}}));
  const LeaseId requested = m.open(2, Market::request({{asset, grant}}));
  ASSERT_FALSE(m.by_owner(0, RevokeGrant{owner_id(0), grant}));
  EXPECT_EQ(issued(0), 0u);
  EXPECT_EQ(rule(m.by_owner(0, RevokeGrant{owner_id(0), grant})), Refusal::GrantRevoked);
  EXPECT_FALSE(m.by_node(1000, AcceptLease{requested})) << "what was asked for in time";
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{open, kHour})), Refusal::GrantRevoked);
  EXPECT_EQ(ask(3, grant), Refusal::GrantRevoked);
  EXPECT_EQ(rule(m.add(m.open_grant())), Refusal::DuplicateGrant) << "it still counts its leases";
  ASSERT_FALSE(m.by_owner(1, CloseLease{open}));
  EXPECT_TRUE(stands(grant));
  ASSERT_FALSE(m.by_owner(2, CloseLease{requested}));
  EXPECT_FALSE(stands(grant));
  EXPECT_EQ(use(grant), nullptr);
  EXPECT_EQ(ask(3, grant), Refusal::UnknownGrant);
  // Given again, it is the same grant with nothing in use.
  EXPECT_EQ(m.grant(m.open_grant()), grant);
  EXPECT_EQ(ask(3, grant), std::nullopt);
  EXPECT_EQ(issued(0), 1u);
}

TEST_F(Grants, OnlyItsIssuerAndTheOwnerOfTheAssetsRevokeIt) {
  Grant parent = m.open_grant();
  parent.delegations = 2;
  m.grant(parent);
  const Grant child = m.passed_on(parent, 1, 2);
  const auto id = m.grant(child, 1);
  EXPECT_EQ(rule(m.by_owner(2, RevokeGrant{owner_id(0), id})), Refusal::GrantNotByIssuer);
  EXPECT_EQ(rule(m.by_node(1000, RevokeGrant{owner_id(0), id})), Refusal::NodeMayNot);
  EXPECT_FALSE(m.by_owner(0, RevokeGrant{owner_id(0), id}));
  EXPECT_EQ(issued(1), 0u);
  ASSERT_FALSE(m.add(child, 1));
  EXPECT_FALSE(m.by_owner(1, RevokeGrant{owner_id(0), id}));
}

TEST_F(Grants, WhatIsPassedOnSharesTheLimitsOfTheWholeChain) {
  Grant root = m.open_grant();
  root.to = privacy::ToOwner{owner_id(1)};
  root.delegations = 2;
  root.share_percent = 50;
  root.limits.concurrent = 2;
  const auto root_id = m.grant(root);
  const auto left = m.grant(m.passed_on(root, 1, 2), 1);
  Grant second = m.passed_on(root, 1, 3);
  second.number = 1;
  const auto right = m.grant(second, 1);
  EXPECT_EQ(ask(2, left, 3), std::nullopt);
  const LeaseId of_left = m.last();
  EXPECT_EQ(ask(3, right, 2), Refusal::ShareExceeded) << "half of 8, for both together";
  EXPECT_EQ(ask(3, right, 1), std::nullopt);
  EXPECT_EQ(ask(1, root_id, 1), Refusal::TooManyLeasesOfGrant);
  EXPECT_EQ(use(root_id)->open_leases, 2u);
  EXPECT_EQ(use(root_id)->leased.at(asset.hash), 4u);
  EXPECT_EQ(use(left)->leased.at(asset.hash), 3u);
  ASSERT_FALSE(m.by_owner(2, CloseLease{of_left}));
  EXPECT_EQ(use(root_id)->leased.at(asset.hash), 1u);
  EXPECT_EQ(ask(1, root_id, 1), std::nullopt);
}

TEST_F(Grants, AChainFallsWithEachOfItsLinks) {
  Grant root = m.open_grant();
  root.to = privacy::ToOwner{owner_id(1)};
  root.delegations = 2;
  const auto root_id = m.grant(root);
  const Grant middle = m.passed_on(root, 1, 2);
  const auto middle_id = m.grant(middle, 1);
  const auto last_id = m.grant(m.passed_on(middle, 2, 3), 2);
  const LeaseId id = m.accepted(3, Market::request({{asset, last_id}}));
  ASSERT_FALSE(m.by_owner(0, RevokeGrant{owner_id(0), root_id}));
  EXPECT_EQ(ask(3, last_id), Refusal::GrantRevoked);
  EXPECT_EQ(ask(2, middle_id), Refusal::GrantRevoked);
  EXPECT_EQ(rule(m.by_owner(3, RenewLease{id, 1})), Refusal::GrantRevoked);
  Grant late = m.passed_on(root, 1, 3);
  late.number = 5;
  EXPECT_EQ(rule(m.add(late, 1)), Refusal::GrantRevoked);
  ASSERT_FALSE(m.by_owner(3, CloseLease{id}));
  EXPECT_FALSE(stands(root_id)) << "nothing is in use under it any more";
  EXPECT_EQ(ask(3, last_id), Refusal::GrantRevoked);
  EXPECT_EQ(rule(m.add(late, 1)), Refusal::UnknownGrant);
}

TEST_F(Grants, ALinkHoldsOnlyWhileItsIssuerIsMeantByTheOneBefore) {
  ASSERT_FALSE(m.by_owner(0, SetGroup{"lab", 0, {privacy::ToOwner{owner_id(1)}}}));
  Grant root = m.open_grant();
  root.to = privacy::ToGroup{m.group_id(0, "lab")};
  root.delegations = 1;
  m.grant(root);
  const auto child = m.grant(m.passed_on(root, 1, 2), 1);
  EXPECT_EQ(ask(2, child), std::nullopt);
  ASSERT_FALSE(m.by_owner(0, SetGroup{"lab", 1, {privacy::ToOwner{owner_id(3)}}}));
  EXPECT_EQ(ask(2, child), Refusal::NotTheGrantee);
}

TEST_F(Grants, AStrangerPassesNothingOn) {
  Grant root = m.open_grant();
  root.to = privacy::ToOwner{owner_id(1)};
  root.delegations = 1;
  m.grant(root);
  EXPECT_EQ(rule(m.add(m.passed_on(root, 2, 3), 2)), Refusal::NotTheGrantee);
  EXPECT_EQ(m.ledger().tables().grants.size(), 1u);
}

TEST_F(Grants, NoLeaseLastsBeyondTheExpiryHoweverLateItIsAccepted) {
  Grant grant = m.open_grant();
  grant.expiry = UnixMillis{m.now().value + kHour};
  OpenLease request = Market::request({{asset, m.grant(grant)}});
  const LeaseId id = m.open(1, request);
  const LeaseId other = m.open(2, request);
  m.wait(4'000);
  ASSERT_FALSE(m.by_node(1000, AcceptLease{id}));
  EXPECT_EQ(m.lease(id).until, *grant.expiry);
  EXPECT_EQ(m.lease(id).duration_ms, kHour - 4'000);
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{id, 1})), Refusal::GrantExpired);
  ASSERT_FALSE(m.by_owner(2, CloseLease{other}));
  request.duration_ms = 1;
  m.wait(kHour - 4'000 - 2);
  const LeaseId last = m.open(1, request);
  m.wait(2);
  EXPECT_EQ(rule(m.by_node(1000, AcceptLease{last})), Refusal::GrantExpired);
  m.wait(kDay);
  EXPECT_EQ(m.balance(1), caes(1'000));
}

TEST_F(Grants, AnExpiredParentEndsWhatWasPassedOn) {
  Grant root = m.open_grant();
  root.delegations = 1;
  root.expiry = UnixMillis{m.now().value + 2 * kHour};
  m.grant(root);
  const auto child = m.grant(m.passed_on(root, 1, 2), 1);
  EXPECT_EQ(ask(2, child), std::nullopt);
  m.wait(kHour + 1);
  EXPECT_EQ(ask(2, child), Refusal::GrantExpired);
  Grant late = m.passed_on(root, 1, 2);
  late.number = 2;
  m.wait(kHour);
  EXPECT_EQ(rule(m.add(late, 1)), Refusal::GrantExpired);
}

TEST_F(Grants, HoursAreAskedWhenALeaseIsOpenedOrRenewedAndNotInBetween) {
  // The chain begins on a Thursday at 08:53:20 UTC.
  Grant grant = m.open_grant();
  grant.hours = privacy::Hours{480, 540};
  const auto id = m.grant(grant);
  const LeaseId lease = m.accepted(1, Market::request({{asset, id}}));
  m.serve(lease, 100);
  EXPECT_EQ(ask(2, id), Refusal::OutsideHours);
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{lease, 1})), Refusal::OutsideHours);
  EXPECT_EQ(m.lease(lease).state, LeaseState::Active);
}

TEST_F(Grants, IdleOnlyIsForTheMachineToJudge) {
  Grant grant = m.open_grant();
  grant.when = privacy::When::Idle;
  EXPECT_EQ(ask(1, m.grant(grant)), std::nullopt);
}

TEST_F(Grants, LeasesOpenedAreCountedByTheDayOfBlockTime) {
  Grant grant = m.open_grant();
  grant.limits.opened_per_day = 1;
  const auto id = m.grant(grant);
  const LeaseId lease = m.accepted(1, Market::request({{asset, id}}));
  EXPECT_FALSE(m.by_owner(1, RenewLease{lease, kHour})) << "a renewal opens nothing";
  EXPECT_EQ(ask(2, id), Refusal::OpenedTooOften);
  m.wait(kDay - m.now().value % kDay);
  EXPECT_EQ(ask(2, id), std::nullopt);
}

TEST_F(Grants, AMemberThatLeavesItsGroupKeepsItsLeaseAndGetsNoMore) {
  ASSERT_FALSE(m.by_owner(0, SetGroup{"friends", 0, {privacy::ToOwner{owner_id(1)}}}));
  Grant grant = m.open_grant();
  grant.to = privacy::ToGroup{m.group_id(0, "friends")};
  const auto id = m.grant(grant);
  EXPECT_EQ(ask(2, id), Refusal::NotTheGrantee);
  const LeaseId lease = m.accepted(1, Market::request({{asset, id}}));
  ASSERT_FALSE(m.by_owner(0, SetGroup{"friends", 1, {}}));
  EXPECT_EQ(m.ledger().owner(owner_id(0))->groups, 0u);
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{lease, kHour})), Refusal::NotTheGrantee);
  EXPECT_EQ(m.lease(lease).state, LeaseState::Active);
  EXPECT_EQ(ask(1, id), Refusal::NotTheGrantee);
}

TEST_F(Grants, ANewLimitOfTheAssetHoldsForRenewals) {
  const auto grant = m.grant(m.open_grant());
  const LeaseId lease = m.accepted(1, Market::request({{asset, grant}}));
  auto full = lent_terms();
  full.quantity.available = 2;
  ASSERT_FALSE(m.by_owner(0, UpdateAsset{asset, 1, full}));
  EXPECT_FALSE(m.by_owner(1, RenewLease{lease, kHour})) << "what it holds counts as free";
  full.price = caesar::Price{caes(3), 1};
  ASSERT_FALSE(m.by_owner(0, UpdateAsset{asset, 2, full}));
  EXPECT_EQ(rule(m.by_owner(1, RenewLease{lease, 1})), Refusal::PriceTooHigh);
  EXPECT_EQ(m.lease(lease).placement.price, (caesar::Price{caes(1), 1}));
}

TEST_F(Grants, ConcealedAssetsAreLeasedInPartsOfAWhole) {
  const auto hidden = m.lend(2, sample::concealed_terms(assets::PrivacyLevel::PrivateNetwork));
  const auto peer = m.lend(3, sample::concealed_terms(assets::PrivacyLevel::P2P));
  Grant grant = m.open_grant();
  grant.to = privacy::ToOwner{owner_id(1)};
  grant.share_percent = 25;
  const auto id = m.grant(grant);
  for (const auto& lent : {hidden, peer}) {
    OpenLease request{.choices = {{lent, id}},
                      .quantity = 2'501,
                      .duration_ms = kHour,
                      .highest_price = {caes(1), 10'000}};
    EXPECT_EQ(rule(m.by_owner(1, request)), Refusal::ShareExceeded);
    request.quantity = 2'500;
    const LeaseId lease = m.accepted(1, request);
    EXPECT_EQ(m.lease(lease).escrow.value, caes(1).value / 4);
    request.choices[0].grant = m.id_of(m.open_grant());
    EXPECT_EQ(rule(m.by_owner(2, request)), Refusal::UnknownGrant);
  }
}

// Certificates -----------------------------------------------------------------------------------

constexpr std::uint32_t kForeignRoot = 9;

class Certificates : public Grants {
 protected:
  privacy::Certificate certificate(std::uint32_t issuer, const std::string& name,
                                   std::uint64_t lasts = kDay) const {
    const auto chain = issuer == kForeignRoot ? foreign_chain() : m.chain().id();
    return {chain, owner_id(issuer), owner_id(1), name, UnixMillis{m.now().value + lasts}};
  }
  std::optional<Refusal> record(const privacy::Certificate& word, std::uint32_t issuer,
                                std::uint32_t by = 1) {
    const auto statement = privacy::certificate_statement(word);
    return rule(m.by_owner(by, RecordCertificate{word, sample::signed_by(issuer, statement)}));
  }
  privacy::GrantId to_pattern(const std::string& name,
                              std::optional<identity::OwnerId> issuer = {}) {
    Grant grant = m.open_grant();
    grant.to = privacy::CertificatePattern{issuer, name};
    return m.grant(grant);
  }
  identity::ChainId foreign_chain() const {
    identity::ChainId other = m.chain().id();
    other.bytes[0] ^= 1;
    return other;
  }
  std::optional<Refusal> federate(std::uint64_t lasts) {
    const privacy::MeshRoot ours{m.chain().id(), "sample", owner_id(0), sample::bundle(0)};
    const privacy::MeshRoot theirs{foreign_chain(), "other", owner_id(kForeignRoot),
                                   sample::bundle(kForeignRoot)};
    const bool is_first = ours.chain < theirs.chain;
    const privacy::Federation made{is_first ? ours : theirs, is_first ? theirs : ours,
                                   UnixMillis{m.now().value + lasts}};
    const auto statement = privacy::federation_statement(made);
    const auto by_us = sample::signed_by(0, statement);
    const auto by_them = sample::signed_by(kForeignRoot, statement);
    return rule(m.by_owner(
        0, RecordFederation{made, is_first ? by_us : by_them, is_first ? by_them : by_us}));
  }
};

TEST_F(Certificates, OfTheOwnRootOpenWhatIsLentToNamesOfAnyRoot) {
  const auto grant = to_pattern("*.lab.example.org");
  EXPECT_EQ(ask(1, grant), Refusal::NotTheGrantee);
  ASSERT_EQ(record(certificate(2, "a.lab.example.org"), 2), std::nullopt);
  EXPECT_EQ(ask(1, grant), Refusal::NotTheGrantee) << "owner 2 is no root";
  ASSERT_EQ(record(certificate(0, "lab.example.org"), 0), std::nullopt);
  EXPECT_EQ(ask(1, grant), Refusal::NotTheGrantee) << "the name does not fit";
  ASSERT_EQ(record(certificate(0, "a.lab.example.org", kDay + 1), 0), std::nullopt);
  EXPECT_EQ(ask(1, grant), std::nullopt);
  EXPECT_EQ(ask(2, grant), Refusal::NotTheGrantee) << "somebody else's certificate";
  m.wait(2 * kDay);
  EXPECT_EQ(ask(1, grant), Refusal::NotTheGrantee) << "it has expired";
}

TEST_F(Certificates, OfANamedIssuerOpenOnlyWhatNamesIt) {
  const auto grant = to_pattern("*", owner_id(2));
  ASSERT_EQ(record(certificate(0, "a.org"), 0), std::nullopt);
  EXPECT_EQ(ask(1, grant), Refusal::NotTheGrantee);
  ASSERT_EQ(record(certificate(2, "a.org"), 2), std::nullopt);
  EXPECT_EQ(ask(1, grant), std::nullopt);
}

TEST_F(Certificates, OfAFederatedRootCountWhileTheFederationLasts) {
  const auto any_root = to_pattern("*");
  const auto by_name = to_pattern("*", owner_id(kForeignRoot));
  const auto foreign = certificate(kForeignRoot, "a.other.org", 30 * kDay);
  EXPECT_EQ(record(foreign, kForeignRoot), Refusal::UnknownIssuer);
  ASSERT_EQ(federate(kDay), std::nullopt);
  ASSERT_EQ(record(foreign, kForeignRoot), std::nullopt);
  EXPECT_EQ(ask(1, any_root, 1), std::nullopt);
  EXPECT_EQ(ask(1, by_name, 1), std::nullopt);
  m.wait(kDay);
  EXPECT_EQ(ask(1, any_root, 1), Refusal::NotTheGrantee);
  EXPECT_EQ(ask(1, by_name, 1), Refusal::NotTheGrantee)
      << "the name alone does not speak for a mesh that is no longer recognised";
  EXPECT_EQ(record(certificate(kForeignRoot, "b.other.org", 31 * kDay), kForeignRoot),
            Refusal::UnknownIssuer);
  ASSERT_EQ(federate(kDay), std::nullopt);
  EXPECT_EQ(ask(1, any_root, 1), std::nullopt);
}

TEST_F(Certificates, AnOlderOneDoesNotComeBack) {
  const auto grant = to_pattern("a.org");
  const auto old = certificate(0, "a.org", kDay);
  ASSERT_EQ(record(old, 0), std::nullopt);
  ASSERT_EQ(record(certificate(0, "b.org", kDay + 1), 0), std::nullopt);
  EXPECT_EQ(ask(1, grant), Refusal::NotTheGrantee);
  EXPECT_EQ(record(old, 0), Refusal::CertificateInvalid);
  EXPECT_EQ(ask(1, grant), Refusal::NotTheGrantee);
}

TEST_F(Certificates, StrangersDoNotCrowdOutWhatTheSubjectOrARootRecords) {
  // As many issuers as an owner may hold certificates of, each for as long as it likes.
  std::vector<std::uint32_t> issuers = {2, 3};
  for (std::uint32_t seed = 50; issuers.size() <= privacy::kMaxCertificatesPerOwner; ++seed) {
    const std::string name = "crowd-" + std::to_string(seed);
    ASSERT_FALSE(m.by_owner(2, RegisterOwner{name, sample::bundle(seed), {}, {}}));
    issuers.push_back(seed);
  }
  for (std::size_t i = 0; i < privacy::kMaxCertificatesPerOwner; ++i) {
    ASSERT_EQ(record(certificate(issuers[i], "junk.org", 100 * kDay + i), issuers[i], 2),
              std::nullopt);
  }
  const std::uint32_t one_more = issuers.back();
  const auto wanted = certificate(one_more, "wanted.org");
  EXPECT_EQ(record(wanted, one_more, 2), Refusal::TooManyCertificates);
  EXPECT_EQ(record(wanted, one_more, 1), std::nullopt) << "the subject says which it holds";
  EXPECT_EQ(record(certificate(0, "a.org"), 0, 2), std::nullopt) << "a root needs no room";
  const auto& held = m.ledger().tables().certificates.at(owner_id(1)).by_issuer;
  EXPECT_EQ(held.size(), privacy::kMaxCertificatesPerOwner);
  EXPECT_TRUE(held.contains(owner_id(0)));
}

}  // namespace
}  // namespace hm::ledger
