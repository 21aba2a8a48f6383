// SPDX-License-Identifier: Apache-2.0
#include "core/api/container_members.h"

#include <optional>

#include "core/containers/limits.h"
#include "core/privacy/grant.h"

namespace hm::api {
namespace {

constexpr std::size_t kMaxLeases = 8;

Decoded<std::vector<std::string>> take_texts(Members& members, const char* name, std::size_t count,
                                             std::size_t bytes) {
  std::vector<std::string> texts;
  const auto list = members.take(name);
  if (!list) return texts;
  if (!list->is_array()) return bad(members.path_of(name), "is not a list");
  if (list->size() > count) return bad(members.path_of(name), "is too long");
  for (const Json& entry : *list) {
    if (!entry.is_string()) return bad(members.path_of(name), "has an entry that is not a text");
    texts.push_back(entry.get<std::string>());
    if (texts.back().size() > bytes) {
      return bad(members.path_of(name), "has an entry that is too long");
    }
  }
  return texts;
}

Result<void, BadRequest> take_limits(Members& members, containers::Limits& limits) {
  HM_TRY_VOID(take_number(members, "cpu_millicores", limits.cpu_millicores));
  HM_TRY(const bool pinned, members.flag("pinned"));
  limits.cpu_mode = pinned ? containers::CpuMode::Pinned : containers::CpuMode::Shared;
  HM_TRY_VOID(take_number(members, "memory_bytes", limits.memory_bytes));
  HM_TRY_VOID(take_number(members, "disk_bytes", limits.disk_bytes));
  HM_TRY_VOID(take_number(members, "pids", limits.pids));
  HM_TRY(limits.read_bytes_per_second, members.number("read_bytes_per_second"));
  HM_TRY(limits.write_bytes_per_second, members.number("write_bytes_per_second"));
  return {};
}

Decoded<containers::Access> take_access(Members& members) {
  HM_TRY(const bool read_only, members.flag("read_only"));
  return read_only ? containers::Access::ReadOnly : containers::Access::ReadWrite;
}

Decoded<containers::Volume> take_volume(Members& members) {
  containers::Volume volume;
  HM_TRY(volume.name, needed_text(members, "name"));
  HM_TRY(volume.path, needed_text(members, "path", containers::kMaxPathBytes));
  HM_TRY_VOID(take_number(members, "bytes", volume.bytes));
  HM_TRY(volume.access, take_access(members));
  return volume;
}

Decoded<containers::Scratch> take_scratch(Members& members) {
  containers::Scratch scratch;
  HM_TRY(scratch.path, needed_text(members, "path", containers::kMaxPathBytes));
  HM_TRY_VOID(take_number(members, "bytes", scratch.bytes));
  return scratch;
}

Result<void, BadRequest> take_restart(Members& members, containers::RestartPolicy& policy) {
  auto json = members.take("restart");
  if (!json) return {};
  HM_TRY(Members inner, Members::of(std::move(*json), members.path_of("restart")));
  HM_TRY(const auto when, needed_text(inner, "when"));
  if (when == "never") {
    policy.when = containers::RestartWhen::Never;
  } else if (when == "on_failure") {
    policy.when = containers::RestartWhen::OnFailure;
  } else if (when == "always") {
    policy.when = containers::RestartWhen::Always;
  } else {
    return bad(inner.path_of("when"), "is none of 'never', 'on_failure' and 'always'");
  }
  HM_TRY_VOID(take_number(inner, "most", policy.most));
  return inner.finish();
}

Result<void, BadRequest> take_words(Members& members, containers::RunSpec& spec) {
  HM_TRY(const auto entrypoint, members.text("entrypoint"));
  if (entrypoint == "replaced") {
    spec.entrypoint = containers::RunSpec::Entrypoint::Replaced;
  } else if (entrypoint && entrypoint != "image") {
    return bad(members.path_of("entrypoint"), "is neither 'image' nor 'replaced'");
  }
  HM_TRY(const auto network, members.text("network"));
  if (network) {
    const auto parsed = privacy::parse_network(*network);
    if (!parsed) return bad(members.path_of("network"), "is none of 'none', 'mesh', 'internet'");
    spec.network = *parsed;
  }
  HM_TRY(const auto isolation, members.text("isolation"));
  if (isolation == name_of(containers::Isolation::ContainerPlus)) {
    spec.isolation = containers::Isolation::ContainerPlus;
  } else if (isolation && isolation != name_of(containers::Isolation::Container)) {
    return bad(members.path_of("isolation"), "is neither 'container' nor 'container+'");
  }
  return {};
}

}  // namespace

Decoded<std::string> needed_text(Members& members, const char* name, std::size_t most) {
  HM_TRY(auto text, members.text(name, most));
  if (!text || text->empty()) return bad(members.path_of(name), "is missing");
  return std::move(*text);
}

Result<void, BadRequest> take_process(Members& members, containers::ProcessSpec& process) {
  HM_TRY(process.arguments,
         take_texts(members, "command", containers::kMaxArguments, containers::kMaxTextBytes));
  HM_TRY(process.environment,
         take_texts(members, "environment", containers::kMaxVariables, containers::kMaxTextBytes));
  HM_TRY(auto directory, members.text("working_directory", containers::kMaxPathBytes));
  process.working_directory = std::move(directory).value_or("");
  HM_TRY(auto user, members.text("user"));
  process.user = std::move(user).value_or("");
  HM_TRY(const bool terminal, members.flag("terminal"));
  process.terminal = terminal ? containers::Terminal::Pty : containers::Terminal::None;
  return {};
}

Result<void, BadRequest> take_spec(Members& members, containers::RunSpec& spec) {
  HM_TRY(const auto image, members.digest("image"));
  if (!image) return bad(members.path_of("image"), "is missing");
  spec.image = *image;
  HM_TRY(auto name, members.text("name"));
  spec.name = std::move(name).value_or("");
  HM_TRY_VOID(take_process(members, spec.process));
  HM_TRY_VOID(take_limits(members, spec.limits));
  HM_TRY_VOID(take_words(members, spec));
  HM_TRY(spec.root, take_access(members));
  HM_TRY_VOID(take_each(members, "volumes", containers::kMaxVolumes, &take_volume, spec.volumes));
  HM_TRY_VOID(take_each(members, "scratch", containers::kMaxScratch, &take_scratch, spec.scratch));
  HM_TRY_VOID(take_restart(members, spec.restart));
  HM_TRY(const bool detached, members.flag("detached"));
  spec.lifetime = detached ? containers::Lifetime::Detached : containers::Lifetime::Attached;
  if (const auto valid = containers::validate(spec); !valid) {
    return bad("", "asks for what no container is given: " + std::string(name_of(valid.error())));
  }
  return {};
}

Decoded<std::vector<ledger::LeaseId>> take_leases(Members& members) {
  std::vector<ledger::LeaseId> leases;
  HM_TRY(const auto texts, take_texts(members, "leases", kMaxLeases, kMaxText));
  for (const std::string& text : texts) {
    const auto lease = ledger::LeaseId::parse(text);
    if (!lease) return bad(members.path_of("leases"), "has an entry that is no lease's id");
    leases.push_back(*lease);
  }
  return leases;
}

}  // namespace hm::api
