// SPDX-License-Identifier: Apache-2.0
// `hypermesh assets`: list, show, watch.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/asset_filter.h"
#include "apps/hypermesh/asset_view.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/name_book.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kSchema = 1;

Answer<std::vector<AssetFilter>> parse_filters(const std::vector<std::string>& texts) {
  std::vector<AssetFilter> filters;
  for (const std::string& text : texts) {
    HM_CLI_TRY(auto filter, parse_asset_filter(text));
    filters.push_back(std::move(filter));
  }
  return filters;
}

// Names of owners and nodes, so that filters and tables can use them.
void add_names(ApiClient& client, std::vector<ordered_json>& assets) {
  const auto nodes = client.get("/nodes");
  if (!nodes || !nodes->contains("nodes")) return;
  std::map<std::string, std::string> node_names;
  for (const ordered_json& node : (*nodes)["nodes"]) {
    node_names[text_of(node, "id")] = text_of(node, "name");
  }
  std::map<std::string, std::string> owner_names;
  for (ordered_json& asset : assets) {
    const std::string owner = text_of(asset, "owner");
    if (!owner_names.contains(owner)) {
      const auto wallet = client.get("/wallet/" + escape(owner));
      owner_names[owner] = wallet ? text_of(*wallet, "name") : std::string();
    }
    asset["node_name"] = node_names[text_of(asset, "node")];
    asset["owner_name"] = owner_names[owner];
  }
}

}  // namespace

Outcome run(const AssetsList& options, const Context& context) {
  HM_CLI_TRY(const auto filters, parse_filters(options.filters));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(auto assets, all_pages(client, "/assets", "assets"));
  add_names(client, assets);
  std::erase_if(assets, [&](const ordered_json& asset) {
    return !matches_all(filters, nlohmann::json(asset));
  });
  if (context.globals.json) {
    const ordered_json document = {{"schema", kSchema}, {"assets", assets}};
    context.terminal.data(document.dump());
    return {};
  }
  std::ranges::sort(assets, {}, [](const ordered_json& asset) {
    return std::pair(text_of(asset, "node_name"), text_of(asset, "id"));
  });
  print_assets(context.terminal, assets);
  context.terminal.talk(
      fmt::format("{} assets; proofs: + proven, ? unproven, ! refused", assets.size()));
  return {};
}

Outcome run(const AssetsShow& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json asset, client.get("/assets/" + escape(options.id)));
  if (context.globals.json) {
    const ordered_json document = {{"schema", kSchema}, {"asset", asset}};
    context.terminal.data(document.dump());
    return {};
  }
  print_asset(context.terminal, asset);
  return {};
}

Outcome run(const AssetsWatch& options, const Context& context) {
  HM_CLI_TRY(const auto filters, parse_filters(options.filters));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  ApiClient lookup(client.endpoint());
  context.terminal.talk("watching; Ctrl-C ends");
  return client.events(
      "/events?kinds=asset", [&](std::string_view name, const ordered_json& event) {
        if (name != "asset") return true;
        const auto asset = lookup.get("/assets/" + escape(text_of(event, "id")));
        if (!asset || !matches_all(filters, nlohmann::json(*asset))) return true;
        if (context.globals.json) {
          const ordered_json line = {{"schema", kSchema},
                                     {"event", text_of(event, "event")},
                                     {"height", number_of(event, "height")},
                                     {"asset", *asset}};
          context.terminal.data(line.dump());
        } else {
          context.terminal.data(fmt::format("{:>8}  {:<12} {}  {}", number_of(event, "height"),
                                            text_of(event, "event"), text_of(*asset, "id"),
                                            text_of(*asset, "state")));
        }
        return true;
      });
}

}  // namespace hm::cli
