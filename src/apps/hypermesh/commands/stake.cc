// SPDX-License-Identifier: Apache-2.0
// `hypermesh stake`, `unstake`, `delegate`, `undelegate`: CAES that stands behind something.
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
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

Answer<ordered_json> wallet_of(ApiClient& client, const identity::OwnerId& owner) {
  return client.get("/wallet/" + owner.to_string());
}

// Signs, then says how the owner stands; `tell` makes a sentence of the wallet afterwards.
Outcome submit_and_tell(const Context& context, ApiClient& client, const identity::OwnerKeys& keys,
                        const ledger::Action& action,
                        const std::function<std::string(const ordered_json& wallet)>& tell) {
  HM_CLI_TRY(const ordered_json receipt, submit_as_owner(client, keys, action));
  HM_CLI_TRY(const ordered_json wallet, wallet_of(client, keys.id()));
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"action", ledger::name_of(action)},
                                   {"operation", text_of(receipt, "id")},
                                   {"status", "applied"},
                                   {"height", number_of(receipt, "height")},
                                   {"wallet", wallet}};
    context.terminal.data(document.dump());
  } else {
    context.terminal.data(text_of(receipt, "id"));
    context.terminal.talk(printable(tell(wallet)));
    context.terminal.talk(fmt::format("applied in block {}", number_of(receipt, "height")));
  }
  return {};
}

std::string release_in_words(const ordered_json& wallet) {
  if (!wallet.contains("unbonding_entries")) return "free after the unbonding time";
  const std::uint64_t release = last_release(wallet);
  if (release == 0) return "free now";
  return "free " + moment_from_now(release, wall_now()) + "; until then it can be slashed";
}

std::string delegation_in_words(const ordered_json& wallet, const std::string& validator) {
  if (!wallet.contains("delegations")) return "'hypermesh wallet' shows what is delegated";
  for (const ordered_json& item : list_of(wallet, "delegations")) {
    if (text_of(item, "validator") != validator) continue;
    return fmt::format("{} CAES are with {} now ({} shares)", text_of(item, "worth"),
                       short_id(validator), number_of(item, "shares"));
  }
  return fmt::format("nothing is with {} any more", short_id(validator));
}

}  // namespace

Outcome run(const Stake& options, const Context& context) {
  HM_CLI_TRY(const caesar::Amount amount, amount_above_zero(options.amount));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  return submit_and_tell(context, client, keys, ledger::Bond{amount},
                         [](const ordered_json& wallet) {
                           return fmt::format("the bond is {} CAES, the balance {} CAES",
                                              text_of(wallet, "bond"), text_of(wallet, "balance"));
                         });
}

Outcome run(const Unstake& options, const Context& context) {
  HM_CLI_TRY(const caesar::Amount amount, amount_above_zero(options.amount));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  return submit_and_tell(context, client, keys, ledger::Unbond{amount},
                         [&](const ordered_json& wallet) {
                           return fmt::format("{} CAES leave the bond: {}",
                                              caesar::to_string(amount), release_in_words(wallet));
                         });
}

Outcome run(const Delegate& options, const Context& context) {
  HM_CLI_TRY(const caesar::Amount amount, amount_above_zero(options.amount));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto validator, find_node(client, options.validator));
  return submit_and_tell(context, client, keys, ledger::Delegate{validator, amount},
                         [&](const ordered_json& wallet) {
                           return delegation_in_words(wallet, validator.to_string());
                         });
}

Outcome run(const Undelegate& options, const Context& context) {
  std::optional<caesar::Amount> amount;
  if (!options.all) {
    if (options.amount.empty()) {
      return failed(ExitCode::Usage, "neither an amount nor --all was given",
                    "it is not clear how much shall come back",
                    "for example 'hypermesh undelegate node2 50' or '… node2 --all'");
    }
    HM_CLI_TRY(amount, amount_above_zero(options.amount));
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto validator, find_node(client, options.validator));
  const std::string id = validator.to_string();
  HM_CLI_TRY(const ordered_json staking, client.get("/caesar/staking"));
  HM_CLI_TRY(const ordered_json wallet, wallet_of(client, keys.id()));
  HM_CLI_TRY(const Delegated delegated, delegated_with(staking, wallet, id));
  HM_CLI_TRY(const std::uint64_t shares, shares_to_take(delegated, amount));
  return submit_and_tell(
      context, client, keys, ledger::Undelegate{validator, shares}, [&](const ordered_json& after) {
        return fmt::format("about {} CAES come back: {}; {}",
                           caesar::to_string(worth_of(delegated.pool, shares)),
                           release_in_words(after), delegation_in_words(after, id));
      });
}

}  // namespace hm::cli
