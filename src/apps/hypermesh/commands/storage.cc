// SPDX-License-Identifier: Apache-2.0
// `hypermesh storage`: what is stored elsewhere, what is kept here for others, and the care for it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/object_access.h"
#include "apps/hypermesh/object_view.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

template <class Row>
void show_part(const Context& context, const ordered_json& entries,
               const std::vector<std::string>& heads, Row row) {
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& entry : entries) rows.push_back(row(entry, wall_now()));
  if (rows.empty()) return;
  context.terminal.data("");
  context.terminal.table(heads, rows);
}

}  // namespace

Outcome run(const StorageStatus& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const ordered_json status,
             access.client.get(options.held ? "/storage?held=true" : "/storage", access.token));
  if (context.globals.json) {
    context.terminal.data(status.dump());
    return {};
  }
  for (const auto& [name, value] : storage_lines(status)) {
    context.terminal.data(printable(fmt::format("{:<10} {}", name, value)));
  }
  const ordered_json& own = member_of(status, "own");
  show_part(context, list_of(own, "leases"), storage_lease_heads(), storage_lease_row);
  show_part(context, list_of(own, "faults"), fault_heads(), fault_row);
  return {};
}

Outcome run(const StorageCollect& /*options*/, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const ordered_json answer,
             access.client.post("/storage/collect", ordered_json::object(), access.token));
  context.terminal.data(
      context.globals.json ? answer.dump() : "looking; 'hypermesh storage' shows what is dropped");
  return {};
}

Outcome run(const StorageUploads& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const ordered_json all, access.client.get("/objects/uploads", access.token));
  const ordered_json& uploads = list_of(all, "uploads");
  if (!options.end.empty()) {
    std::vector<std::string> ids;
    for (const ordered_json& upload : uploads) {
      if (text_of(upload, "id").starts_with(options.end)) ids.push_back(text_of(upload, "id"));
    }
    if (ids.size() != 1) {
      return failed(
          ExitCode::Failure,
          fmt::format("{} {}", ids.empty() ? "no upload begins with" : "several begin with",
                      options.end),
          "an id or a unique prefix is meant", "'hypermesh storage uploads' lists them");
    }
    HM_CLI_TRY(const ordered_json answer,
               access.client.remove("/objects/uploads/" + ids.front(), access.token));
    context.terminal.data(context.globals.json ? answer.dump()
                                               : "it is given up; what is there of it is dropped");
    return {};
  }
  if (context.globals.json) {
    context.terminal.data(all.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return {};
  }
  if (uploads.empty()) context.terminal.data("nothing is stored in part");
  show_part(context, uploads, upload_heads(), upload_row);
  return {};
}

Outcome run(const StorageDrain& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const ordered_json answer,
             access.client.post("/storage/drain", {{"node", options.node}}, access.token));
  context.terminal.data(
      context.globals.json
          ? answer.dump()
          : "everything is being moved away; 'hypermesh storage' shows how much waits");
  return {};
}

}  // namespace hm::cli
