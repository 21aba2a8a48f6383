// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/host.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "platform/containers_linux/root_filesystem.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"
#include "platform/linux/runtime_trial.h"

namespace hm::container_runtime {
namespace {

// For a runtime that hangs. One that works takes milliseconds, on a machine under load seconds.
constexpr Duration kTrialPatience = std::chrono::seconds(30);
constexpr const char* kMonitorName = "hypermesh-monitor";
constexpr const char* kNetworksFolder = ".networks";

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  // The OCI runtime walks through it as an id of the container's user namespace.
  if (error || ::chmod(path.c_str(), 0711) != 0) {
    return fail(ErrorCode::Io, "cannot make the folder " + path,
                error ? error.message() : std::generic_category().message(errno));
  }
  return {};
}

std::string monitor_beside_this() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string() : (self.parent_path() / kMonitorName).string();
}

bool has_capability(const linux::KernelTree& proc, unsigned number) {
  const auto status = proc.text("self/status");
  constexpr std::string_view kKey = "CapEff:\t";
  const auto at = status ? status->find(kKey) : std::string::npos;
  if (at == std::string::npos) return false;
  std::uint64_t set = 0;
  const char* begin = status->data() + at + kKey.size();
  std::from_chars(begin, status->data() + status->size(), set, 16);
  return (set >> number & 1U) != 0;
}

std::vector<std::uint32_t> usable_processors() {
  std::vector<std::uint32_t> all;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return all;
  for (std::uint32_t processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &set)) all.push_back(processor);
  }
  return all;
}

void read_machine(Host& host) {
  const linux::KernelTree proc("/proc");
  auto& machine = host.machine;
#if defined(__aarch64__)
  machine.architecture = containers::Architecture::Aarch64;
#endif
  machine.uid_shift = host.options.uid_shift;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) machine.open_files = files.rlim_max;
  const auto score = proc.text("self/oom_score_adj");
  if (score)
    std::from_chars(score->data(), score->data() + score->size(), machine.oom_score_adjust);
  machine.has_resource_capability = has_capability(proc, CAP_SYS_RESOURCE);
  host.processors = usable_processors();
  machine.processors = static_cast<std::uint32_t>(host.processors.size());
  if (!host.cgroups) return;
  machine.cgroups = host.cgroups->layout();
  machine.has_swap_limit = host.cgroups->has_swap_limit();
  machine.has_io_limit = host.cgroups->has_io_limit();
}

// Of the hierarchies that a service manager uses to end a service's processes.
std::vector<std::string> find_monitor_groups(const std::string& group) {
  std::vector<std::string> folders;
  const auto text = linux::KernelTree("/proc").text("self/mountinfo");
  for (const linux::Mount& mount : linux::parse_mountinfo(text.value_or(""))) {
    const bool is_v2 = mount.filesystem == "cgroup2";
    const bool is_named = mount.filesystem == "cgroup" &&
                          mount.super_options.find("name=systemd") != std::string::npos;
    if (is_v2 || is_named) folders.push_back(mount.mount_point + "/" + group + "-monitors");
  }
  return folders;
}

void choose_runtime(Host& host) {
  if (::geteuid() != 0) {
    host.why_none = "the daemon is not root";
    return;
  }
  if (!host.cgroups) return;
  if (::access(host.options.monitor_path.c_str(), X_OK) != 0) {
    host.why_none = "no program " + host.options.monitor_path;
    return;
  }
  // The faster first: crun starts a container in half of the time.
  std::vector<std::string> names{"crun", "runc"};
  std::vector<std::string> folders;
  if (!host.options.runtime_path.empty()) {
    const std::filesystem::path path(host.options.runtime_path);
    names = {path.filename().string()};
    folders = {path.parent_path().string()};
  }
  for (const std::string& name : names) {
    const auto trial = linux::try_runtime(name, folders, kTrialPatience);
    if (trial.works()) {
      host.runtime_path = trial.path;
      host.hidden_mount = trial.hidden_mount;
      host.facts.runtime = trial.version;
      host.why_none.clear();
      return;
    }
    host.why_none += (host.why_none.empty() ? "" : "; ") + trial.text;
  }
}

void state_facts(Host& host) {
  auto& missing = host.facts.missing;
  if (host.cgroups) {
    host.facts.cgroups = containers::name_of(host.cgroups->layout());
    missing = host.cgroups->missing();
  }
  for (const std::string& sentence : host.networks->missing()) missing.push_back(sentence);
  using privacy::NetworkClass;
  host.facts.has_network =
      host.networks->offers(NetworkClass::Mesh) || host.networks->offers(NetworkClass::Internet);
  if (const auto disk = containers_linux::can_limit_disk(); !disk) {
    missing.push_back("writable layers on disk and volumes: " + disk.error().message);
  }
  // First, because nothing else matters then.
  if (!host.why_none.empty()) missing.insert(missing.begin(), "containers: " + host.why_none);
}

}  // namespace

Result<std::shared_ptr<Host>> look_at_folders(RuntimeOptions options) {
  auto host = std::make_shared<Host>();
  if (options.monitor_path.empty()) options.monitor_path = monitor_beside_this();
  host->options = std::move(options);
  host->state = StateFolder(host->options.state_folder);
  HM_TRY_VOID(make_folder(host->options.state_folder));
  auto cgroups = containers_linux::Cgroups::probe(host->options.group);
  if (cgroups) {
    host->cgroups = std::move(*cgroups);
  } else {
    host->why_none = cgroups.error().message;
    if (!cgroups.error().detail.empty()) host->why_none += ": " + cgroups.error().detail;
  }
  host->networks = containers_linux::ContainerNetworks::open(
      {.folder = host->options.state_folder + "/" + kNetworksFolder,
       .tag = host->options.network_tag,
       .containers = host->options.container_prefix,
       .mesh = host->options.mesh_prefix});
  return host;
}

Result<std::shared_ptr<Host>> look_at_host(RuntimeOptions options) {
  HM_TRY(auto host, look_at_folders(std::move(options)));
  read_machine(*host);
  host->monitor_groups = find_monitor_groups(host->options.group);
  choose_runtime(*host);
  state_facts(*host);
  return host;
}

Result<void> remove_everything(const Host& host, const std::string& id) {
  if (host.cgroups) HM_TRY_VOID(host.cgroups->kill(id));
  HM_TRY_VOID(host.networks->remove(id));
  if (host.cgroups) HM_TRY_VOID(host.cgroups->remove(id));
  const std::string folder = host.state.of(id);
  // The order goes first: what is left of a folder without one is removed at the next opening.
  ::unlink((folder + "/order").c_str());
  return containers_linux::remove_root(folder);
}

void leave_nothing(const Host& host) {
  if (host.cgroups) host.cgroups->remove_parent();
  host.networks->close();
  // Fails as long as a monitor of another daemon or of an exec is in it.
  for (const std::string& group : host.monitor_groups) ::rmdir(group.c_str());
}

}  // namespace hm::container_runtime
