// SPDX-License-Identifier: Apache-2.0
// Who is meant, and what they are called: nodes and owners by name, prefix or id, and back.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "apps/hypermesh/api_client.h"
#include "core/identity/ids.h"

namespace hm::cli {

// A node by id, unique prefix of at least 4 digits, or name. Empty: the one that is asked.
Answer<identity::NodeId> find_node(ApiClient& client, const std::string& text);

// The owner that commands sign for: of the key file that is named, otherwise of the node asked.
// Needs no passphrase.
Answer<identity::OwnerId> own_id(const Globals& globals, ApiClient& client);

// An owner that was named, otherwise own_id().
Answer<identity::OwnerId> owner_or_own(const Globals& globals, ApiClient& client,
                                       const std::string& text);

// Names for tables; what has none is called by the start of its id. Asks the node once for all
// nodes and once for each owner.
class Names {
 public:
  explicit Names(ApiClient& client) : client_(client) {}

  std::string node(const std::string& id);
  std::string owner(const std::string& id);

 private:
  ApiClient& client_;
  std::optional<std::map<std::string, std::string>> nodes_;
  std::map<std::string, std::string> owners_;
};

}  // namespace hm::cli
