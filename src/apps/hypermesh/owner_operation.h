// SPDX-License-Identifier: Apache-2.0
// Operations signed here with an owner's key and followed until they are final. The node is only
// the messenger: it sees neither the key nor a way to change what was signed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apps/hypermesh/api_client.h"
#include "core/ledger/operation.h"
#include "foundation/crypto/ed25519.h"

namespace hm::cli {

// Signs `action` as the owner of `key`, sends it, and returns the API's entry about it, {id,
// status: "applied", height, block}. A refusal is a Failure that says the rule; so is a mesh that
// does not make it final in time.
Answer<nlohmann::ordered_json> submit_as_owner(ApiClient& client, const crypto::SigningKey& key,
                                               const ledger::Action& action);

// The chain that the node follows.
Answer<identity::ChainId> chain_of(ApiClient& client);

// An owner by id, unique prefix or name, as the node resolves it.
Answer<identity::OwnerId> find_owner(ApiClient& client, const std::string& text);

}  // namespace hm::cli
