// SPDX-License-Identifier: Apache-2.0
// `hypermesh doctor`: what this machine can and cannot do, found by trying.
#include "platform/linux/doctor.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/context.h"
#include "apps/hypermesh/folders.h"
#include "apps/hypermesh/leftover_care.h"

namespace hm::cli {
namespace {

Style style_of(linux::DoctorVerdict verdict) {
  switch (verdict) {
    case linux::DoctorVerdict::Ok: return Style::Good;
    case linux::DoctorVerdict::Limited:
    case linux::DoctorVerdict::Unknown: return Style::Warn;
    case linux::DoctorVerdict::No: return Style::Bad;
  }
  return Style::Plain;
}

// The nearest folder that exists: what is on its disk will be on the disk of `path`.
std::string existing_folder(std::string path) {
  std::error_code error;
  while (path.size() > 1 && !std::filesystem::is_directory(path, error)) {
    path = std::filesystem::path(path).parent_path().string();
  }
  return path;
}

Care care_of(const Doctor& options) {
  if (!options.fix) return Care::Look;
  return options.stop ? Care::FixAndStop : Care::Fix;
}

// What was left behind, and what became of it, as one more check of each node.
linux::DoctorCheck check_leftovers(const NodeFolder& folder, Care care) {
  linux::DoctorCheck check{.name = "containers.leftovers",
                           .title = "Left by containers",
                           .verdict = linux::DoctorVerdict::Ok,
                           .found = "nothing in " + folder.path};
  const auto left = care_for(folder, care);
  if (!left) {
    check.verdict = linux::DoctorVerdict::Unknown;
    check.found = left.error().message;
    check.remedy = left.error().detail;
    return check;
  }
  if (left->is_running) {
    check.found = "the node in " + folder.path + " runs and looks after itself";
    return check;
  }
  std::string words;
  for (const std::string& found : left->found) words += (words.empty() ? "" : ", ") + found;
  if (!words.empty()) {
    check.found = folder.path + ": " + words;
    if (care == Care::Look) {
      check.verdict = linux::DoctorVerdict::Limited;
      check.costs = "they hold memory, mounts and names";
      check.remedy = "hypermesh doctor --fix, or start the node";
    } else {
      check.found += ": taken away";
    }
  }
  if (!left->running.empty()) {
    words.clear();
    for (const std::string& running : left->running) words += " " + running;
    check.found += (care == Care::FixAndStop ? "; ended:" : "; kept:") + words;
    if (care != Care::FixAndStop) {
      check.remedy += std::string(check.remedy.empty() ? "" : "; ") +
                      "their node takes them over when it starts; 'hypermesh doctor --fix --stop' "
                      "ends them";
    }
  }
  return check;
}

}  // namespace

Outcome run(const Doctor& options, const Context& context) {
  linux::DoctorOptions doctor;
  doctor.data_directory =
      existing_folder(options.dir.empty() ? state_home() : absolute(options.dir));
  auto checks = linux::run_doctor(doctor);
  for (const NodeFolder& folder : node_folders(options.dir)) {
    checks.push_back(check_leftovers(folder, care_of(options)));
  }
  if (context.globals.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const linux::DoctorCheck& check : checks) {
      list.push_back({{"name", check.name},
                      {"title", check.title},
                      {"verdict", linux::name_of(check.verdict)},
                      {"found", check.found},
                      {"costs", check.costs},
                      {"remedy", check.remedy}});
    }
    const nlohmann::ordered_json document = {{"schema", 1}, {"checks", std::move(list)}};
    context.terminal.data(
        document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return {};
  }
  for (const linux::DoctorCheck& check : checks) {
    const std::string verdict = fmt::format("{:<8}", linux::name_of(check.verdict));
    context.terminal.data(fmt::format("{} {:<28} {}",
                                      context.terminal.styled(style_of(check.verdict), verdict),
                                      check.title, printable(check.found)));
    if (!check.costs.empty()) context.terminal.data("           costs: " + printable(check.costs));
    if (!check.remedy.empty())
      context.terminal.data("           to do: " + printable(check.remedy));
  }
  return {};
}

}  // namespace hm::cli
