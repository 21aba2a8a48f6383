// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/group.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <utility>

#include "core/identity/owner_keys.h"
#include "core/privacy/policy_document.h"
#include "core/privacy/sample_grants.h"
#include "foundation/codec/reader.h"

namespace hm::privacy {
namespace {

using sample::Draw;

Group friends() {
  return {sample::owner(0),
          "friends",
          {ToOwner{sample::owner(1)}, CertificatePattern{sample::owner(5), "*.lab.org"},
           CertificatePattern{std::nullopt, "a.net"}}};
}

TEST(Group, NeedsANameAndMembersOnce) {
  Group group = friends();
  EXPECT_TRUE(validate(group));
  group.name = "Friends";
  EXPECT_EQ(validate(group).error(), GroupError::BadName);
  group = friends();
  group.members.push_back(CertificatePattern{std::nullopt, "a.*"});
  EXPECT_EQ(validate(group).error(), GroupError::BadPattern);
  group = friends();
  group.members.push_back(group.members.front());
  EXPECT_EQ(validate(group).error(), GroupError::DuplicateMember);
  group.members.back() = CertificatePattern{std::nullopt, "*.lab.org"};
  EXPECT_TRUE(validate(group)) << "another issuer is another member";
}

TEST(Group, HasUpToTheLargestNumberOfMembersAndMayBeEmpty) {
  Group group{sample::owner(0), "many", {}};
  EXPECT_TRUE(validate(group));
  for (std::size_t i = 0; i < kMaxGroupMembers; ++i) {
    group.members.push_back(ToOwner{sample::owner(i)});
  }
  EXPECT_TRUE(validate(group));
  group.members.push_back(ToOwner{sample::owner(kMaxGroupMembers)});
  EXPECT_EQ(validate(group).error(), GroupError::TooManyMembers);
}

TEST(Group, HasOwnersAndHoldersOfCertificatesAsMembers) {
  const Group group = friends();
  EXPECT_TRUE(is_member(group, sample::owner(1), {}));
  EXPECT_FALSE(is_member(group, sample::owner(2), {}));
  const auto holder = [&](std::uint64_t issuer, bool by_root, std::string_view name) {
    const std::array<CertifiedName, 1> certificates = {{{sample::owner(issuer), by_root, name}}};
    return is_member(group, sample::owner(2), certificates);
  };
  EXPECT_TRUE(holder(5, false, "x.lab.org"));
  EXPECT_FALSE(holder(6, true, "x.lab.org")) << "another issuer, though a root";
  EXPECT_TRUE(holder(6, true, "a.net"));
  EXPECT_FALSE(holder(5, false, "a.net")) << "not a root";
  EXPECT_FALSE(holder(5, true, "lab.org"));
}

TEST(Group, TheKeeperIsNotAMemberByItself) {
  EXPECT_FALSE(is_member(friends(), sample::owner(0), {}));
}

TEST(Group, RoundTripsAndAnswersAsALoopWould) {
  EXPECT_TRUE(rc::check("groups", [](std::uint64_t seed) {
    Draw draw(seed);
    Group group{sample::owner(draw.below(3)), "g", {}};
    const std::uint64_t count = draw.below(6);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Grantee to = sample::grantee(draw);
      if (const auto* one = std::get_if<ToOwner>(&to)) group.members.emplace_back(*one);
      if (const auto* one = std::get_if<CertificatePattern>(&to)) group.members.emplace_back(*one);
    }
    const auto decoded = codec::decode<Group>(codec::encode(group));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == group);
    const sample::Person person = sample::person(draw);
    bool expected = false;
    for (const GroupMember& member : group.members) {
      if (const auto* one = std::get_if<ToOwner>(&member)) {
        expected = expected || one->owner == person.owner;
        continue;
      }
      const auto& pattern = std::get<CertificatePattern>(member);
      for (const CertifiedName& name : person.certificates) {
        const bool issuer = pattern.issuer ? *pattern.issuer == name.issuer : name.by_root;
        expected = expected || (issuer && fits(pattern.name, name.name));
      }
    }
    RC_ASSERT(is_member(group, person.owner, person.certificates) == expected);
  }));
}

identity::OwnerKeys make_owner(std::uint8_t seed) {
  identity::OwnerSeeds seeds;
  seeds.ed25519.fill(seed);
  seeds.falcon.fill(seed);
  seeds.ml_kem.fill(seed);
  return identity::OwnerKeys::generate(seeds, falcon::Arithmetic::Hardware);
}

Federation federation() {
  static const identity::OwnerKeys kFirst = make_owner(1);
  static const identity::OwnerKeys kSecond = make_owner(2);
  return {{sample::id<identity::ChainId>(1), "alpha", kFirst.id(), kFirst.bundle()},
          {sample::id<identity::ChainId>(2), "beta", kSecond.id(), kSecond.bundle()},
          UnixMillis{sample::kTime}};
}

TEST(Federation, NamesTwoMeshesInOrderWithKeysThatAreValid) {
  EXPECT_TRUE(validate(federation()));
  Federation record = federation();
  std::swap(record.first, record.second);
  EXPECT_EQ(validate(record).error(), FederationError::WrongOrder);
  record = federation();
  record.second.chain = record.first.chain;
  EXPECT_EQ(validate(record).error(), FederationError::SameMesh);
  record = federation();
  record.second.name = "";
  EXPECT_EQ(validate(record).error(), FederationError::BadName);
  record = federation();
  record.second.bundle.keys.erase(identity::kAlgorithmMlKem1024);
  EXPECT_EQ(validate(record).error(), FederationError::BadKeyBundle);
}

TEST(Federation, TheOwnersIdNeedNotBeTheHashOfItsPresentKeys) {
  Federation record = federation();
  record.first.owner = sample::owner(9);
  EXPECT_TRUE(validate(record));
}

TEST(Federation, RoundTripsAndItsStatementCoversEverything) {
  const Federation record = federation();
  const auto decoded = codec::decode<Federation>(codec::encode(record));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, record);
  Federation other = record;
  other.expiry = other.expiry.next();
  EXPECT_NE(federation_statement(other), federation_statement(record));
  other = record;
  other.second.owner = sample::owner(9);
  EXPECT_NE(federation_statement(other), federation_statement(record));
}

TEST(Certificate, StatementIsThatOfTheDocumentAndCoversEveryField) {
  const Certificate certificate{sample::id<identity::ChainId>(1), sample::owner(1),
                                sample::owner(2), "a.lab.org", UnixMillis{sample::kTime}};
  EXPECT_EQ(certificate_statement(certificate).to_string(),
            "983b826fe8a8f53e29e4d8ed694755202d03c0edb027d13ea39f4701113d5888");
  const auto decoded = codec::decode<Certificate>(codec::encode(certificate));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, certificate);
  const auto differs = [&](auto change) {
    Certificate other = certificate;
    change(other);
    return certificate_statement(other) != certificate_statement(certificate);
  };
  EXPECT_TRUE(differs([](Certificate& c) { c.issuer_chain = {}; }));
  EXPECT_TRUE(differs([](Certificate& c) { c.issuer = sample::owner(3); }));
  EXPECT_TRUE(differs([](Certificate& c) { c.subject = sample::owner(3); }));
  EXPECT_TRUE(differs([](Certificate& c) { c.name = "b.lab.org"; }));
  EXPECT_TRUE(differs([](Certificate& c) { c.expiry = c.expiry.next(); }));
}

TEST(Names, OfGroupAndFederationErrorsAreTheirWords) {
  EXPECT_EQ(name_of(GroupError::DuplicateMember), "duplicate_member");
  EXPECT_EQ(name_of(GroupError::BadName), "bad_name");
  EXPECT_EQ(name_of(FederationError::WrongOrder), "wrong_order");
  EXPECT_EQ(name_of(FederationError::BadKeyBundle), "bad_key_bundle");
}

// Friends may lease half of each asset of owner 0.
PolicyDocument document() {
  PolicyDocument policy;
  policy.chain = sample::id<identity::ChainId>(1);
  policy.groups = {friends()};
  Grant grant = sample::open_grant();
  grant.to = ToGroup{group_id(policy.chain, sample::owner(0), "friends")};
  grant.share_percent = 50;
  grant.delegations = 1;
  policy.grants = {grant};
  PolicyTest test;
  test.name = "a friend gets half";
  test.requester = sample::owner(1);
  test.request.quantity = 50;
  test.asset = sample::open_asset();
  test.moment.now = UnixMillis{sample::kTime};
  test.expects = Outcome::Allow;
  policy.tests = {test};
  return policy;
}

TEST(PolicyDocument, WithTestsThatHoldHasNoFailures) {
  PolicyDocument policy = document();
  PolicyTest more = policy.tests.front();
  more.name = "but not more";
  more.request.quantity = 51;
  more.expects = Outcome::Deny;
  policy.tests.push_back(more);
  more.rule = Rule::ShareExceeded;
  policy.tests.push_back(more);
  more.name = "a stranger gets nothing";
  more.requester = sample::owner(2);
  more.rule = Rule::NotTheGrantee;
  policy.tests.push_back(more);
  more.name = "a certificate makes a friend";
  more.certificates = {{sample::owner(5), false, "x.lab.org"}};
  more.rule = Rule::ShareExceeded;
  policy.tests.push_back(more);
  more.name = "what is in use counts";
  more.request.quantity = 1;
  more.use.leased = 50;
  policy.tests.push_back(more);
  const auto failures = run(policy);
  EXPECT_TRUE(failures.empty()) << failures.front().test << ": " << failures.front().sentence;
}

TEST(PolicyDocument, FailuresSayWhatWasExpectedAndWhyItIsOtherwise) {
  PolicyDocument policy = document();
  policy.tests.front().request.quantity = 51;
  PolicyTest wrong_rule = policy.tests.front();
  wrong_rule.name = "another rule";
  wrong_rule.expects = Outcome::Deny;
  wrong_rule.rule = Rule::NoPrice;
  policy.tests.push_back(wrong_rule);
  PolicyTest too_much = document().tests.front();
  too_much.name = "gives too much";
  too_much.expects = Outcome::Deny;
  policy.tests.push_back(too_much);
  const auto failures = run(policy);
  ASSERT_EQ(failures.size(), 3U);
  EXPECT_EQ(failures[0].test, "a friend gets half");
  EXPECT_TRUE(failures[0].sentence.starts_with(
      "expected to be allowed, and is denied by share_exceeded: grant "))
      << failures[0].sentence;
  EXPECT_EQ(failures[1].test, "another rule");
  EXPECT_TRUE(failures[1].sentence.starts_with("expected to be denied by no_price, and is denied"));
  EXPECT_EQ(failures[2].test, "gives too much");
  EXPECT_TRUE(failures[2].decision);
  EXPECT_TRUE(failures[2].sentence.starts_with("expected to be denied, and is allowed: grant "));
}

TEST(PolicyDocument, GrantsPassedOnCountOnlyBelowWhatTheyPassOn) {
  PolicyDocument policy = document();
  Grant child = policy.grants.front();
  child.issuer = sample::owner(1);
  child.parent = grant_id(policy.chain, policy.grants.front());
  child.to = ToOwner{sample::owner(2)};
  child.delegations = 0;
  policy.grants.push_back(child);
  policy.tests.front().requester = sample::owner(2);
  EXPECT_TRUE(run(policy).empty());
  policy.grants[1].share_percent = 51;
  EXPECT_EQ(run(policy).size(), 1U) << "it reaches beyond its parent";
  policy.grants[1].share_percent = 50;
  policy.grants.erase(policy.grants.begin());
  EXPECT_EQ(run(policy).size(), 1U) << "its parent is gone";
}

}  // namespace
}  // namespace hm::privacy
