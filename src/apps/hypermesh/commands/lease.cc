// SPDX-License-Identifier: Apache-2.0
// `hypermesh lease open`: ask a node for a plan, sign it, wait until somebody has accepted.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_plan.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds kLook{200};
// Longer than the presets' window for one provider; a request then goes to its next choice.
constexpr std::chrono::seconds kPatience{150};

// What the tenant would have, and for what; nothing is signed.
void show_plan(const Context& context, const LeaseWish& wish, const PlannedLease& planned,
               const ordered_json& plan) {
  const Terminal& terminal = context.terminal;
  if (context.globals.json) {
    const ordered_json document = {
        {"schema", 1},
        {"plan", plan},
        {"quantity", wish.quantity},
        {"duration_ms", wish.duration_ms},
        {"network", privacy::name_of(wish.network)},
        {"highest_price", caesar::to_string(planned.action.highest_price)},
        {"escrow", caesar::to_string(planned.escrow)}};
    terminal.data(document.dump());
    return;
  }
  terminal.table(choice_heads(), choice_rows(plan));
  const std::uint64_t end = wall_now().value + wish.duration_ms;
  terminal.data(fmt::format("for {}: until {} if it is accepted now",
                            format_duration(wish.duration_ms), format_moment(end)));
  terminal.data(fmt::format("escrow {} CAES, held while it runs; what is not used comes back",
                            caesar::to_string(planned.escrow)));
}

void show_rejected(const Context& context, const ordered_json& plan) {
  const auto rows = rejected_rows(plan);
  if (!rows.empty()) {
    context.terminal.data(context.terminal.styled(Style::Bold, "not chosen"));
    context.terminal.table(rejected_heads(), rows);
  }
  if (const std::string message = text_of(plan, "message"); !message.empty()) {
    context.terminal.data(printable(message));
  }
}

// The lease once it is more than a request; a Failure if it ended, or nobody answered in time.
Answer<ordered_json> accepted_lease(ApiClient& client, const std::string& id) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    HM_CLI_TRY(ordered_json lease, client.get("/leases/" + id));
    const std::string state = lease_text(lease, "state");
    if (!is_open(lease)) {
      const auto why = end_in_words(lease_text(lease, "end"));
      return failed(ExitCode::NoCapacity, fmt::format("lease {} {} before it began", id, state),
                    why.empty() ? "no provider took it" : std::string(why),
                    fmt::format("its escrow is back; 'hypermesh lease show {}' tells where it was "
                                "tried",
                                short_id(id)));
    }
    if (state != "requested") return lease;
    if (std::chrono::steady_clock::now() >= deadline) {
      return failed(
          ExitCode::NoCapacity, fmt::format("lease {} is requested, not accepted", id),
          "no provider's node has answered yet; the escrow is held",
          fmt::format("'hypermesh lease show {0}', or 'hypermesh lease close {0}'", short_id(id)));
    }
    std::this_thread::sleep_for(kLook);
  }
}

void tell_opened(const Context& context, ApiClient& client, const ordered_json& receipt,
                 const ordered_json& lease) {
  const std::string id = text_of(receipt, "id");
  const Terminal& terminal = context.terminal;
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"id", id},
                                   {"state", lease_text(lease, "state")},
                                   {"operation", id},
                                   {"height", number_of(receipt, "height")},
                                   {"lease", lease}};
    terminal.data(document.dump());
    return;
  }
  Names names(client);
  terminal.data(id);
  const auto line = [&](std::string_view name, const std::string& value) {
    terminal.talk(fmt::format("  {:<8} {}", name, printable(value)));
  };
  line("state", lease_text(lease, "state"));
  line("what", fmt::format("{} of {}", lease_quantity(lease), lease_text(lease, "asset")));
  line("where", fmt::format("{} of {}", names.node(lease_text(lease, "node")),
                            names.owner(lease_text(lease, "provider"))));
  const std::uint64_t until = lease_number(lease, "until_ms");
  line("until", until == 0 ? fmt::format("{} from when it is accepted",
                                         format_duration(lease_number(lease, "duration_ms")))
                           : moment_from_now(until, wall_now()));
  line("price", lease_price(lease));
  line("escrow", lease_text(lease, "escrow") + " CAES");
  line("renew", fmt::format("hypermesh lease renew {} --for 1h", short_id(id)));
  line("close", fmt::format("hypermesh lease close {}", short_id(id)));
}

}  // namespace

Outcome run(const LeaseOpen& options, const Context& context) {
  HM_CLI_TRY(const LeaseWish wish, wish_of(options));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  const bool changes_nothing = options.plan || options.explain;
  // A plan needs no secret, so it asks for no passphrase.
  std::optional<identity::OwnerKeys> keys;
  if (!changes_nothing) {
    HM_CLI_TRY(keys, owner_keys(context.globals, client.endpoint()));
  }
  identity::OwnerId tenant;
  if (keys) {
    tenant = keys->id();
  } else {
    HM_CLI_TRY(tenant, own_id(context.globals, client));
  }
  HM_CLI_TRY(const auto chain, chain_of(client));
  HM_CLI_TRY(const ordered_json plan, client.post("/leases/plan", plan_request(wish, tenant)));
  auto planned = planned_lease(plan, wish, chain);
  if (options.explain && !context.globals.json) {
    if (planned) show_plan(context, wish, *planned, plan);
    show_rejected(context, plan);
    if (planned) return {};
  } else if (options.explain && !planned) {
    context.terminal.data(ordered_json({{"schema", 1}, {"plan", plan}}).dump());
  }
  if (!planned) return std::unexpected(std::move(planned.error()));
  if (changes_nothing) {
    show_plan(context, wish, *planned, plan);
    return {};
  }
  HM_CLI_TRY(const ordered_json receipt, submit_as_owner(client, *keys, planned->action));
  const std::string id = text_of(receipt, "id");
  if (!options.wait) {
    HM_CLI_TRY(const ordered_json lease, client.get("/leases/" + id));
    tell_opened(context, client, receipt, lease);
    return {};
  }
  context.terminal.talk(
      fmt::format("requested in block {}; waiting for the provider", number_of(receipt, "height")));
  HM_CLI_TRY(const ordered_json lease, accepted_lease(client, id));
  tell_opened(context, client, receipt, lease);
  return {};
}

}  // namespace hm::cli
