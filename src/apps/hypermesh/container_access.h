// SPDX-License-Identifier: Apache-2.0
// The node through which containers are run and images are kept, with the right to do so: its admin
// token. Runs and images as it names them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/api_stream.h"
#include "apps/hypermesh/context.h"

namespace hm::cli {

struct ContainerAccess {
  ApiClient client;
  StreamDoor door;

  const std::string& token() const { return door.token; }
};
Answer<ContainerAccess> container_access(const Globals& globals);

// A run by id, unique prefix or name, as the node tells of it.
Answer<nlohmann::ordered_json> find_run(ContainerAccess& access, const std::string& text);

// Waits while leases of runs that have ended are being closed: until they are, what they cover is
// nobody else's. False: there were none, or they took too long.
bool wait_for_closing(ContainerAccess& access);

// An image by name or by the beginning of its digest. What is not here and has a registry is
// fetched; what has none is a Failure that says how to get it here.
Answer<nlohmann::ordered_json> image_for_run(ContainerAccess& access, const std::string& reference);

// Carries out what `first` asks for on the images' stream, with progress under the name `what`.
Answer<nlohmann::ordered_json> image_stream(const ContainerAccess& access,
                                            const nlohmann::ordered_json& first,
                                            const std::string& what);

// The first message for a registry, with who is there and the password if the environment says so:
// HYPERMESH_REGISTRY_USER, HYPERMESH_REGISTRY_PASSWORD.
nlohmann::ordered_json registry_request(const std::string& verb, const std::string& reference,
                                        bool plain_http);

}  // namespace hm::cli
