// SPDX-License-Identifier: Apache-2.0
// What is done with services that the node keeps: ls, inspect, scale, rm.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/context.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/service_view.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds kLook{100};
// Leases are closed by a block or two; a mesh without a quorum closes none.
constexpr std::chrono::seconds kGone{60};

std::string path_of(const std::string& name) { return "/services/" + escape(name); }

std::unexpected<Failure> no_service(const std::string& name) {
  return failed(ExitCode::Failure, fmt::format("there is no service '{}'", name),
                "this node keeps none of that name", "hypermesh service ls lists them");
}

template <class Row>
void show_part(const Context& context, const ordered_json& entries,
               const std::vector<std::string>& heads, Row row) {
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& entry : entries) rows.push_back(row(entry, wall_now()));
  if (rows.empty()) return;
  context.terminal.data("");
  context.terminal.table(heads, rows);
}

Outcome list_services(const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json answer, access.client.get("/services", access.token()));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& service : list_of(answer, "services")) {
    rows.push_back(service_row(service, wall_now()));
  }
  context.terminal.table(service_heads(), rows);
  return {};
}

Outcome remove_one(ContainerAccess& access, const std::string& name) {
  HM_CLI_TRY(const ordered_json found, access.client.find(path_of(name), access.token()));
  if (found.is_null()) return no_service(name);
  HM_CLI_TRY_VOID(access.client.remove(path_of(name), access.token()));
  const auto deadline = std::chrono::steady_clock::now() + kGone;
  while (std::chrono::steady_clock::now() < deadline) {
    HM_CLI_TRY(const ordered_json left, access.client.find(path_of(name), access.token()));
    if (left.is_null()) return {};
    std::this_thread::sleep_for(kLook);
  }
  return failed(ExitCode::Failure, fmt::format("'{}' is not gone yet", name),
                "some of its leases are not closed: too few validators answer, or it is slow",
                "the node goes on with it; see 'hypermesh service inspect'");
}

}  // namespace

Outcome run(const ServiceList& /*options*/, const Context& context) {
  return list_services(context);
}

Outcome run(const ServiceInspect& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json service, access.client.find(path_of(options.name), access.token()));
  if (service.is_null()) return no_service(options.name);
  if (context.globals.json) {
    context.terminal.data(service.dump());
    return {};
  }
  for (const auto& [name, value] : service_lines(service, wall_now())) {
    context.terminal.data(fmt::format("{:<9} {}", name, printable(value)));
  }
  show_part(context, list_of(service, "members"), replica_heads(), replica_row);
  show_part(context, list_of(service, "left_out"), left_out_heads(), left_out_row);
  return {};
}

Outcome run(const ServiceScale& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(
      const ordered_json service,
      access.client.patch(path_of(options.name), {{"replicas", options.replicas}}, access.token()));
  context.terminal.data(context.globals.json ? service.dump() : printable(options.name));
  return {};
}

Outcome run(const ServiceRemove& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  Outcome outcome;
  ordered_json removed = ordered_json::array();
  for (const std::string& name : options.names) {
    auto one = remove_one(access, name);
    if (one) {
      if (!context.globals.json) context.terminal.data(printable(name));
      removed.push_back(name);
    } else if (outcome) {
      outcome = std::move(one);
    } else {
      context.terminal.fail(one.error());
    }
  }
  if (context.globals.json) {
    context.terminal.data(ordered_json({{"schema", 1}, {"removed", removed}}).dump());
  }
  return outcome;
}

}  // namespace hm::cli
