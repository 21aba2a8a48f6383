// SPDX-License-Identifier: Apache-2.0
// Grants as people write and read them. Reading refuses by name what no grant can say; writing
// gives one sentence, or the command that would make the same grant again.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/sharing_options.h"
#include "apps/hypermesh/time_words.h"
#include "core/privacy/group.h"

namespace hm::cli {

// "50%" or "50": 1 to 100.
Answer<std::uint8_t> parse_share(const std::string& text);

// `base` with what the words say.
Answer<privacy::Grant> apply_words(privacy::Grant base, const GrantWords& words,
                                   const LocalTime& local);

// Whom a word of --with names, before names are looked up.
struct GranteeWord {
  enum class Kind : std::uint8_t { Owner, Group, Certificate, Anyone };
  Kind kind = Kind::Owner;
  std::string name;  // of the owner or group, or the certificate's pattern
  std::string of;    // the group's owner or the certificate's issuer; may be empty
  bool operator==(const GranteeWord&) const = default;
};
// "bob", "group:family", "group:family@alice", "cert:*.lab.example.org@carol", "anyone".
Answer<GranteeWord> parse_grantee(const std::string& text);

// Looks up names: an owner by id, unique prefix or name.
using FindOwner = std::function<Answer<identity::OwnerId>(const std::string&)>;

// `self` keeps the groups that are named without an owner.
Answer<privacy::Grantee> grantee_of(const GranteeWord& word, const identity::ChainId& chain,
                                    const identity::OwnerId& self, const FindOwner& find_owner);
// Owners and certificate patterns only.
Answer<privacy::GroupMember> group_member_of(const GranteeWord& word, const FindOwner& find_owner);

// What people call an id; its start, if nobody knows a name.
struct GrantNames {
  std::function<std::string(const identity::OwnerId&)> owner;
  // As --with takes it after "group:".
  std::function<std::string(const privacy::GroupId&)> group;
  std::function<std::string(const identity::NodeId&)> node;
};

// "bob", "group:family", "cert:*.lab.example.org@carol", "anyone".
std::string grantee_words(const privacy::Grantee& to, const GrantNames& names);
// "every gpu on node1", "one asset (9f3c0a11)", "all assets".
std::string selector_words(const privacy::AssetSelector& assets, const GrantNames& names);
// "at most 2 leases, each 24h"; empty if there are none.
std::string limit_words(const privacy::Grant& grant);
// "0", "0.5 CAES/h", "0.5 CAES/h for 1073741824", "the asset's".
std::string price_words(const privacy::Grant& grant);

// One sentence: who may lease how much of what, when, for what.
std::string describe(const privacy::Grant& grant, const GrantNames& names);

// The options of 'hypermesh share' that say the same, from the share on. Names stand as `names`
// gives them.
std::vector<std::string> options_of(const privacy::Grant& grant, const GrantNames& names);

}  // namespace hm::cli
