// SPDX-License-Identifier: Apache-2.0
// `hypermesh who`: who uses what on the machine of the node that is asked, and how to end it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {

using nlohmann::ordered_json;

Outcome run(const Who&, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json answer, client.get("/who"));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& use : list_of(answer, "leases"))
    rows.push_back(use_row(use, wall_now()));
  if (rows.empty()) {
    context.terminal.talk("nobody uses anything on this machine");
    return {};
  }
  context.terminal.table(use_heads(), rows);
  context.terminal.talk("without --now a tenant has the notice of its grant to leave");
  return {};
}

}  // namespace hm::cli
