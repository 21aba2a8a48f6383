// SPDX-License-Identifier: Apache-2.0
// `hypermesh run`: an image, a machine that may be leased for it, and what comes out of it.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "apps/hypermesh/attached_stream.h"
#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/interruption.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/lease_plan.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/owner_operation.h"
#include "apps/hypermesh/parties.h"
#include "apps/hypermesh/quantity.h"
#include "apps/hypermesh/run_placement.h"
#include "apps/hypermesh/run_replicas.h"
#include "apps/hypermesh/run_view.h"
#include "apps/hypermesh/service_wish.h"
#include "core/api/container_json.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// Where it is to run, and under which leases.
struct Place {
  std::string node;  // id, or "self"
  std::string name;
  std::vector<std::string> leases;
};

std::string_view unit_of(assets::AssetKind kind) {
  return kind == assets::AssetKind::Cpu ? "millicores" : "bytes";
}

// What is worth a word to a person, and in the way of a script.
void remark(const Context& context, const std::string& text) {
  if (::isatty(STDERR_FILENO) == 1) context.terminal.talk(printable(text));
}

ordered_json start_request(const RunWish& wish, const Place& place) {
  api::JsonWriter json;
  json.begin_object().member("image_name", wish.image).member("node", place.node);
  json.member("leases", place.leases);
  api::write_spec_members(json, wish.spec);
  json.end_object();
  return {{"start", ordered_json::parse(std::move(json).take())}};
}

ordered_json plan_document(const std::optional<PlannedNode>& node, const RunPlanner& planner,
                           const RunWish& wish, bool explain) {
  ordered_json document = {{"schema", 1}, {"duration_ms", wish.duration_ms}};
  if (node) {
    document["node"] = node->node;
    document["node_name"] = node->name;
    document["is_asked_node"] = node->is_asked;
    document["escrow"] = caesar::to_string(node->escrow);
    ordered_json leases = ordered_json::array();
    for (const PlannedPart& part : node->parts) {
      leases.push_back({{"kind", assets::name_of(part.need.kind)},
                        {"quantity", part.need.quantity},
                        {"network", privacy::name_of(part.need.network)},
                        {"asset", text_of(part.choice, "asset")},
                        {"price", text_of(part.choice, "price")},
                        {"escrow", caesar::to_string(part.escrow)}});
    }
    document["leases"] = std::move(leases);
  }
  if (!explain) return document;
  ordered_json rejected = list_of(planner.cpu_plan(), "rejected");
  for (const Unfit& unfit : planner.unfit()) {
    rejected.push_back({{"asset", unfit.asset},
                        {"node_name", unfit.node_name},
                        {"rule", unfit.rule},
                        {"message", unfit.message}});
  }
  document["rejected"] = std::move(rejected);
  return document;
}

void show_node(const Terminal& terminal, const PlannedNode& node, const RunWish& wish) {
  if (node.is_asked) {
    terminal.data(printable(
        fmt::format("on {}, the node that is asked; nothing has to be leased", node.name)));
    return;
  }
  terminal.data(printable(fmt::format("on {} of {}", node.name, node.owner)));
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const PlannedPart& part : node.parts) {
    rows.push_back(
        {{std::string(assets::name_of(part.need.kind)), Style::Plain},
         {format_quantity(part.need.quantity, unit_of(part.need.kind)), Style::Plain},
         {short_id(text_of(part.choice, "asset")), Style::Plain},
         {price_in_words(text_of(part.choice, "price"), unit_of(part.need.kind)), Style::Plain},
         {caesar::to_string(part.escrow) + " CAES", Style::Plain}});
  }
  terminal.table({"LEASE", "QUANTITY", "ASSET", "PRICE", "ESCROW"}, rows);
  terminal.data(fmt::format("escrow {} CAES for {}; what is not used comes back",
                            caesar::to_string(node.escrow), format_duration(wish.duration_ms)));
}

void show_rejected(const Terminal& terminal, const RunPlanner& planner) {
  auto rows = rejected_rows(planner.cpu_plan());
  // Of another kind is most of what there is.
  std::erase_if(rows, [](const auto& row) { return row[2].text == "wrong_kind"; });
  for (const Unfit& unfit : planner.unfit()) {
    rows.push_back({{short_id(unfit.asset), Style::Plain},
                    {unfit.node_name, Style::Plain},
                    {unfit.rule, Style::Warn},
                    {unfit.message, Style::Plain}});
  }
  if (rows.empty()) return;
  terminal.data(terminal.styled(Style::Bold, "not chosen"));
  terminal.table(rejected_heads(), rows);
}

Outcome show_plan(const Context& context, RunPlanner& planner, const RunWish& wish, bool explain) {
  HM_CLI_TRY_VOID(planner.begin(explain));
  HM_CLI_TRY(const std::optional<PlannedNode> node, planner.next());
  if (context.globals.json) {
    context.terminal.data(plan_document(node, planner, wish, explain).dump());
  } else {
    if (node) show_node(context.terminal, *node, wish);
    if (explain) show_rejected(context.terminal, planner);
  }
  if (!node) return std::unexpected(planner.nothing_left());
  return {};
}

// How far an attempt came.
struct Attempt {
  std::string run;  // its id; empty: the node knows of none
  bool has_started = false;
};

Outcome start_at(const Context& context, const ContainerAccess& access, const ContainerRun& options,
                 const RunWish& wish, const Place& place, Attempt& attempt) {
  Attachment attachment;
  attachment.first = start_request(wish, place);
  attachment.signals = OwnSignals::Passed;
  attachment.ports = wish.ports;
  attachment.on_run = [&](const std::string& run) { attempt.run = run; };
  attachment.on_started = [&] { attempt.has_started = true; };
  if (!options.detach) {
    attachment.input = options.input ? OwnInput::Passed : OwnInput::Empty;
    attachment.terminal = options.terminal ? OwnTerminal::Raw : OwnTerminal::Lines;
  }
  HM_CLI_TRY(const ordered_json last, run_attached(context, access.door, attachment));
  if (!options.detach) return outcome_of_exit(last);
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"run", attempt.run},
                                   {"node", place.node},
                                   {"node_name", place.name},
                                   {"leases", place.leases}};
    context.terminal.data(document.dump());
  } else {
    context.terminal.data(attempt.run);
  }
  return {};
}

// Another machine may do what this one cannot now.
bool is_worth_another(const Failure& failure) {
  return failure.exit == ExitCode::NoCapacity || failure.exit == ExitCode::NotReachable;
}

// The owner's key, which has to be that of the node's owner: its leases are the node's to use.
Answer<identity::OwnerKeys> keys_of_tenant(const Context& context, ContainerAccess& access,
                                           const identity::OwnerId& tenant) {
  HM_CLI_TRY(auto keys, owner_keys(context.globals, access.client.endpoint()));
  if (keys.id() == tenant) return keys;
  return failed(ExitCode::Denied, "the key is another owner's than the node's",
                "a node runs what its owner has leased",
                "leave --key out, or ask a node of that owner: --api URL");
}

// Leases the node, if it has to be leased.
Answer<Place> take_place(const Context& context, ContainerAccess& access, const RunWish& wish,
                         const PlannedNode& node, const identity::OwnerKeys* keys) {
  Place place{node.is_asked ? "self" : node.node, node.name, {}};
  if (node.is_asked) return place;
  const Interruption interruption;
  HM_CLI_TRY(place.leases, open_leases(access.client, *keys, node,
                                       containers::purpose_of(wish.spec), interruption));
  if (const int signal = interruption.signal(); signal != 0) {
    close_leases(access.client, *keys, place.leases);
    return std::unexpected(interrupted_by(signal));
  }
  remark(context, fmt::format("on {} of {}, {} CAES in escrow for {}", node.name, node.owner,
                              caesar::to_string(node.escrow), format_duration(wish.duration_ms)));
  return place;
}

Outcome try_machines(const Context& context, ContainerAccess& access, const ContainerRun& options,
                     const RunWish& wish, RunPlanner& planner, const identity::OwnerId& tenant) {
  HM_CLI_TRY_VOID(planner.begin(false));
  std::optional<identity::OwnerKeys> keys;
  std::optional<Failure> last;
  for (std::size_t tried = 0; tried < kMaxNodesTried; ++tried) {
    HM_CLI_TRY(const std::optional<PlannedNode> node, planner.next());
    if (!node) break;
    if (last) remark(context, fmt::format("{}: {}; trying {}", last->what, last->why, node->name));
    if (!node->is_asked && !keys) {
      HM_CLI_TRY(keys, keys_of_tenant(context, access, tenant));
    }
    auto place = take_place(context, access, wish, *node, keys ? &*keys : nullptr);
    if (!place) {
      last = std::move(place.error());
      if (!is_worth_another(*last)) return std::unexpected(std::move(*last));
      continue;
    }
    Attempt attempt;
    auto outcome = start_at(context, access, options, wish, *place, attempt);
    if (!outcome && attempt.run.empty() && !place->leases.empty()) {
      // The node closes the leases of runs that it knows.
      const Interruption interruption;
      close_leases(access.client, *keys, place->leases);
    }
    if (outcome || attempt.has_started || !is_worth_another(outcome.error())) return outcome;
    last = std::move(outcome.error());
  }
  return std::unexpected(last ? std::move(*last) : planner.nothing_left());
}

// Once more, if what this owner ran before was still in the way.
Outcome run_somewhere(const Context& context, ContainerAccess& access, const ContainerRun& options,
                      const RunWish& wish, RunPlanner& planner, const identity::OwnerId& tenant) {
  auto outcome = try_machines(context, access, options, wish, planner, tenant);
  if (outcome || outcome.error().exit != ExitCode::NoCapacity || !wait_for_closing(access)) {
    return outcome;
  }
  return try_machines(context, access, options, wish, planner, tenant);
}

}  // namespace

Outcome run(const ContainerRun& options, const Context& context) {
  HM_CLI_TRY_VOID(check_replicas(options));
  HM_CLI_TRY(RunWish wish, run_wish_of(options, own_environment()));
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  const bool changes_nothing = options.plan || options.explain;
  if (!changes_nothing) {
    HM_CLI_TRY(const ordered_json image, image_for_run(access, wish.image));
    const auto manifest = crypto::Digest::parse(text_of(image, "manifest"));
    if (!manifest) {
      return failed(ExitCode::Failure, "the node does not say which image that is",
                    "it may be of another version", "compare 'hypermesh version' on both sides");
    }
    wish.spec.image = *manifest;
  }
  if (options.detach && options.replicas) return create_service(context, access, options, wish);
  if (options.local) {
    Attempt attempt;
    return start_at(context, access, options, wish, {"self", {}, {}}, attempt);
  }
  HM_CLI_TRY(const ordered_json status, access.client.get("/status"));
  HM_CLI_TRY(const auto chain, chain_of(access.client));
  HM_CLI_TRY(const identity::OwnerId tenant, find_owner(access.client, "self"));
  RunPlanner planner(access.client, wish, tenant, text_of(status, "node"), chain);
  if (changes_nothing) return show_plan(context, planner, wish, options.explain);
  if (options.replicas) {
    HM_CLI_TRY(const auto keys, keys_of_tenant(context, access, tenant));
    return run_replicated(context, access, options, wish, planner, keys);
  }
  return run_somewhere(context, access, options, wish, planner, tenant);
}

}  // namespace hm::cli
