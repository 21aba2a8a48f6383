// SPDX-License-Identifier: Apache-2.0
// `hypermesh bill` and `rewards`: what leases cost and earned, added up here once more.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/bill_view.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/listing.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// Totals that contradict their lines make the command fail, after everything was shown.
Outcome judged(const Listing& listing, const std::vector<std::string>& faults) {
  if (faults.empty()) return {};
  std::string why;
  for (const std::string& fault : faults) why += (why.empty() ? "" : "; ") + fault;
  return failed(ExitCode::Failure, "the lines and the totals do not agree", why,
                listing.moved_on ? "a new block came in between: run it again"
                                 : "compare with another node: --api URL");
}

void print_json(const Context& context, const Listing& listing, const char* key,
                const std::vector<std::string>& faults) {
  ordered_json document = listing.last_page;
  document.erase("next_cursor");
  document["schema"] = 1;
  document[key] = listing.items;
  document["adds_up"] = faults.empty();
  document["faults"] = faults;
  context.terminal.data(document.dump());
}

void print_total(const Context& context, std::string_view name, const std::string& value) {
  context.terminal.data(fmt::format("{:<10} {}", name, printable(value)));
}

}  // namespace

Outcome run(const Bill& options, const Context& context) {
  std::string query;
  if (!options.since.empty()) {
    HM_CLI_TRY(const std::uint64_t span, duration_of("--since", options.since));
    const std::uint64_t now = wall_now().value;
    query = fmt::format("?since={}", now - std::min(now, span));
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto owner, owner_or_own(context.globals, client, options.owner));
  HM_CLI_TRY(const Listing listing,
             all_pages(client, "/caesar/bill/" + owner.to_string() + query, "lines"));
  const ordered_json& totals = member_of(listing.last_page, "totals");
  const auto faults = bill_faults(listing.items, totals);
  if (context.globals.json) {
    print_json(context, listing, "lines", faults);
    return judged(listing, faults);
  }
  context.terminal.table(bill_heads(), bill_rows(listing.items));
  print_total(context, "delivered", format_duration(number_of(totals, "counted_ms")));
  print_total(context, "paid", text_of(totals, "paid") + " CAES");
  print_total(context, "of it fee", text_of(totals, "fee") + " CAES");
  print_total(context, "in escrow", text_of(totals, "escrowed") + " CAES, not paid yet");
  context.terminal.talk(fmt::format(
      "read from the state of block {}, root {}; RECORD is the key of the lease there. "
      "Ended leases are kept for a while only",
      number_of(listing.last_page, "height"), text_of(listing.last_page, "state_root")));
  return judged(listing, faults);
}

Outcome run(const Rewards& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const auto owner, owner_or_own(context.globals, client, options.owner));
  HM_CLI_TRY(const Listing listing,
             all_pages(client, "/caesar/rewards/" + owner.to_string(), "leases"));
  const ordered_json& totals = member_of(listing.last_page, "totals");
  const auto faults = bill_faults(listing.items, totals);
  if (context.globals.json) {
    print_json(context, listing, "leases", faults);
    return judged(listing, faults);
  }
  context.terminal.table(reward_heads(), reward_rows(listing.items));
  print_total(context, "delivered", format_duration(number_of(totals, "counted_ms")));
  print_total(context, "paid", text_of(totals, "paid") + " CAES by tenants");
  print_total(context, "fee", text_of(totals, "fee") + " CAES of it to the validators");
  print_total(context, "reward", text_of(totals, "reward") + " CAES on top");
  print_total(context, "earned", text_of(totals, "earned") + " CAES");
  Names names(client);
  for (const ordered_json& item : list_of(listing.last_page, "delegations")) {
    print_total(context, "delegated",
                fmt::format("worth {} CAES with {}; its rewards are in that",
                            text_of(item, "worth"), names.node(text_of(item, "validator"))));
  }
  const ordered_json& source = member_of(listing.last_page, "computed_from");
  context.terminal.talk(
      fmt::format("read from the state of block {}, root {}; leases that ended longer than {} ago "
                  "are no longer kept",
                  number_of(source, "height"), text_of(source, "state_root"),
                  format_duration(number_of(source, "leases_kept_ms"))));
  return judged(listing, faults);
}

}  // namespace hm::cli
