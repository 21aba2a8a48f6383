// SPDX-License-Identifier: Apache-2.0
// `hypermesh allow`: what an owner's nodes may spend on leases by themselves.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/staking.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// "self": the node that is asked.
Answer<identity::NodeId> node_meant(ApiClient& client, const std::string& text) {
  return find_node(client, text == "self" ? std::string() : text);
}

// Of the owner's nodes, or of the one that is named.
Outcome show(const Allow& options, const Context& context, ApiClient& client) {
  HM_CLI_TRY(const auto owner, own_id(context.globals, client));
  std::optional<identity::NodeId> only;
  if (!options.node.empty()) {
    HM_CLI_TRY(only, node_meant(client, options.node));
  }
  HM_CLI_TRY(const ordered_json answer, client.get("/nodes"));
  const std::vector<ordered_json> nodes =
      allowances_of(answer, owner.to_string(), only ? only->to_string() : std::string());
  if (only && nodes.empty()) {
    return failed(
        ExitCode::Failure, fmt::format("node {} is another owner's", short_id(only->to_string())),
        "only what one's own nodes may spend is shown", "'hypermesh allow' shows all of them");
  }
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1}, {"owner", owner.to_string()}, {"nodes", nodes}};
    context.terminal.data(document.dump());
    return {};
  }
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& node : nodes) {
    rows.push_back({{text_of(node, "name"), Style::Bold},
                    {short_id(text_of(node, "id")), Style::Plain},
                    {text_of(node, "allowance") + " CAES", Style::Plain}});
  }
  context.terminal.table({"NAME", "NODE", "MAY SPEND ON LEASES"}, rows);
  return {};
}

}  // namespace

Outcome run(const Allow& options, const Context& context) {
  if (options.amount.empty()) {
    HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
    return show(options, context, client);
  }
  const auto amount = caesar::parse_amount(options.amount);
  if (!amount) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no amount of CAES", options.amount),
                  "digits, and at most nine after a point",
                  "for example 12.5; 0 takes the allowance away");
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto node, node_meant(client, options.node));
  HM_CLI_TRY(const ordered_json nodes, client.get("/nodes"));
  const auto before = allowances_of(nodes, keys.id().to_string(), node.to_string());
  HM_CLI_TRY(const ordered_json receipt,
             submit_as_owner(client, keys, ledger::SetAllowance{node, *amount}));
  const std::string id = node.to_string();
  const std::string undo =
      fmt::format("hypermesh allow {} --node {}",
                  before.empty() ? "0" : text_of(before.front(), "allowance"), short_id(id));
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"node", id},
                                   {"allowance", caesar::to_string(*amount)},
                                   {"operation", text_of(receipt, "id")},
                                   {"height", number_of(receipt, "height")},
                                   {"undo", undo}};
    context.terminal.data(document.dump());
    return {};
  }
  context.terminal.data(text_of(receipt, "id"));
  context.terminal.talk(printable(allowance_in_words(Names(client).node(id), *amount)));
  context.terminal.talk(fmt::format("applied in block {}", number_of(receipt, "height")));
  context.terminal.talk("undo: " + undo);
  return {};
}

}  // namespace hm::cli
