// SPDX-License-Identifier: Apache-2.0
// `hypermesh rm`: stored objects, and runs. Which is meant follows from what there is of a name;
// where both are, nothing is guessed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/object_access.h"
#include "apps/hypermesh/quantity.h"
#include "core/api/limits.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

Answer<ordered_json> look_for_run(ObjectAccess& access, const std::string& name) {
  return access.client.find("/containers/" + escape(name), access.token);
}

class Removing {
 public:
  Removing(const Context& context, const Remove& options, ObjectAccess& access)
      : context_(context), options_(options), access_(access) {}

  Outcome remove(const std::string& name);
  Outcome remove_folders();
  void tell() const;

 private:
  Outcome remove_run(const ordered_json& run, const std::string& name);
  Outcome remove_objects(std::vector<std::string> names);
  Outcome confirm(std::size_t count, std::uint64_t bytes) const;

  const Context& context_;
  const Remove& options_;
  ObjectAccess& access_;
  ordered_json runs_ = ordered_json::array();
  ordered_json objects_ = ordered_json::array();
};

Outcome Removing::remove_run(const ordered_json& run, const std::string& name) {
  HM_CLI_TRY(const ordered_json answer,
             access_.client.remove("/containers/" + text_of(run, "run"), access_.token));
  ordered_json result = {{"run", text_of(run, "run")}};
  if (const ordered_json& exit = member_of(answer, "exit"); exit.is_object()) result["exit"] = exit;
  runs_.push_back(std::move(result));
  if (!context_.globals.json) context_.terminal.data(printable(name));
  return {};
}

Outcome Removing::remove_objects(std::vector<std::string> names) {
  for (std::size_t at = 0; at < names.size(); at += api::kMaxObjectNames) {
    const auto first = names.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t count = std::min(api::kMaxObjectNames, names.size() - at);
    const std::vector<std::string> part(first, first + static_cast<std::ptrdiff_t>(count));
    HM_CLI_TRY_VOID(access_.client.post("/objects/remove", {{"names", part}}, access_.token));
    for (const std::string& name : part) {
      objects_.push_back(name);
      if (!context_.globals.json) context_.terminal.data(printable(name));
    }
  }
  return {};
}

Outcome Removing::remove(const std::string& name) {
  ordered_json run;
  ordered_json object;
  if (!options_.objects) {
    HM_CLI_TRY(run, look_for_run(access_, name));
  }
  if (!options_.runs) {
    HM_CLI_TRY(object, look_for_object(access_, name));
  }
  if (!run.is_null() && !object.is_null()) {
    return failed(ExitCode::Usage, fmt::format("'{}' is both a run and a stored object", name),
                  "only one of them is meant", "--run or --object says which");
  }
  if (!run.is_null()) return remove_run(run, name);
  if (!object.is_null()) return remove_objects({text_of(member_of(object, "object"), "name")});
  return failed(ExitCode::Failure, fmt::format("no run and no stored object is called '{}'", name),
                "neither is here",
                "'hypermesh ps --all' and 'hypermesh ls -R' list them; -r removes a folder");
}

Outcome Removing::confirm(std::size_t count, std::uint64_t bytes) const {
  if (options_.yes) return {};
  if (::isatty(STDIN_FILENO) != 1) {
    return failed(ExitCode::Usage, fmt::format("nobody said yes to removing {} objects", count),
                  "there is no terminal to ask on", "-y says yes; nothing has been removed");
  }
  context_.terminal.talk(
      fmt::format("{} objects with {} would be gone for good. Type yes to go on:", count,
                  format_quantity(bytes, "bytes")));
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return {};
  return failed(ExitCode::Failure, "nothing has been removed", "something else than yes was typed",
                "name objects one by one, or say yes");
}

Outcome Removing::remove_folders() {
  std::vector<std::string> names;
  std::uint64_t bytes = 0;
  for (const std::string& name : options_.names) {
    HM_CLI_TRY(const auto objects, objects_below(access_, folder_prefix(name)));
    for (const ordered_json& object : objects) {
      names.push_back(text_of(object, "name"));
      bytes += number_of(object, "size");
    }
    HM_CLI_TRY(const ordered_json itself, look_for_object(access_, name));
    if (!itself.is_null()) {
      names.push_back(text_of(member_of(itself, "object"), "name"));
      bytes += number_of(member_of(itself, "object"), "size");
    }
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::unique(names);
  names.erase(twice.begin(), twice.end());
  if (names.empty()) {
    return failed(ExitCode::Failure, "nothing is stored below these names", "no object begins so",
                  "'hypermesh ls -R' lists what there is");
  }
  HM_CLI_TRY_VOID(confirm(names.size(), bytes));
  return remove_objects(std::move(names));
}

void Removing::tell() const {
  if (!context_.globals.json) return;
  context_.terminal.data(
      ordered_json({{"schema", 1}, {"runs", runs_}, {"objects", objects_}}).dump());
}

}  // namespace

Outcome run(const Remove& options, const Context& context) {
  if (options.recursive && options.runs) {
    return failed(ExitCode::Usage, "runs are in no folders", "-r is for objects", "leave one out");
  }
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  Removing removing(context, options, access);
  Outcome outcome;
  if (options.recursive) {
    outcome = removing.remove_folders();
  } else {
    // A failure does not keep the others from their turn.
    for (const std::string& name : options.names) {
      auto one = removing.remove(name);
      if (one) continue;
      if (outcome) {
        outcome = std::move(one);
      } else {
        context.terminal.fail(one.error());
      }
    }
  }
  removing.tell();
  return outcome;
}

}  // namespace hm::cli
