// SPDX-License-Identifier: Apache-2.0
// `hypermesh trust`: scores, and the terms of one.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/listing.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/trust_view.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

Outcome judged(const std::string& fault) {
  if (fault.empty()) return {};
  return failed(ExitCode::Failure, "the terms and the score do not agree", fault,
                "compare with another node: --api URL");
}

Outcome show_one(const std::string& text, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto node, find_node(client, text));
  HM_CLI_TRY(ordered_json trust, client.get("/trust/" + node.to_string()));
  const std::string fault = trust_fault(trust);
  if (context.globals.json) {
    trust["schema"] = 1;
    trust["adds_up"] = fault.empty();
    context.terminal.data(trust.dump());
    return judged(fault);
  }
  Names names(client);
  const Terminal& terminal = context.terminal;
  terminal.data(fmt::format("{} ({})", printable(names.node(node.to_string())), node.to_string()));
  terminal.table(trust_heads(), trust_rows(trust));
  terminal.data(fmt::format("score {} of 1000", signed_of(trust, "score")));
  terminal.talk(
      "measured from what blocks prove: signed readings, how leases ended, audits; a count");
  terminal.talk("halves in 30 days, and what an owner does with its own nodes does not count");
  terminal.talk("it does not stop two owners from praising each other for the price of the fees;");
  terminal.talk("it is for choosing among providers, and no right depends on it");
  return judged(fault);
}

Outcome show_all(const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(Listing listing, all_pages(client, "/trust", "nodes"));
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1}, {"nodes", listing.items}};
    context.terminal.data(document.dump());
    return {};
  }
  std::ranges::sort(listing.items, std::ranges::greater{}, [](const ordered_json& trust) {
    return std::pair(signed_of(trust, "score"), text_of(trust, "node"));
  });
  Names names(client);
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& trust : listing.items) {
    const std::string id = text_of(trust, "node");
    rows.push_back({{names.node(id), Style::Bold},
                    {short_id(id), Style::Plain},
                    {text_of(trust, "score"), Style::Plain}});
  }
  context.terminal.table({"NAME", "NODE", "SCORE"}, rows);
  context.terminal.talk("0 to 1000, unknown nodes have 500; 'hypermesh trust NODE' tells of what");
  return {};
}

}  // namespace

Outcome run(const Trust& options, const Context& context) {
  return options.node.empty() ? show_all(context) : show_one(options.node, context);
}

Outcome run(const TrustShow& options, const Context& context) {
  return show_one(options.node, context);
}

}  // namespace hm::cli
