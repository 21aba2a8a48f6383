// SPDX-License-Identifier: Apache-2.0
// `hypermesh lease`: ls, show, and what is done to one that exists.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/listing.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

struct Found {
  ledger::LeaseId id;
  ordered_json lease;
};

// By id or a prefix that only one has; the node resolves it.
Answer<Found> find_lease(ApiClient& client, const std::string& text) {
  auto lease = client.get("/leases/" + escape(text));
  if (!lease) {
    if (lease.error().exit == ExitCode::Failure)
      lease.error().to_do = "'hypermesh lease ls --all' lists them";
    return std::unexpected(std::move(lease.error()));
  }
  const auto id = ledger::LeaseId::parse(lease_text(*lease, "id"));
  if (!id) {
    return failed(ExitCode::Failure, fmt::format("{} answered without a lease id", client.url()),
                  "the node may be of another version",
                  "compare 'hypermesh version' on both sides");
  }
  return Found{*id, std::move(*lease)};
}

LeaseNames names_of(Names& names, const ordered_json& lease) {
  return {names.owner(lease_text(lease, "tenant")), names.owner(lease_text(lease, "provider")),
          names.node(lease_text(lease, "node"))};
}

// What an act on a lease came to, for people; `before` is the lease as it was.
using Tell = std::function<std::string(const ordered_json& before, const ordered_json& after)>;
using MakeLeaseAction = std::function<ledger::Action(const ledger::LeaseId&)>;

Outcome act(const Context& context, const std::string& text, const MakeLeaseAction& make,
            const Tell& tell) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const Found found, find_lease(client, text));
  if (!is_open(found.lease)) {
    const auto why = end_in_words(lease_text(found.lease, "end"));
    return failed(
        ExitCode::Failure,
        fmt::format("lease {} is {}", short_lease(found.lease), lease_text(found.lease, "state")),
        why.empty() ? "it has ended" : std::string(why),
        "'hypermesh lease ls --open' lists those that have not ended");
  }
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  const ledger::Action action = make(found.id);
  HM_CLI_TRY(const ordered_json receipt, submit_as_owner(client, keys, action));
  HM_CLI_TRY(const ordered_json after, client.get("/leases/" + found.id.to_string()));
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"id", found.id.to_string()},
                                   {"action", ledger::name_of(action)},
                                   {"operation", text_of(receipt, "id")},
                                   {"status", "applied"},
                                   {"height", number_of(receipt, "height")},
                                   {"lease", after}};
    context.terminal.data(document.dump());
  } else {
    context.terminal.data(found.id.to_string());
    context.terminal.talk(printable(tell(found.lease, after)));
    context.terminal.talk(fmt::format("applied in block {}", number_of(receipt, "height")));
  }
  return {};
}

caesar::Amount paid_between(const ordered_json& before, const ordered_json& after) {
  return caesar::checked_sub(paid_in_all(after), paid_in_all(before)).value_or(caesar::Amount{});
}

// What of the escrow before was neither paid nor is still held.
caesar::Amount came_back(const ordered_json& before, const ordered_json& after) {
  const auto held = caesar::parse_amount(lease_text(before, "escrow")).value_or(caesar::Amount{});
  const auto kept = caesar::parse_amount(lease_text(after, "escrow")).value_or(caesar::Amount{});
  const auto used = caesar::checked_add(paid_between(before, after), kept);
  return used ? caesar::checked_sub(held, *used).value_or(caesar::Amount{}) : caesar::Amount{};
}

std::string state_in_words(const ordered_json&, const ordered_json& after) {
  return fmt::format("it is {}", lease_text(after, "state"));
}

// The node leaves out what it can; a lease of one's own on one's own asset is both.
std::string list_path(const LeaseList& options, const std::string& owner) {
  std::string path = options.open ? "/leases?open=true" : "/leases";
  if (options.all || options.mine == options.on_me) return path;
  path += options.open ? '&' : '?';
  return path + (options.mine ? "tenant=" : "provider=") + owner;
}

}  // namespace

Outcome run(const LeaseList& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  std::string owner;
  if (const auto own = own_id(context.globals, client)) {
    owner = own->to_string();
  } else if (!options.all) {
    return std::unexpected(own.error());
  }
  HM_CLI_TRY(Listing listing, all_pages(client, list_path(options, owner), "leases"));
  std::erase_if(listing.items, [&](const ordered_json& lease) {
    return !options.all && role_of(lease, owner).empty();
  });
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1}, {"leases", listing.items}};
    context.terminal.data(document.dump());
    return {};
  }
  std::ranges::sort(listing.items, std::ranges::greater{}, [](const ordered_json& lease) {
    return std::pair(lease_number(lease, "opened_height"), lease_text(lease, "id"));
  });
  Names names(client);
  const UnixMillis now = wall_now();
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& lease : listing.items) {
    rows.push_back(lease_row(lease, names_of(names, lease), owner, now));
  }
  context.terminal.table(lease_heads(), rows);
  context.terminal.talk(
      fmt::format("{} leases; ended ones are kept for a while only", rows.size()));
  return {};
}

Outcome run(const LeaseShow& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const Found found, find_lease(client, options.lease));
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1}, {"lease", found.lease}};
    context.terminal.data(document.dump());
    return {};
  }
  Names names(client);
  for (const auto& [name, value] :
       lease_lines(found.lease, names_of(names, found.lease), wall_now())) {
    context.terminal.data(fmt::format("{:<9} {}", name, printable(value)));
  }
  return {};
}

Outcome run(const LeaseRenew& options, const Context& context) {
  HM_CLI_TRY(const std::uint64_t extra, duration_of("--for", options.duration));
  return act(
      context, options.lease,
      [&](const ledger::LeaseId& id) { return ledger::RenewLease{id, extra}; },
      [](const ordered_json&, const ordered_json& after) {
        return fmt::format("until {}; {} CAES in escrow",
                           moment_from_now(lease_number(after, "until_ms"), wall_now()),
                           lease_text(after, "escrow"));
      });
}

Outcome run(const LeaseClose& options, const Context& context) {
  return act(
      context, options.lease, [](const ledger::LeaseId& id) { return ledger::CloseLease{id}; },
      [](const ordered_json& before, const ordered_json& after) {
        return fmt::format("it is {}; {} CAES paid in all, {} CAES of the escrow came back",
                           lease_text(after, "state"), caesar::to_string(paid_in_all(after)),
                           caesar::to_string(came_back(before, after)));
      });
}

Outcome run(const LeaseSettle& options, const Context& context) {
  return act(
      context, options.lease, [](const ledger::LeaseId& id) { return ledger::SettleLease{id}; },
      [](const ordered_json& before, const ordered_json& after) {
        return fmt::format("{} CAES paid now, {} in all; {} CAES in escrow",
                           caesar::to_string(paid_between(before, after)),
                           caesar::to_string(paid_in_all(after)), lease_text(after, "escrow"));
      });
}

Outcome run(const LeaseAccept& options, const Context& context) {
  return act(
      context, options.lease, [](const ledger::LeaseId& id) { return ledger::AcceptLease{id}; },
      state_in_words);
}

Outcome run(const LeaseDecline& options, const Context& context) {
  return act(
      context, options.lease, [](const ledger::LeaseId& id) { return ledger::DeclineLease{id}; },
      state_in_words);
}

}  // namespace hm::cli
