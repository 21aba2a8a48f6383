// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/run_replicas.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "apps/hypermesh/attached_stream.h"
#include "apps/hypermesh/interruption.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/service_wish.h"
#include "core/api/container_json.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::uint32_t kFewestReplicas = 3;

std::uint32_t quorum_of(const ContainerRun& options) {
  return options.quorum.value_or(*options.replicas / 2 + 1);
}

struct Taken {
  PlannedNode node;
  std::vector<std::string> leases;
};

void give_back(ContainerAccess& access, const identity::OwnerKeys& keys,
               const std::vector<Taken>& taken) {
  for (const Taken& one : taken) close_leases(access.client, keys, one.leases);
}

// The best machines of so many owners; all leases are active, or none is open.
Answer<std::vector<Taken>> take_machines(ContainerAccess& access, const ContainerRun& options,
                                         const RunWish& wish, RunPlanner& planner,
                                         const identity::OwnerKeys& keys) {
  std::vector<Taken> taken;
  std::set<std::string> owners;
  const Interruption interruption;
  while (taken.size() < *options.replicas) {
    auto node = planner.next();
    if (!node || !*node) {
      give_back(access, keys, taken);
      if (!node) return std::unexpected(std::move(node.error()));
      return failed(ExitCode::NoCapacity,
                    fmt::format("{} owners have a machine for this, {} are wanted", owners.size(),
                                *options.replicas),
                    "each replica runs on a machine of another owner",
                    "'hypermesh run --explain …' says why of every other machine");
    }
    if ((*node)->is_asked || !owners.insert((*node)->owner).second) continue;
    auto leases =
        open_leases(access.client, keys, **node, containers::purpose_of(wish.spec), interruption);
    if (leases) {
      taken.push_back({std::move(**node), std::move(*leases)});
    } else {
      owners.erase((*node)->owner);
    }
    if (const int signal = interruption.signal(); signal != 0) {
      give_back(access, keys, taken);
      return std::unexpected(interrupted_by(signal));
    }
  }
  return taken;
}

ordered_json job_request(const ContainerRun& options, const RunWish& wish,
                         const std::vector<Taken>& taken) {
  api::JsonWriter json;
  json.begin_object().member("image_name", wish.image);
  json.key("replicas").begin_array();
  for (const Taken& one : taken) {
    json.begin_object().member("node", one.node.node).member("leases", one.leases).end_object();
  }
  json.end_array().member("quorum", quorum_of(options)).member("timeout_ms", wish.duration_ms);
  api::write_spec_members(json, wish.spec);
  json.end_object();
  return {{"job", ordered_json::parse(std::move(json).take())}};
}

// One line for each replica, in the way of nothing that reads the result.
void tell_verdict(const Context& context, const ordered_json& verdict) {
  for (const ordered_json& line : list_of(verdict, "replicas")) {
    const std::string answer = text_of(line, "answer");
    const std::string what =
        answer == "failed" ? text_of(line, "why")
                           : fmt::format("exit code {}, output {}", number_of(line, "exit_code"),
                                         short_id(text_of(line, "output")));
    context.terminal.talk(
        printable(fmt::format("{:<12} {:<9} {}", text_of(line, "node_name"), answer, what)));
  }
  if (const std::uint64_t reported = number_of(verdict, "reported"); reported > 0) {
    context.terminal.talk("who gave another result is reported to the ledger and not paid");
  }
}

}  // namespace

Outcome check_replicas(const ContainerRun& options) {
  if (options.replicas && options.detach) return check_service(options);
  if (!options.replicas) {
    if (!options.quorum) return {};
    return failed(ExitCode::Usage, "--quorum is of --replicas", "there is one replica otherwise",
                  "hypermesh run --replicas 3 --quorum 2 …");
  }
  if (options.local || options.input || options.terminal || options.restart.has_value() ||
      !options.ports.empty()) {
    return failed(ExitCode::Usage, "replicas are compared by what they write and how they end",
                  "--local, -i, -t, -p and --restart do not go with --replicas",
                  "leave them out; with -d they are a service");
  }
  const std::uint32_t quorum = quorum_of(options);
  if (*options.replicas < kFewestReplicas || quorum * 2 <= *options.replicas ||
      quorum > *options.replicas) {
    return failed(ExitCode::Usage, "the quorum is more than half of the replicas, at most all",
                  "and there are 3 replicas or more: of two nobody knows which is wrong",
                  "hypermesh run --replicas 3 --quorum 2 …");
  }
  return {};
}

Outcome run_replicated(const Context& context, ContainerAccess& access, const ContainerRun& options,
                       const RunWish& wish, RunPlanner& planner, const identity::OwnerKeys& keys) {
  HM_CLI_TRY_VOID(planner.begin(false));
  auto machines = take_machines(access, options, wish, planner, keys);
  if (!machines && machines.error().exit == ExitCode::NoCapacity && wait_for_closing(access)) {
    HM_CLI_TRY_VOID(planner.begin(false));
    machines = take_machines(access, options, wish, planner, keys);
  }
  if (!machines) return std::unexpected(std::move(machines.error()));
  const std::vector<Taken> taken = std::move(*machines);
  ordered_json verdict;
  Attachment attachment;
  attachment.first = job_request(options, wish, taken);
  attachment.input = OwnInput::Untouched;
  attachment.on_word = [&](const ordered_json& word) {
    if (const ordered_json& told = member_of(word, "verdict"); !told.is_null()) verdict = told;
  };
  auto last = run_attached(context, access.door, attachment);
  if (!verdict.is_null()) tell_verdict(context, verdict);
  // What the node did not come to close.
  if (!last) {
    give_back(access, keys, taken);
    return std::unexpected(std::move(last.error()));
  }
  return outcome_of_exit(*last);
}

}  // namespace hm::cli
