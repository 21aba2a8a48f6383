// SPDX-License-Identifier: Apache-2.0
// The node that stores objects for its owner, with the right to ask it: its admin token.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"

namespace hm::cli {

struct ObjectAccess {
  ApiClient client;
  std::string token;
};
Answer<ObjectAccess> object_access(const Globals& globals);

// "/objects/content?name=…"
std::string object_path(std::string_view path, std::string_view name);

// What the node says of an object by name or id: {"object", "health"}. Null: there is none.
Answer<nlohmann::ordered_json> look_for_object(ObjectAccess& access, const std::string& name);
// The same, where none is a failure.
Answer<nlohmann::ordered_json> find_object(ObjectAccess& access, const std::string& name);

// Every object whose name begins so.
Answer<std::vector<nlohmann::ordered_json>> objects_below(ObjectAccess& access,
                                                          const std::string& prefix);

// "photos" and "photos/": what the names of everything in that folder begin with.
std::string folder_prefix(const std::string& name);

// The last part of a name, for a file that is written. None where that is no name of a file
// (empty, "." or "..").
std::optional<std::string> file_name_of(std::string_view name);

// Owners as they were typed, "bob,carol" and several of these, one each.
std::vector<std::string> split_owners(const std::vector<std::string>& typed);

}  // namespace hm::cli
