// SPDX-License-Identifier: Apache-2.0
// `hypermesh stats`: what runs use, again and again.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/run_view.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// Nodes read the counters every two seconds.
constexpr std::chrono::seconds kBetween{2};

// The named runs, or all that have not ended, with what their nodes say of them.
Answer<std::vector<ordered_json>> look(ContainerAccess& access,
                                       const std::vector<std::string>& names) {
  std::vector<ordered_json> runs;
  for (const std::string& name : names) {
    HM_CLI_TRY(ordered_json run, find_run(access, name));
    runs.push_back(std::move(run));
  }
  if (!names.empty()) return runs;
  HM_CLI_TRY(const ordered_json listed, access.client.get("/containers", access.token()));
  for (const ordered_json& each : list_of(listed, "runs")) {
    if (text_of(each, "phase") == "ended") continue;
    HM_CLI_TRY(ordered_json run,
               access.client.find("/containers/" + text_of(each, "run"), access.token()));
    if (!run.is_null()) runs.push_back(std::move(run));
  }
  return runs;
}

void show_document(const Terminal& terminal, const std::vector<ordered_json>& runs,
                   UnixMillis now) {
  ordered_json entries = ordered_json::array();
  for (const ordered_json& run : runs) {
    entries.push_back({{"run", text_of(run, "run")},
                       {"name", text_of(run, "name")},
                       {"node", text_of(run, "node")},
                       {"report", member_of(run, "report")}});
  }
  terminal.data(
      ordered_json({{"schema", 1}, {"at_ms", now.value}, {"runs", std::move(entries)}}).dump());
}

}  // namespace

Outcome run(const ContainerStats& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  const bool redraws = !options.once && !context.globals.json && ::isatty(STDOUT_FILENO) == 1;
  UsageLooks looks;
  std::size_t drawn = 0;
  for (;;) {
    HM_CLI_TRY(const std::vector<ordered_json> runs, look(access, options.runs));
    const UnixMillis now = wall_now();
    if (context.globals.json) {
      show_document(context.terminal, runs, now);
    } else {
      std::vector<std::vector<Terminal::Cell>> rows;
      for (const ordered_json& run : runs) rows.push_back(looks.row(run, now));
      // Up to the table's first line, and away with it.
      if (redraws && drawn > 0) std::fputs(fmt::format("\x1b[{}A\x1b[J", drawn).c_str(), stdout);
      context.terminal.table(UsageLooks::heads(), rows);
      drawn = rows.size() + 1;
    }
    if (options.once) return {};
    std::this_thread::sleep_for(kBetween);
  }
}

}  // namespace hm::cli
