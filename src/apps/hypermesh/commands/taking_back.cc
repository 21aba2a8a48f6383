// SPDX-License-Identifier: Apache-2.0
// `hypermesh pause`, `resume` and `revoke`: the owner's machine is the owner's. Carried out by the
// node itself, so that they work while the owner's key is elsewhere.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/local_node.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

struct Order {
  std::string path;
  ordered_json body;
  std::string done;  // for people
  std::string undo;
};

// The node does one operation after the other; what it did not do must not look done.
Outcome check_results(const ordered_json& answer) {
  for (const ordered_json& result : list_of(answer, "results")) {
    const std::string status = text_of(result, "status");
    if (status == "applied") continue;
    return failed(ExitCode::Failure, fmt::format("{} is {}", text_of(result, "id"), status),
                  text_of(member_of(result, "refused"), "message"),
                  "the others are done; the same command goes on with what is left");
  }
  const std::uint64_t left = number_of(answer, "left");
  if (left == 0) return {};
  return failed(ExitCode::NoCapacity, fmt::format("{} are left", left),
                "the node had no time for more", "the same command goes on with them");
}

Outcome carry_out(ApiClient& client, const Context& context, const Order& order) {
  HM_CLI_TRY(const std::string token, admin_token(client.endpoint()));
  HM_CLI_TRY(ordered_json answer, client.post(order.path, order.body, token));
  if (context.globals.json) {
    if (!order.undo.empty()) answer["undo"] = order.undo;
    context.terminal.data(answer.dump());
    return check_results(answer);
  }
  for (const ordered_json& result : list_of(answer, "results")) {
    context.terminal.data(
        printable(fmt::format("{}  {}", text_of(result, "id"), text_of(result, "status"))));
  }
  HM_CLI_TRY_VOID(check_results(answer));
  context.terminal.talk(order.done);
  if (!order.undo.empty()) context.terminal.talk(printable("undo: " + order.undo));
  return {};
}

// The body of a request about one asset or, if none is named, everything.
Answer<ordered_json> body_for(ApiClient& client, const std::string& asset) {
  if (asset.empty()) return ordered_json::object();
  HM_CLI_TRY(const ordered_json found, client.get("/assets/" + escape(asset)));
  return ordered_json{{"asset", text_of(found, "id")}};
}

std::string name_of(const std::string& asset) {
  return asset.empty() ? "everything on this node" : asset;
}

std::string with_asset(std::string_view command, const std::string& asset) {
  return fmt::format("hypermesh {}{}{}", command, asset.empty() ? "" : " ", asset);
}

}  // namespace

Outcome run(const Pause& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(ordered_json body, body_for(client, options.asset));
  return carry_out(client, context,
                   {"/privacy/pause", std::move(body),
                    fmt::format("paused: {}; no new lease begins, running ones go on "
                                "('hypermesh revoke' ends them)",
                                name_of(options.asset)),
                    with_asset("resume", options.asset)});
}

Outcome run(const Resume& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(ordered_json body, body_for(client, options.asset));
  return carry_out(client, context,
                   {"/privacy/resume", std::move(body),
                    fmt::format("lent again: {}, as the grants allow", name_of(options.asset)),
                    with_asset("pause", options.asset)});
}

Outcome run(const Revoke& options, const Context& context) {
  if (options.all != options.lease.empty()) {
    return failed(ExitCode::Usage,
                  options.all ? "--all and a lease do not go together" : "no lease was named",
                  "one lease or all of them: that is different",
                  "hypermesh revoke LEASE, or hypermesh revoke --all");
  }
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  ordered_json body = {{"now", options.now}};
  if (options.all) {
    body["all"] = true;
  } else {
    body["lease"] = options.lease;
  }
  const std::string which = options.all ? "every lease on this node" : "lease " + options.lease;
  return carry_out(
      client, context,
      {"/privacy/revoke", std::move(body),
       fmt::format("{} {}; the grants stand: 'hypermesh unshare' or 'hypermesh pause' "
                   "keeps new ones away",
                   which, options.now ? "ends now" : "ends after the notice of its grant"),
       ""});
}

}  // namespace hm::cli
