// SPDX-License-Identifier: Apache-2.0
// `hypermesh unshare` and `hypermesh grants`: taking grants back, and seeing which there are.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/grant_json.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/name_book.h"
#include "apps/hypermesh/owner_operation.h"
#include "core/assets/address.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

Answer<std::vector<GrantRow>> grant_rows(ApiClient& client, const std::string& query) {
  HM_CLI_TRY(const auto records, all_pages(client, "/privacy/grants?" + query, "grants"));
  std::vector<GrantRow> rows;
  for (const ordered_json& record : records) {
    HM_CLI_TRY(GrantRow row, grant_row_of_json(record));
    rows.push_back(std::move(row));
  }
  return rows;
}

Outcome check(const Unshare& options) {
  if (options.all != options.what.empty()) {
    return failed(ExitCode::Usage,
                  options.all ? "--all and a grant do not go together" : "no grant was named",
                  "one grant, all of a kind, or all: that is different",
                  "hypermesh unshare GRANT, hypermesh unshare gpu, or hypermesh unshare --all");
  }
  return {};
}

Answer<std::vector<GrantRow>> named_grants(ApiClient& client, const identity::OwnerId& self,
                                           const Unshare& options) {
  const auto kind = assets::parse_kind(options.what);
  if (!options.all && !kind) {
    HM_CLI_TRY(const ordered_json record, client.get("/privacy/grants/" + escape(options.what)));
    HM_CLI_TRY(GrantRow row, grant_row_of_json(record));
    return std::vector{std::move(row)};
  }
  HM_CLI_TRY(auto rows, grant_rows(client, "issuer=" + self.to_string()));
  std::erase_if(rows, [&](const GrantRow& row) {
    return row.revoked || (kind && row.grant.assets.kind != kind);
  });
  if (!rows.empty()) return rows;
  return failed(ExitCode::Failure,
                options.all ? "you have issued no grants"
                            : fmt::format("you have issued no grants for {}", options.what),
                "there is nothing to take back; a grant for one asset is named by its id",
                "'hypermesh grants' lists them");
}

// The command that makes the same grant again.
std::string share_again(const identity::ChainId& chain, const privacy::Grant& grant,
                        const GrantNames& names) {
  std::string what = "KIND";
  if (grant.assets.kind) what = assets::name_of(*grant.assets.kind);
  // An asset answers to its address, too, which follows from the hash.
  if (grant.assets.asset) what = assets::address_of(chain, *grant.assets.asset).to_string();
  std::string command =
      fmt::format("hypermesh share {} {}", what, fmt::join(options_of(grant, names), " "));
  if (grant.parent) command += " --from " + grant.parent->to_string();
  return command;
}

void tell_running(const Terminal& terminal, std::uint64_t running) {
  if (running == 0) return;
  terminal.talk(fmt::format("{} running lease{} go{} on to the end; to end them now:", running,
                            running == 1 ? "" : "s", running == 1 ? "es" : ""));
  terminal.talk("  hypermesh revoke LEASE [--now], or hypermesh revoke --all");
}

std::vector<Terminal::Cell> table_row(const GrantRow& row, const GrantNames& names,
                                      UnixMillis now) {
  const privacy::Grant& grant = row.grant;
  std::string expiry = grant.expiry ? format_moment(grant.expiry->value) : "never";
  Style style = Style::Plain;
  if (row.revoked) {
    expiry = "revoked";
    style = Style::Dim;
  } else if (grant.expiry && *grant.expiry <= now) {
    style = Style::Warn;
  }
  return {{short_id(row.id.to_string()), style},
          {grantee_words(grant.to, names), style},
          {selector_words(grant.assets, names), style},
          {names.owner(grant.owner), style},
          {fmt::format("{} %", grant.share_percent), style},
          {limit_words(grant), style},
          {price_words(grant), style},
          {std::to_string(row.open_leases), style},
          {expiry, style}};
}

Answer<std::string> query_of(const GrantsList& options, ApiClient& client,
                             const identity::OwnerId& self) {
  if (options.of.empty() && !options.to_me) return "owner=" + self.to_string();
  if (options.mine) {
    return failed(ExitCode::Usage, "--mine does not go with --of or --to-me",
                  "it is for your own assets", "leave one of them out");
  }
  std::string query = options.to_me ? "to=" + self.to_string() : "";
  if (!options.of.empty()) {
    HM_CLI_TRY(const auto owner, find_owner(client, options.of));
    query += fmt::format("{}owner={}", query.empty() ? "" : "&", owner.to_string());
  }
  return query;
}

}  // namespace

Outcome run(const Unshare& options, const Context& context) {
  HM_CLI_TRY_VOID(check(options));
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto keys, owner_keys(context.globals, client.endpoint()));
  HM_CLI_TRY(const auto chain, chain_of(client));
  HM_CLI_TRY(const auto rows, named_grants(client, keys.id(), options));
  NameBook book(client, keys.id());
  const GrantNames names = book.names();
  ordered_json revoked = ordered_json::array();
  std::uint64_t running = 0;
  for (const GrantRow& row : rows) {
    HM_CLI_TRY(const ordered_json receipt,
               submit_as_owner(client, keys, ledger::RevokeGrant{row.grant.owner, row.id}));
    running += row.open_leases;
    const std::string undo = share_again(chain, row.grant, names);
    revoked.push_back({{"id", row.id.to_string()},
                       {"open_leases", row.open_leases},
                       {"operation", text_of(receipt, "id")},
                       {"height", number_of(receipt, "height")},
                       {"undo", undo}});
    if (context.globals.json) continue;
    context.terminal.data(row.id.to_string());
    context.terminal.talk(printable(
        fmt::format("  taken back from {}; undo: {}", grantee_words(row.grant.to, names), undo)));
  }
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1}, {"revoked", revoked}};
    context.terminal.data(document.dump());
  } else {
    tell_running(context.terminal, running);
  }
  return {};
}

Outcome run(const GrantsList& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto self, own_id(context.globals, client));
  HM_CLI_TRY(const std::string query, query_of(options, client, self));
  if (context.globals.json) {
    HM_CLI_TRY(const auto records, all_pages(client, "/privacy/grants?" + query, "grants"));
    const ordered_json document = {{"schema", 1}, {"grants", records}};
    context.terminal.data(document.dump());
    return {};
  }
  HM_CLI_TRY(const auto rows, grant_rows(client, query));
  NameBook book(client, self);
  const UnixMillis now = local_time().now;
  std::vector<std::vector<Terminal::Cell>> cells;
  for (const GrantRow& row : rows) cells.push_back(table_row(row, book.names(), now));
  context.terminal.table(
      {"GRANT", "TO", "WHAT", "OF", "SHARE", "LIMITS", "PRICE", "IN USE", "UNTIL"}, cells);
  context.terminal.talk(rows.empty() && query.starts_with("owner=" + self.to_string())
                            ? "nothing is shared; 'hypermesh share --help' says how"
                            : "'hypermesh grants show ID' says each in a sentence");
  return {};
}

Outcome run(const GrantsShow& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json record, client.get("/privacy/grants/" + escape(options.id)));
  HM_CLI_TRY(const GrantRow row, grant_row_of_json(record));
  HM_CLI_TRY(const auto self, own_id(context.globals, client));
  NameBook book(client, self);
  const GrantNames names = book.names();
  const bool is_ours = row.grant.issuer == self || row.grant.owner == self;
  const std::string undo = "hypermesh unshare " + short_id(row.id.to_string());
  if (context.globals.json) {
    ordered_json document = {
        {"schema", 1}, {"grant", record}, {"allows", describe(row.grant, names)}};
    if (is_ours && !row.revoked) document["undo"] = undo;
    context.terminal.data(document.dump());
    return {};
  }
  const auto line = [&](std::string_view name, const std::string& value) {
    context.terminal.data(fmt::format("{:<9} {}", name, printable(value)));
  };
  line("id", row.id.to_string());
  line("allows", describe(row.grant, names));
  line("to", grantee_words(row.grant.to, names));
  line("owner", fmt::format("{} ({})", names.owner(row.grant.owner), row.grant.owner.to_string()));
  if (row.grant.parent) {
    line("issuer",
         fmt::format("{} ({})", names.owner(row.grant.issuer), row.grant.issuer.to_string()));
    line("passes on", row.grant.parent->to_string());
  }
  line("in use", fmt::format("{} leases", row.open_leases));
  if (row.revoked) line("state", "revoked; its running leases go on to the end");
  if (is_ours && !row.revoked) context.terminal.talk("undo: " + undo);
  return {};
}

}  // namespace hm::cli
