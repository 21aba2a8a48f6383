// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/run_wish.h"

#include <fmt/format.h>

#include <utility>

#include "apps/hypermesh/duration.h"
#include "core/scheduling/limits.h"
#include "node/hosting/run_plan.h"

namespace hm::cli {
namespace {

// Half of a processor: what a machine of two has to lend with the usual share of a quarter.
constexpr std::uint32_t kDefaultMillicores = 500;

// What cannot be meant together.
Outcome check_together(const ContainerRun& options) {
  if (options.detach && !options.ports.empty()) {
    return failed(ExitCode::Usage, "--publish and --detach do not go together",
                  "this command carries the connections, so they last as long as it does",
                  "leave --publish out; then: hypermesh forward RUN 8080:80");
  }
  const bool is_checked =
      options.health || options.health_interval || options.health_timeout || options.health_retries;
  if (is_checked && !(options.detach && options.replicas)) {
    return failed(ExitCode::Usage, "--health is of services",
                  "only what this node keeps running is looked at and replaced",
                  "hypermesh run -d --replicas 1 --name web --health …");
  }
  if (options.detach && (options.plan || options.explain)) {
    return failed(ExitCode::Usage, "--plan and --explain start nothing",
                  "there is nothing that --detach could leave running", "leave one of them out");
  }
  if (options.local && (options.plan || options.explain || options.highest_price)) {
    return failed(ExitCode::Usage, "with --local there is nothing to plan",
                  "the node that is asked runs it, without a lease", "leave one of them out");
  }
  return {};
}

Outcome take_limits(const ContainerRun& options, containers::RunSpec& spec) {
  containers::Limits& limits = spec.limits;
  if (options.cpu) {
    HM_CLI_TRY(limits.cpu_millicores, millicores_of("--cpu", *options.cpu));
  } else if (!options.pins) {
    limits.cpu_millicores = kDefaultMillicores;
  }
  limits.cpu_mode = options.pins ? containers::CpuMode::Pinned : containers::CpuMode::Shared;
  if (options.memory) {
    HM_CLI_TRY(limits.memory_bytes, bytes_of("--memory", *options.memory));
  }
  if (options.disk) {
    HM_CLI_TRY(limits.disk_bytes, bytes_of("--disk", *options.disk));
  }
  limits.pids = options.pids.value_or(limits.pids);
  if (options.restart) {
    HM_CLI_TRY(spec.restart, restart_of(*options.restart));
  }
  return {};
}

Outcome take_mounts(const ContainerRun& options, containers::RunSpec& spec) {
  for (const std::string& text : options.volumes) {
    HM_CLI_TRY(containers::Volume volume, volume_of(text));
    spec.volumes.push_back(std::move(volume));
  }
  for (const std::string& text : options.scratch) {
    HM_CLI_TRY(containers::Scratch scratch, scratch_of(text, spec.limits.memory_bytes));
    spec.scratch.push_back(std::move(scratch));
  }
  return {};
}

Outcome take_environment(const std::vector<std::string>& texts, const LookUp& look_up,
                         containers::ProcessSpec& process) {
  for (const std::string& text : texts) {
    HM_CLI_TRY(std::string variable, variable_of(text, look_up));
    process.environment.push_back(std::move(variable));
  }
  return {};
}

Outcome take_place(const ContainerRun& options, RunWish& wish) {
  wish.filter = options.filter.value_or("");
  if (const auto place = hosting::parse_place(wish.filter); !place) {
    return failed(ExitCode::Usage, "--on: " + place.error().message, place.error().detail,
                  "for example --on node=node2 or --on trust>=600,owner!=mallory; --cpu, --for and "
                  "--net say the rest");
  }
  wish.duration_ms = scheduling::kDefaultDurationMs;
  if (options.duration) {
    HM_CLI_TRY(wish.duration_ms, duration_of("--for", *options.duration));
  }
  if (!options.highest_price) return {};
  wish.highest_price = caesar::parse_amount(*options.highest_price);
  if (wish.highest_price) return {};
  return failed(
      ExitCode::Usage, fmt::format("--highest-price: '{}' is no price", *options.highest_price),
      "it is CAES during one hour, for all that the run needs", "for example --highest-price 0.5");
}

}  // namespace

Answer<RunWish> run_wish_of(const ContainerRun& options, const LookUp& look_up) {
  HM_CLI_TRY_VOID(check_together(options));
  RunWish wish{.image = options.image};
  containers::RunSpec& spec = wish.spec;
  HM_CLI_TRY_VOID(take_limits(options, spec));
  HM_CLI_TRY_VOID(take_mounts(options, spec));
  HM_CLI_TRY_VOID(take_place(options, wish));
  for (const std::string& text : options.ports) {
    HM_CLI_TRY(PortWord port, port_of(text));
    wish.ports.push_back(std::move(port));
  }
  spec.name = options.name;
  containers::ProcessSpec& process = spec.process;
  process.arguments = options.command;
  if (options.entrypoint) {
    spec.entrypoint = containers::RunSpec::Entrypoint::Replaced;
    if (!options.entrypoint->empty()) {
      process.arguments.insert(process.arguments.begin(), *options.entrypoint);
    }
  }
  HM_CLI_TRY_VOID(take_environment(options.environment, look_up, process));
  process.working_directory = options.directory;
  process.user = options.user;
  process.terminal = options.terminal ? containers::Terminal::Pty : containers::Terminal::None;
  if (options.net) {
    spec.network = privacy::parse_network(*options.net).value_or(privacy::NetworkClass::None);
  }
  if (options.isolation == containers::name_of(containers::Isolation::ContainerPlus)) {
    spec.isolation = containers::Isolation::ContainerPlus;
  }
  if (options.read_only || spec.isolation == containers::Isolation::ContainerPlus) {
    spec.root = containers::Access::ReadOnly;
  }
  spec.lifetime = options.detach ? containers::Lifetime::Detached : containers::Lifetime::Attached;
  if (const auto valid = containers::validate(spec); !valid) {
    return std::unexpected(refusal_of(valid.error()));
  }
  return wish;
}

Answer<containers::ProcessSpec> process_of(const ContainerExec& options, const LookUp& look_up) {
  if (options.command.empty()) {
    return failed(ExitCode::Usage, "no command was named", "exec starts one more process in a run",
                  fmt::format("for example: hypermesh exec -it {} sh", options.run));
  }
  containers::ProcessSpec process{
      .arguments = options.command,
      .environment = {},
      .working_directory = options.directory,
      .user = options.user,
      .terminal = options.terminal ? containers::Terminal::Pty : containers::Terminal::None};
  HM_CLI_TRY_VOID(take_environment(options.environment, look_up, process));
  if (const auto valid = containers::validate(process); !valid) {
    return std::unexpected(refusal_of(valid.error()));
  }
  return process;
}

}  // namespace hm::cli
