// SPDX-License-Identifier: Apache-2.0
#include "core/api/container_json.h"

#include "core/privacy/grant.h"

namespace hm::api {
namespace {

const char* word_of(containers::RestartWhen when) {
  switch (when) {
    case containers::RestartWhen::Never: return "never";
    case containers::RestartWhen::OnFailure: return "on_failure";
    case containers::RestartWhen::Always: return "always";
  }
  return "never";
}

}  // namespace

void write_process_members(JsonWriter& json, const containers::ProcessSpec& process) {
  json.member("command", process.arguments).member("environment", process.environment);
  if (!process.working_directory.empty()) {
    json.member("working_directory", process.working_directory);
  }
  if (!process.user.empty()) json.member("user", process.user);
  json.member("terminal", process.terminal == containers::Terminal::Pty);
}

void write_spec_members(JsonWriter& json, const containers::RunSpec& spec) {
  json.member("image", spec.image.to_string());
  if (!spec.name.empty()) json.member("name", spec.name);
  json.member("entrypoint",
              spec.entrypoint == containers::RunSpec::Entrypoint::Image ? "image" : "replaced");
  write_process_members(json, spec.process);
  json.member("cpu_millicores", spec.limits.cpu_millicores);
  json.member("pinned", spec.limits.cpu_mode == containers::CpuMode::Pinned);
  json.member("memory_bytes", spec.limits.memory_bytes);
  json.member("disk_bytes", spec.limits.disk_bytes).member("pids", spec.limits.pids);
  if (const auto rate = spec.limits.read_bytes_per_second) {
    json.member("read_bytes_per_second", *rate);
  }
  if (const auto rate = spec.limits.write_bytes_per_second) {
    json.member("write_bytes_per_second", *rate);
  }
  json.member("network", privacy::name_of(spec.network));
  json.member("isolation", name_of(spec.isolation));
  json.member("read_only", spec.root == containers::Access::ReadOnly);
  json.key("volumes").begin_array();
  for (const containers::Volume& volume : spec.volumes) {
    json.begin_object().member("name", volume.name).member("path", volume.path);
    json.member("bytes", volume.bytes);
    json.member("read_only", volume.access == containers::Access::ReadOnly).end_object();
  }
  json.end_array().key("scratch").begin_array();
  for (const containers::Scratch& scratch : spec.scratch) {
    json.begin_object().member("path", scratch.path).member("bytes", scratch.bytes).end_object();
  }
  json.end_array().key("restart").begin_object();
  json.member("when", word_of(spec.restart.when)).member("most", spec.restart.most).end_object();
  json.member("detached", spec.lifetime == containers::Lifetime::Detached);
}

}  // namespace hm::api
