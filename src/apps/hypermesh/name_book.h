// SPDX-License-Identifier: Apache-2.0
// The names that the ledger has for the ids in grants, and lists of the API that come in pages.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/grant_words.h"
#include "apps/hypermesh/parties.h"

namespace hm::cli {

// Every entry of the list `key` at `path`, which has a query already or gets one.
Answer<std::vector<nlohmann::ordered_json>> all_pages(ApiClient& client, const std::string& path,
                                                      const std::string& key);

// Asks the node once for each. A group is named "family" if `self` keeps it, "family@alice"
// otherwise. Requires: `client` lives as long.
class NameBook {
 public:
  NameBook(ApiClient& client, const identity::OwnerId& self)
      : client_(client), self_(self), names_(client) {}
  NameBook(const NameBook&) = delete;
  NameBook& operator=(const NameBook&) = delete;

  std::string owner(const identity::OwnerId& id) { return names_.owner(id.to_string()); }
  std::string node(const identity::NodeId& id) { return names_.node(id.to_string()); }
  std::string group(const privacy::GroupId& id);

  // For grant_words.h. Requires: this lives as long.
  GrantNames names();

 private:
  ApiClient& client_;
  identity::OwnerId self_;
  Names names_;
  std::map<privacy::GroupId, std::string> groups_;
};

}  // namespace hm::cli
