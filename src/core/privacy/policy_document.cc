// SPDX-License-Identifier: Apache-2.0
#include "core/privacy/policy_document.h"

#include <algorithm>
#include <map>

namespace hm::privacy {
namespace {

using GrantsById = std::map<GrantId, const Grant*>;

// True iff every link up to an owner's own grant is in the document and within the one above it.
// Ends: an id covers its parent's, so no chain comes back to itself.
bool stands(const GrantsById& grants, const Grant& grant) {
  for (const Grant* link = &grant; link->parent;) {
    const auto above = grants.find(*link->parent);
    if (above == grants.end() || excess_over(*above->second, *link)) return false;
    link = above->second;
  }
  return true;
}

GrantsById standing_grants(const PolicyDocument& document) {
  GrantsById grants;
  for (const Grant& grant : document.grants) {
    grants.emplace(grant_id(document.chain, grant), &grant);
  }
  GrantsById standing;
  for (const auto& [id, grant] : grants) {
    if (stands(grants, *grant)) standing.emplace(id, grant);
  }
  return standing;
}

std::vector<GrantView> views_of(const GrantsById& grants, const PolicyTest& test) {
  std::vector<GrantView> views;
  for (const auto& [id, grant] : grants) {
    if (grant->owner == test.asset.owner) views.push_back({id, grant, test.use, nullptr});
  }
  for (GrantView& view : views) {
    if (!view.grant->parent) continue;
    view.parent = &*std::ranges::lower_bound(views, *view.grant->parent, {}, &GrantView::id);
  }
  return views;
}

Decision answer(const PolicyDocument& document, const GrantsById& grants, const PolicyTest& test) {
  std::vector<CertifiedName> certificates;
  certificates.reserve(test.certificates.size());
  for (const PolicyCertificate& one : test.certificates) {
    certificates.push_back({one.issuer, one.by_root, one.name});
  }
  std::vector<GroupId> groups;
  for (const Group& group : document.groups) {
    if (!is_member(group, test.requester, certificates)) continue;
    groups.push_back(group_id(document.chain, group.owner, group.name));
  }
  std::ranges::sort(groups);
  return may({test.requester, groups, certificates}, test.request, test.asset,
             views_of(grants, test), test.moment);
}

bool is_expected(const PolicyTest& test, const Decision& decision) {
  if (test.expects == Outcome::Allow) return static_cast<bool>(decision);
  return !decision && (!test.rule || decision.denied().rule == *test.rule);
}

std::string sentence(const PolicyTest& test, const Decision& decision) {
  std::string expected = "allowed";
  if (test.expects == Outcome::Deny) {
    expected = "denied";
    if (test.rule) expected += " by " + std::string(name_of(*test.rule));
  }
  const std::string got =
      decision ? "allowed" : "denied by " + std::string(name_of(decision.denied().rule));
  return "expected to be " + expected + ", and is " + got + ": " + explain(decision);
}

}  // namespace

std::vector<PolicyFailure> run(const PolicyDocument& document) {
  const GrantsById grants = standing_grants(document);
  std::vector<PolicyFailure> failures;
  for (const PolicyTest& test : document.tests) {
    const Decision decision = answer(document, grants, test);
    if (is_expected(test, decision)) continue;
    failures.push_back({test.name, decision, sentence(test, decision)});
  }
  return failures;
}

}  // namespace hm::privacy
