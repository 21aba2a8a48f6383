// SPDX-License-Identifier: Apache-2.0
// `hypermesh wallet`: an owner's CAES, and sending some.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/staking.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {

using nlohmann::ordered_json;

Outcome run(const Wallet& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  const std::string owner = options.owner.empty() ? "self" : options.owner;
  HM_CLI_TRY(ordered_json wallet, client.get("/wallet/" + escape(owner)));
  if (context.globals.json) {
    context.terminal.data(wallet.dump());
    return {};
  }
  if (wallet.contains("delegations")) {
    Names names(client);
    for (ordered_json& item : wallet["delegations"]) {
      item["name"] = names.node(text_of(item, "validator"));
    }
  }
  for (const auto& [name, value] : wallet_lines(wallet, wall_now())) {
    context.terminal.data(fmt::format("{:<9} {}", name, printable(value)));
  }
  return {};
}

Outcome run(const WalletSend& options, const Context& context) {
  const auto amount = caesar::parse_amount(options.amount);
  if (!amount) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no amount of CAES", options.amount),
                  "digits, and at most nine after a point", "for example 12.5");
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto to, find_owner(client, options.to));
  HM_CLI_TRY(const ordered_json receipt,
             submit_as_owner(client, keys, ledger::TransferCaes{to, *amount}));
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},          {"operation", text_of(receipt, "id")},
                                   {"status", "applied"},  {"height", number_of(receipt, "height")},
                                   {"to", to.to_string()}, {"amount", caesar::to_string(*amount)}};
    context.terminal.data(document.dump());
  } else {
    context.terminal.data(text_of(receipt, "id"));
    context.terminal.talk(fmt::format("sent {} CAES to {}, applied in block {}",
                                      caesar::to_string(*amount), to.to_string(),
                                      number_of(receipt, "height")));
  }
  return {};
}

}  // namespace hm::cli
