// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/object_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/local_node.h"
#include "core/api/limits.h"

namespace hm::cli {

using nlohmann::ordered_json;

Answer<ObjectAccess> object_access(const Globals& globals) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(globals));
  HM_CLI_TRY(std::string token, admin_token(client.endpoint()));
  return ObjectAccess{std::move(client), std::move(token)};
}

std::string object_path(std::string_view path, std::string_view name) {
  return fmt::format("{}?name={}", path, escape(name));
}

Answer<ordered_json> look_for_object(ObjectAccess& access, const std::string& name) {
  return access.client.find(object_path("/objects/stat", name), access.token);
}

Answer<ordered_json> find_object(ObjectAccess& access, const std::string& name) {
  HM_CLI_TRY(ordered_json found, look_for_object(access, name));
  if (!found.is_null()) return found;
  return failed(ExitCode::Failure, fmt::format("no object is called '{}'", name),
                "this node has stored nothing of that name or id",
                "'hypermesh ls -R' lists what there is");
}

Answer<std::vector<ordered_json>> objects_below(ObjectAccess& access, const std::string& prefix) {
  std::vector<ordered_json> objects;
  std::string cursor;
  do {
    std::string path = fmt::format("/objects?prefix={}&limit={}", escape(prefix), api::kMaxPage);
    if (!cursor.empty()) path += "&cursor=" + cursor;
    HM_CLI_TRY(ordered_json page, access.client.get(path, access.token));
    cursor = text_of(page, "next_cursor");
    std::ranges::move(take_list(page, "objects"), std::back_inserter(objects));
  } while (!cursor.empty());
  return objects;
}

std::string folder_prefix(const std::string& name) {
  return name.empty() || name.ends_with('/') ? name : name + "/";
}

std::optional<std::string> file_name_of(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('/') + 1);
  if (last.empty() || last == "." || last == "..") return std::nullopt;
  return std::string(last);
}

std::vector<std::string> split_owners(const std::vector<std::string>& typed) {
  std::vector<std::string> owners;
  for (const std::string& words : typed) {
    std::size_t at = 0;
    while (at <= words.size()) {
      const std::size_t comma = std::min(words.find(',', at), words.size());
      if (comma > at) owners.push_back(words.substr(at, comma - at));
      at = comma + 1;
    }
  }
  return owners;
}

}  // namespace hm::cli
