// SPDX-License-Identifier: Apache-2.0
// `hypermesh status`, `nodes` and `validators`: what one node says of itself and of the mesh.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/quantity.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

const ordered_json& list(const ordered_json& document, const char* key) {
  static const ordered_json kEmpty = ordered_json::array();
  return document.contains(key) && document[key].is_array() ? document[key] : kEmpty;
}

std::string yes_no(const ordered_json& object, const char* key) {
  return text_of(object, key) == "true" ? "yes" : "no";
}

}  // namespace

Outcome run(const Status&, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json status, client.get("/status"));
  if (context.globals.json) {
    context.terminal.data(status.dump());
    return {};
  }
  const auto line = [&](std::string_view name, const std::string& value) {
    context.terminal.data(fmt::format("{:<11} {}", name, printable(value)));
  };
  line("node", fmt::format("{} ({})", text_of(status, "name"), text_of(status, "node")));
  line("owner", text_of(status, "owner"));
  line("role", text_of(status, "role"));
  const std::string health = text_of(status, "health");
  context.terminal.data(
      "health      " + context.terminal.styled(health == "ok" ? Style::Good : Style::Warn, health));
  if (const std::string reason = text_of(status, "halted"); !reason.empty()) line("halted", reason);
  line("chain", fmt::format("{} ({}, preset {})", text_of(status, "chain_id"),
                            text_of(status, "chain_name"), text_of(status, "preset")));
  line("height", fmt::format("{}, final {} ago", number_of(status, "height"),
                             format_age(number_of(status, "finalized_age_ms"))));
  line("peers", fmt::format("{} connected", number_of(status, "peers")));
  line("validators", text_of(status, "validators"));
  line("mesh",
       fmt::format("{} nodes, {} assets", number_of(status, "nodes"), number_of(status, "assets")));
  line("API", client.url());
  return {};
}

Outcome run(const Nodes&, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json answer, client.get("/nodes"));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& node : list(answer, "nodes")) {
    const bool connected = text_of(node, "connected") == "true";
    rows.push_back({{text_of(node, "name"), Style::Bold},
                    {short_id(text_of(node, "id")), Style::Plain},
                    {short_id(text_of(node, "owner")), Style::Plain},
                    {yes_no(node, "validator"), Style::Plain},
                    {text_of(node, "self") == "true" ? "this one"
                     : connected                     ? "yes"
                                                     : "no",
                     connected ? Style::Good : Style::Warn},
                    {text_of(node, "assets"), Style::Plain}});
  }
  context.terminal.table({"NAME", "NODE", "OWNER", "VALIDATOR", "CONNECTED", "ASSETS"}, rows);
  return {};
}

Outcome run(const Validators&, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json answer, client.get("/validators"));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  const std::string leader = text_of(answer, "leader");
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& validator : list(answer, "validators")) {
    const bool connected = text_of(validator, "connected") == "true";
    rows.push_back({{text_of(validator, "name"), Style::Bold},
                    {short_id(text_of(validator, "node")), Style::Plain},
                    {text_of(validator, "stake") + " CAES", Style::Plain},
                    {text_of(validator, "self") == "true" ? "this one"
                     : connected                          ? "yes"
                                                          : "no",
                     connected ? Style::Good : Style::Warn},
                    {text_of(validator, "node") == leader ? "yes" : "", Style::Plain}});
  }
  context.terminal.table({"NAME", "NODE", "STAKE", "CONNECTED", "LEADER"}, rows);
  return {};
}

}  // namespace hm::cli
