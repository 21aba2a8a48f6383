// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/preparation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/containers/image_config.h"
#include "core/containers/run_spec.h"
#include "foundation/base/log.h"
#include "platform/container_runtime/monitor_protocol.h"
#include "platform/container_runtime/volumes.h"
#include "platform/containers_linux/mount_points.h"
#include "platform/containers_linux/root_filesystem.h"
#include "platform/containers_linux/user_lookup.h"

namespace hm::container_runtime {
namespace {

using containers::RunSpec;

constexpr const char* kRuntimeState = "runtime";

Result<containers::ImageConfig> image_of(const Record& record) {
  auto image = containers::parse_image_config(record.image_config);
  if (image) return std::move(*image);
  return fail(ErrorCode::Corrupt,
              "the image of container " + record.order.id + " has no usable configuration",
              std::string(containers::name_of(image.error())));
}

std::unexpected<Error> config_error(containers::ConfigError error) {
  return fail(ErrorCode::InvalidArgument, "the container cannot be configured",
              std::string(containers::name_of(error)));
}

Result<void> write_file(const std::string& path, std::string_view text) {
  const Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return {};
  }
  return fail(ErrorCode::Io, "cannot write " + path, std::generic_category().message(errno));
}

// A namespace lasts as long as the machine runs; after a reboot it is made anew.
Result<void> prepare_network(const Host& host, Record& record, StartKind kind) {
  if (kind == StartKind::Again && ::access(record.network.c_str(), F_OK) == 0) return {};
  HM_TRY(const auto made, host.networks->create(record.order.id, record.order.spec.network));
  record.network = made.path;
  record.address = made.address;
  return {};
}

struct Files {
  std::string root;
  std::vector<containers::BindMount> volumes;
};

// What is mounted stays.
Result<Files> mount_files(const Host& host, const Record& record) {
  const RunSpec& spec = record.order.spec;
  const std::string folder = host.state.of(record.order.id);
  Files files;
  HM_TRY(files.root, containers_linux::mount_root({.folder = folder + "/files",
                                                   .layers = record.layers,
                                                   .disk_bytes = spec.limits.disk_bytes,
                                                   .memory_bytes = spec.limits.memory_bytes,
                                                   .uid_shift = host.options.uid_shift}));
  for (std::size_t i = 0; i < spec.volumes.size(); ++i) {
    const containers::Volume& volume = spec.volumes[i];
    const std::string file =
        volume_file(host.options.volume_folder, record.order.tenant, volume.name);
    const std::lock_guard lock(host.volumes);
    HM_TRY_VOID(take_volume(file));
    HM_TRY(std::string source,
           containers_linux::mount_volume({.file = file,
                                           .folder = folder + "/volumes/" + std::to_string(i),
                                           .bytes = volume.bytes,
                                           .uid_shift = host.options.uid_shift}));
    files.volumes.push_back(
        {.source = std::move(source), .path = volume.path, .access = volume.access});
  }
  return files;
}

Result<void> check_files(const Files& files, const RunSpec& spec) {
  std::vector<containers_linux::MountPoint> points;
  for (const auto& volume : files.volumes) {
    points.push_back({.path = volume.path, .source = volume.source});
  }
  for (const auto& scratch : spec.scratch) points.push_back({.path = scratch.path, .source = {}});
  return containers_linux::check_mount_points(files.root, std::move(points));
}

std::string_view user_of(const RunSpec& spec, const containers::ImageConfig& image) {
  return spec.process.user.empty() ? image.user : spec.process.user;
}

// Under its layers, its writable layer and its volumes: mostly one.
std::vector<containers::DeviceNumber> disks_of(const Host& host, const Record& record) {
  std::vector<std::string> paths = record.layers;
  paths.push_back(host.state.of(record.order.id));
  if (!record.order.spec.volumes.empty()) paths.push_back(host.options.volume_folder);
  return containers_linux::disks_under(paths);
}

Result<std::string> configuration(const Host& host, const Record& record,
                                  const containers::ImageConfig& image,
                                  containers::ContainerPlace place) {
  place.disks = disks_of(host, record);
  const auto config =
      containers::make_runtime_config(record.order.spec, image, host.machine, place);
  if (!config) return config_error(config.error());
  for (const std::string& sentence : config->clamped) {
    log::debug("containers", sentence, {{"container", record.order.id}});
  }
  return config->json;
}

// The command line of the monitor, up to that of the OCI runtime.
std::vector<std::string> monitor_command(const Host& host, const Record& record,
                                         std::string_view mode, containers::Terminal terminal,
                                         const std::string& folder) {
  const bool is_pty = terminal == containers::Terminal::Pty;
  std::vector<std::string> all{host.options.monitor_path, std::string(mode),
                               is_pty ? "pty" : "pipes", folder, record.network};
  for (const std::string& group : host.monitor_groups) {
    all.emplace_back("--group");
    all.push_back(group);
  }
  if (!record.hidden_mount.empty()) {
    all.emplace_back("--hide");
    all.push_back(record.hidden_mount);
  }
  all.emplace_back("--");
  return all;
}

void add(std::vector<std::string>& all, std::initializer_list<std::string> more) {
  all.insert(all.end(), more);
}

void add_console(std::vector<std::string>& all, containers::Terminal terminal) {
  if (terminal != containers::Terminal::Pty) return;
  add(all, {"--console-socket", kConsolePlace});
}

}  // namespace

Result<MonitorProcess> start_container(const Host& host, Record& record, StartKind kind,
                                       FirstClient first_client) {
  const std::string& id = record.order.id;
  const RunSpec& spec = record.order.spec;
  HM_TRY(const auto image, image_of(record));
  if (kind == StartKind::First) HM_TRY_VOID(host.state.make(id));
  host.state.clear_start(id);
  HM_TRY_VOID(prepare_network(host, record, kind));
  const std::string folder = host.state.of(id);
  // No network: the monitor starts the OCI runtime inside of it.
  containers::ContainerPlace place{
      .cgroup = host.cgroups->path_of(id), .host_name = id, .processors = record.processors};
  HM_TRY(Files files, mount_files(host, record));
  HM_TRY_VOID(check_files(files, spec));
  place.root = std::move(files.root);
  place.volumes = std::move(files.volumes);
  HM_TRY(place.user, containers_linux::resolve_user(place.root, user_of(spec, image)));
  HM_TRY(const std::string config, configuration(host, record, image, std::move(place)));
  HM_TRY_VOID(write_file(folder + "/bundle/config.json", config));
  record.runtime = host.runtime_path;
  record.hidden_mount = host.hidden_mount;
  const bool is_durable = spec.lifetime == containers::Lifetime::Detached;
  HM_TRY_VOID(host.state.write_order(record, is_durable ? Durable::Yes : Durable::No));
  auto command = monitor_command(host, record, "run", spec.process.terminal, folder);
  add(command,
      {record.runtime, "--root", folder + "/" + kRuntimeState, "--log", folder + "/runtime.log",
       "run", "--detach", "--bundle", folder + "/bundle", "--pid-file", folder + "/" + kPidFile});
  add_console(command, spec.process.terminal);
  add(command, {id});
  return start_monitor(command, first_client);
}

Result<MonitorProcess> start_exec(const Host& host, const Record& record,
                                  const containers::ProcessSpec& process,
                                  const std::string& folder) {
  const std::string& id = record.order.id;
  const RunSpec& spec = record.order.spec;
  HM_TRY(const auto image, image_of(record));
  const std::string_view user = process.user.empty() ? user_of(spec, image) : process.user;
  HM_TRY(const auto ids, containers_linux::resolve_user(host.state.of(id) + "/files/root", user));
  const auto config = containers::make_process_config(process, spec, image, host.machine, ids);
  if (!config) return config_error(config.error());
  if (::mkdir(folder.c_str(), 0700) != 0) {
    return fail(ErrorCode::Io, "cannot make " + folder, std::generic_category().message(errno));
  }
  HM_TRY_VOID(write_file(folder + "/process.json", config->json));
  auto command = monitor_command(host, record, "exec", process.terminal, folder);
  add(command, {record.runtime, "--root", host.state.of(id) + "/" + kRuntimeState, "--log",
                folder + "/runtime.log", "exec", "--detach", "--process", folder + "/process.json",
                "--pid-file", folder + "/" + kPidFile});
  add_console(command, process.terminal);
  add(command, {id});
  return start_monitor(command, FirstClient::Attached);
}

Result<OuterPlace> find_outside(const Host& host, const Record& record, std::string_view path) {
  HM_TRY(Files files, mount_files(host, record));
  OuterPlace place{
      .root = std::move(files.root), .path = std::string(path), .access = record.order.spec.root};
  std::size_t longest = 0;
  for (const containers::BindMount& volume : files.volumes) {
    const std::size_t size = volume.path.size();
    const bool is_in = path.starts_with(volume.path) && (path.size() == size || path[size] == '/');
    if (!is_in || size <= longest) continue;
    longest = size;
    place = {.root = volume.source,
             .path = path.size() == size ? "/" : std::string(path.substr(size)),
             .access = volume.access};
  }
  return place;
}

}  // namespace hm::container_runtime
