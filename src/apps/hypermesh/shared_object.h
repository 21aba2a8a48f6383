// SPDX-License-Identifier: Apache-2.0
// An object that another owner shares, by the id that its owner gave: its sealed manifest is
// fetched from the mesh, opened here with the owner's key, and made known to the node under a name.
// The key does not leave this process; the node learns what is needed to read this one object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/hypermesh/object_access.h"

namespace hm::cli {

// Whether a text can be such an id.
bool is_share_id(const std::string& text);

// What the node calls the objects now: as their owner does, or `as`. Denied: the key is not among
// the readers'.
Answer<std::vector<nlohmann::ordered_json>> attach_shared(const Globals& globals,
                                                          ObjectAccess& access,
                                                          const std::string& id,
                                                          const std::string& as);

}  // namespace hm::cli
