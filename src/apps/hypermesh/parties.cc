// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/parties.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/owner_operation.h"
#include "platform/files/owner_key_file.h"

namespace hm::cli {

using nlohmann::ordered_json;

Answer<identity::NodeId> find_node(ApiClient& client, const std::string& text) {
  if (text.empty()) {
    HM_CLI_TRY(const ordered_json status, client.get("/status"));
    if (const auto id = identity::NodeId::parse(text_of(status, "node"))) return *id;
    return failed(ExitCode::Failure, fmt::format("{} does not say which node it is", client.url()),
                  "the node may be of another version", "name the node that is meant");
  }
  HM_CLI_TRY(const ordered_json answer, client.get("/nodes"));
  std::optional<identity::NodeId> found;
  for (const ordered_json& node : list_of(answer, "nodes")) {
    const std::string id = text_of(node, "id");
    const bool by_name = text_of(node, "name") == text;
    if (!by_name && (text.size() < 4 || !id.starts_with(text))) continue;
    if (by_name) return identity::NodeId::parse(id).value_or(identity::NodeId{});
    if (found) {
      return failed(ExitCode::Failure, fmt::format("'{}' begins more than one node id", text),
                    "several nodes are meant", "give more of it");
    }
    found = identity::NodeId::parse(id);
  }
  if (found) return *found;
  return failed(ExitCode::Failure, fmt::format("no node is called '{}'", text),
                "it is neither a name nor the start of an id on this chain",
                "'hypermesh nodes' lists them");
}

Answer<identity::OwnerId> own_id(const Globals& globals, ApiClient& client) {
  if (globals.key.empty()) return find_owner(client, "self");
  HM_CLI_TRY(const auto keys, files::read_public_owner_keys(globals.key));
  return keys.owner;
}

Answer<identity::OwnerId> owner_or_own(const Globals& globals, ApiClient& client,
                                       const std::string& text) {
  return text.empty() ? own_id(globals, client) : find_owner(client, text);
}

std::string Names::node(const std::string& id) {
  if (!nodes_) {
    nodes_.emplace();
    if (const auto answer = client_.get("/nodes")) {
      for (const ordered_json& node : list_of(*answer, "nodes")) {
        (*nodes_)[text_of(node, "id")] = text_of(node, "name");
      }
    }
  }
  const auto found = nodes_->find(id);
  return found == nodes_->end() || found->second.empty() ? short_id(id) : found->second;
}

std::string Names::owner(const std::string& id) {
  if (id.empty()) return {};
  const auto [entry, is_new] = owners_.try_emplace(id);
  if (is_new) {
    const auto wallet = client_.get("/wallet/" + escape(id));
    entry->second = wallet ? text_of(*wallet, "name") : std::string();
    if (entry->second.empty()) entry->second = short_id(id);
  }
  return entry->second;
}

}  // namespace hm::cli
