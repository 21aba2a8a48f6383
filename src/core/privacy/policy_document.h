// SPDX-License-Identifier: Apache-2.0
// A policy with its own tests: groups, grants, and questions whose answers the owner expects.
// Whoever loads a policy runs them first, so that a grant that gives too much, or no longer gives
// what somebody relies on, is found before it is signed. Pure: the syntax of the file, and the
// names in it, are the reader's matter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/privacy/decision.h"
#include "core/privacy/grant.h"
#include "core/privacy/group.h"

namespace hm::privacy {

struct PolicyCertificate {
  identity::OwnerId issuer;
  bool by_root = false;
  std::string name;
};

enum class Outcome : std::uint8_t { Allow, Deny };

struct PolicyTest {
  std::string name;
  identity::OwnerId requester;
  std::vector<PolicyCertificate> certificates;
  Request request;
  AssetFacts asset;
  GrantUse use;  // of every grant, before the request
  Moment moment;
  Outcome expects = Outcome::Deny;
  std::optional<Rule> rule;  // that denies; none: any
};

// Requires: groups and grants are valid (validate).
struct PolicyDocument {
  identity::ChainId chain;
  std::vector<Group> groups;
  std::vector<Grant> grants;
  std::vector<PolicyTest> tests;
};

struct PolicyFailure {
  std::string test;
  Decision decision;     // what may() says
  std::string sentence;  // for a person: what was expected, and why it is otherwise
};

// The tests that fail, in the document's order; none: the policy does what it says. A grant that
// passes on one that is not in the document, or reaches beyond it, allows nothing. That the issuer
// is meant by what it passes on is not checked: the document does not say who it is.
std::vector<PolicyFailure> run(const PolicyDocument& document);

}  // namespace hm::privacy
