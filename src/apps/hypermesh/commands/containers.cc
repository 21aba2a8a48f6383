// SPDX-License-Identifier: Apache-2.0
// What is done with runs that are there: ps, logs, exec, attach, stop, kill, rm, inspect.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "apps/hypermesh/attached_stream.h"
#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/container_words.h"
#include "apps/hypermesh/duration.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/run_view.h"
#include "apps/hypermesh/run_wish.h"
#include "apps/hypermesh/wall_clock.h"
#include "core/api/container_json.h"
#include "core/api/limits.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// A node answers a request within a minute; what takes longer is looked after.
constexpr std::uint64_t kLongestAsked = 45'000;
constexpr std::chrono::milliseconds kLook{200};
// Beyond its grace a run is killed, which the kernel may take a while for.
constexpr std::chrono::seconds kKillTime{30};

// One after the other; a failure does not keep the others from their turn.
Outcome for_each(
    const Context& context, const std::vector<std::string>& texts,
    const std::function<Answer<ordered_json>(ContainerAccess&, const std::string&)>& act) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  Outcome outcome;
  ordered_json results = ordered_json::array();
  for (const std::string& text : texts) {
    auto result = act(access, text);
    if (result) {
      if (!context.globals.json) context.terminal.data(printable(text));
      results.push_back(std::move(*result));
      continue;
    }
    if (outcome) {
      outcome = std::unexpected(std::move(result.error()));
    } else {
      context.terminal.fail(result.error());
    }
  }
  if (context.globals.json) {
    context.terminal.data(ordered_json({{"schema", 1}, {"runs", results}}).dump());
  }
  return outcome;
}

std::string path_of(const ordered_json& run) { return "/containers/" + text_of(run, "run"); }

ordered_json result_of(const ordered_json& run, const ordered_json& answer) {
  ordered_json result = {{"run", text_of(run, "run")}};
  if (const ordered_json& exit = member_of(answer, "exit"); exit.is_object()) result["exit"] = exit;
  return result;
}

// Asked to stop within its grace, however long that is.
Answer<ordered_json> stop_run(ContainerAccess& access, const ordered_json& run,
                              std::uint64_t grace_ms) {
  auto answer =
      access.client.post(path_of(run) + "/stop", {{"grace_ms", grace_ms}}, access.token());
  if (answer) return result_of(run, *answer);
  const bool may_go_on =
      answer.error().exit == ExitCode::NotReachable || answer.error().exit == ExitCode::NoCapacity;
  if (grace_ms <= kLongestAsked || !may_go_on) return std::unexpected(std::move(answer.error()));
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms) + kKillTime;
  while (std::chrono::steady_clock::now() < deadline) {
    HM_CLI_TRY(const ordered_json now, access.client.find(path_of(run), access.token()));
    if (now.is_null() || text_of(now, "phase") == "ended") return result_of(run, now);
    std::this_thread::sleep_for(kLook);
  }
  return std::unexpected(std::move(answer.error()));
}

}  // namespace

Outcome run(const ContainerList& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(
      ordered_json answer,
      access.client.get(options.hosted ? "/containers/hosted" : "/containers", access.token()));
  std::vector<ordered_json> runs;
  for (const ordered_json& run : list_of(answer, "runs")) {
    if (options.all || options.hosted || text_of(run, "phase") != "ended") runs.push_back(run);
  }
  if (context.globals.json) {
    answer["runs"] = runs;
    context.terminal.data(answer.dump());
    return {};
  }
  std::ranges::sort(runs, std::ranges::greater{}, [](const ordered_json& run) {
    return std::pair(number_of(run, "created_ms"), text_of(run, "run"));
  });
  const UnixMillis now = wall_now();
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& run : runs) {
    rows.push_back(options.hosted ? hosted_row(run) : run_row(run, now));
  }
  context.terminal.table(options.hosted ? hosted_heads() : run_heads(), rows);
  return {};
}

Outcome run(const ContainerLogs& options, const Context& context) {
  ordered_json request = {{"run", options.run}, {"follow", options.follow}};
  if (options.tail) {
    HM_CLI_TRY(const std::uint64_t tail, bytes_of("--tail", *options.tail));
    request["tail"] = std::min<std::uint64_t>(tail, api::kMaxLogTail);
  }
  HM_CLI_TRY(const ContainerAccess access, container_access(context.globals));
  Attachment attachment;
  attachment.first = {{"logs", std::move(request)}};
  HM_CLI_TRY_VOID(run_attached(context, access.door, attachment));
  return {};
}

Outcome run(const ContainerExec& options, const Context& context) {
  HM_CLI_TRY(const containers::ProcessSpec process, process_of(options, own_environment()));
  HM_CLI_TRY(const ContainerAccess access, container_access(context.globals));
  api::JsonWriter json;
  json.begin_object().member("run", options.run);
  api::write_process_members(json, process);
  json.end_object();
  Attachment attachment;
  attachment.first = {{"exec", ordered_json::parse(std::move(json).take())}};
  attachment.input = options.input ? OwnInput::Passed : OwnInput::Empty;
  attachment.terminal = options.terminal ? OwnTerminal::Raw : OwnTerminal::Lines;
  attachment.signals = OwnSignals::Passed;
  HM_CLI_TRY(const ordered_json last, run_attached(context, access.door, attachment));
  return outcome_of_exit(last);
}

Outcome run(const ContainerAttach& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json run, find_run(access, options.run));
  Attachment attachment;
  attachment.run = text_of(run, "run");
  attachment.first = {{"attach", {{"run", attachment.run}}}};
  attachment.input = OwnInput::Passed;
  const bool has_terminal = text_of(member_of(run, "spec"), "terminal") == "true";
  attachment.terminal = has_terminal ? OwnTerminal::Raw : OwnTerminal::Lines;
  attachment.signals = OwnSignals::Passed;
  HM_CLI_TRY(const ordered_json last, run_attached(context, access.door, attachment));
  return outcome_of_exit(last);
}

Outcome run(const ContainerStop& options, const Context& context) {
  std::uint64_t grace = api::kDefaultStopGraceMillis;
  if (options.grace) {
    const auto given = parse_duration(*options.grace);
    if (!given || *given > api::kMaxStopGraceMillis) {
      return failed(ExitCode::Usage, fmt::format("--grace: '{}' is no grace", *options.grace),
                    fmt::format("it is a whole number and s or m, at most {}",
                                format_duration(api::kMaxStopGraceMillis)),
                    "for example --grace 30s");
    }
    grace = *given;
  }
  return for_each(
      context, options.runs,
      [grace](ContainerAccess& access, const std::string& text) -> Answer<ordered_json> {
        HM_CLI_TRY(const ordered_json run, find_run(access, text));
        return stop_run(access, run, grace);
      });
}

Outcome run(const ContainerKill& options, const Context& context) {
  HM_CLI_TRY(const std::uint8_t number, signal_of(options.signal));
  return for_each(
      context, options.runs,
      [number](ContainerAccess& access, const std::string& text) -> Answer<ordered_json> {
        HM_CLI_TRY(const ordered_json run, find_run(access, text));
        HM_CLI_TRY(
            const ordered_json answer,
            access.client.post(path_of(run) + "/signal", {{"signal", number}}, access.token()));
        return result_of(run, answer);
      });
}

Outcome run(const ContainerInspect& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json run, find_run(access, options.run));
  if (context.globals.json) {
    context.terminal.data(run.dump());
    return {};
  }
  for (const auto& [name, value] : run_lines(run, wall_now())) {
    context.terminal.data(fmt::format("{:<9} {}", name, printable(value)));
  }
  return {};
}

}  // namespace hm::cli
