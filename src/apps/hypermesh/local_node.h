// SPDX-License-Identifier: Apache-2.0
// The folder of a node that runs on this machine, found by its process: that is where the owner's
// key and the admin token are, for those who may read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/hypermesh/command.h"
#include "apps/hypermesh/failure.h"
#include "apps/hypermesh/folders.h"
#include "core/identity/owner_keys.h"
#include "platform/http/http_client.h"

namespace hm::cli {

// The node that serves this address, if it is a process of this machine whose folder may be read.
std::optional<NodeFolder> local_node(const http::HttpEndpoint& endpoint);

// The key file of --key or HYPERMESH_KEY, otherwise that of the local node's owner.
Answer<std::string> owner_key_file(const Globals& globals, const http::HttpEndpoint& endpoint);

// The keys in it; asks for the passphrase if it has one.
Answer<identity::OwnerKeys> owner_keys(const Globals& globals, const http::HttpEndpoint& endpoint);

// The admin token of the local node; Denied if there is none to be had.
Answer<std::string> admin_token(const http::HttpEndpoint& endpoint);

}  // namespace hm::cli
