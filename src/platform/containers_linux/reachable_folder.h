// SPDX-License-Identifier: Apache-2.0
// A folder under a path that every user can walk, without opening the folders above it to anyone:
// an OCI runtime enters a container's files as an id of the user namespace, and a node's folder is
// its owner's alone.
#pragma once

#include <string>

#include "foundation/base/result.h"

namespace hm::containers_linux {

// The folder itself where everybody can walk there; otherwise a bind mount of it,
// /run/hypermesh/<name>, which stays until release_folder(), and is found again by a later process.
// `folder` is made with mode 0711 if it is missing.
Result<std::string> reachable_folder(const std::string& folder, const std::string& name);

// Takes the mount away unless something below it is in use. Fine if there is none.
void release_folder(const std::string& name);

}  // namespace hm::containers_linux
