// SPDX-License-Identifier: Apache-2.0
// `hypermesh doctor`: what this machine can and cannot do, found by trying.
#include "platform/linux/doctor.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/context.h"
#include "apps/hypermesh/folders.h"

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

}  // namespace

Outcome run(const Doctor& options, const Context& context) {
  linux::DoctorOptions doctor;
  doctor.data_directory =
      existing_folder(options.dir.empty() ? state_home() : absolute(options.dir));
  const auto checks = linux::run_doctor(doctor);
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
