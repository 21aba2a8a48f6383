// SPDX-License-Identifier: Apache-2.0
// Operations signed here with an owner's key and followed until they are final. The node is only
// the messenger: it sees neither the key nor a way to change what was signed.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/api_client.h"
#include "core/identity/owner_keys.h"
#include "core/ledger/operation.h"

namespace hm::cli {

// The action for an operation that has everything else; for actions that sign their context.
using MakeAction = std::function<ledger::Action(const ledger::Operation&)>;

// Signs the action as the owner, sends it, and returns the API's entry about it, {id, status:
// "applied", height, block}. A refusal is a Failure that says the rule; so is a mesh that does not
// make it final in time.
Answer<nlohmann::ordered_json> submit_as_owner(ApiClient& client, const identity::OwnerKeys& keys,
                                               const MakeAction& make);
Answer<nlohmann::ordered_json> submit_as_owner(ApiClient& client, const identity::OwnerKeys& keys,
                                               const ledger::Action& action);

// Several that do not build on each other, in one request. An entry each, {id, status: "applied"
// and so on}; a refused one has {refused: {rule, message}}.
Answer<std::vector<nlohmann::ordered_json>> submit_all_as_owner(
    ApiClient& client, const identity::OwnerKeys& keys, const std::vector<ledger::Action>& actions);

// The chain that the node follows.
Answer<identity::ChainId> chain_of(ApiClient& client);

// An owner by id, unique prefix or name, as the node resolves it.
Answer<identity::OwnerId> find_owner(ApiClient& client, const std::string& text);

}  // namespace hm::cli
