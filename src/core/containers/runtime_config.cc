// SPDX-License-Identifier: Apache-2.0
#include "core/containers/runtime_config.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "core/containers/image_config.h"
#include "core/containers/seccomp.h"
#include "foundation/base/utf8.h"

namespace hm::containers {
namespace {

using nlohmann::json;

constexpr std::string_view kSpecVersion = "1.0.2";
constexpr std::string_view kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What files, users and ports of one's own need. Not among them: raw sockets, mounts, tracing,
// device nodes, clocks.
constexpr std::string_view kKeptCapabilities[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",  "CAP_FSETID",           "CAP_KILL",
    "CAP_SETGID", "CAP_SETUID",       "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"};

// Enough for servers; the container's memory bounds what they cost.
constexpr std::uint64_t kOpenFiles = 65'536;
// Above an ordinary program's 0: when the whole machine runs out of memory, tenants go first.
constexpr std::int32_t kOomScore = 500;
constexpr std::uint64_t kMinShares = 2;  // the kernel's bounds of cpu.shares
constexpr std::uint64_t kMaxShares = 262'144;
constexpr std::uint64_t kMinQuotaUs = 1'000;
constexpr std::uint64_t kDevBytes = 65'536;  // links and mount points only

constexpr std::string_view kMasked[] = {
    "/proc/acpi",        "/proc/asound",      "/proc/interrupts",    "/proc/kcore",
    "/proc/keys",        "/proc/key-users",   "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",          "/proc/kallsyms",
    "/proc/kmsg",        "/proc/config.gz",   "/sys/firmware"};
constexpr std::string_view kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                          "/proc/sysrq-trigger"};

struct Device {
  int major;
  std::optional<int> minor;
};
// null, zero, full, random, urandom; tty, ptmx; the slaves of the container's own pts.
constexpr Device kDevices[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}, {136, {}}};

bool is_text(std::string_view text) {
  return is_utf8(text) && text.find('\0') == std::string_view::npos;
}

bool are_text(const std::vector<std::string>& texts) { return std::ranges::all_of(texts, is_text); }

std::string decimal(std::uint64_t number) { return std::to_string(number); }

// --- process ---

std::vector<std::string> arguments_of(const RunSpec& spec, const ImageConfig& image) {
  if (spec.entrypoint == RunSpec::Entrypoint::Replaced) return spec.process.arguments;
  std::vector<std::string> all = image.entrypoint;
  const auto& rest = spec.process.arguments.empty() ? image.command : spec.process.arguments;
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

// Later lists win; the order is that in which names first came.
std::vector<std::string> environment_of(
    std::initializer_list<const std::vector<std::string>*> lists) {
  std::vector<std::string> all;
  std::map<std::string, std::size_t, std::less<>> places;
  for (const auto* list : lists) {
    for (const std::string& variable : *list) {
      const std::string name = variable.substr(0, variable.find('='));
      const auto [place, is_new] = places.emplace(name, all.size());
      if (is_new) {
        all.push_back(variable);
      } else {
        all[place->second] = variable;
      }
    }
  }
  return all;
}

json capabilities_of(Isolation isolation) {
  json kept = json::array();
  if (isolation == Isolation::Container) {
    for (const std::string_view name : kKeptCapabilities) kept.push_back(name);
  }
  return {{"bounding", kept},
          {"effective", kept},
          {"permitted", kept},
          {"inheritable", json::array()},
          {"ambient", json::array()}};
}

json limits_of(const MachineFacts& facts, std::vector<std::string>& clamped) {
  std::uint64_t files = kOpenFiles;
  if (facts.open_files < files && !facts.has_resource_capability) {
    files = facts.open_files;
    clamped.push_back("open files: " + decimal(files) + " for each process, not " +
                      decimal(kOpenFiles) + ", which is above this daemon's own limit");
  }
  const auto limit = [](std::string_view type, std::uint64_t value) {
    return json{{"type", type}, {"hard", value}, {"soft", value}};
  };
  // A core file would be written by the host's handler, with the host's rights.
  return json::array({limit("RLIMIT_NOFILE", files), limit("RLIMIT_CORE", 0)});
}

struct ProcessText {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string working_directory;
};

Result<json, ConfigError> process_of(ProcessText text, Terminal terminal, Isolation isolation,
                                     const MachineFacts& facts, const UserIds& user,
                                     std::vector<std::string>& clamped) {
  if (text.arguments.empty() || text.arguments.front().empty()) {
    return fail(ConfigError::NoCommand);
  }
  if (!are_text(text.arguments) || !are_text(text.environment) ||
      !is_text(text.working_directory)) {
    return fail(ConfigError::NotText);
  }
  if (user.user >= kMappedIds || user.group >= kMappedIds ||
      std::ranges::any_of(user.groups, [](std::uint32_t id) { return id >= kMappedIds; })) {
    return fail(ConfigError::BadUserId);
  }
  if (text.working_directory.empty()) text.working_directory = "/";
  // Through /proc a folder of the host that leaked into the runtime could be entered.
  if (text.working_directory == "/proc" || text.working_directory.starts_with("/proc/")) {
    return fail(ConfigError::FolderInProc);
  }
  return json{{"terminal", terminal == Terminal::Pty},
              {"user", {{"uid", user.user}, {"gid", user.group}, {"additionalGids", user.groups}}},
              {"args", std::move(text.arguments)},
              {"env", std::move(text.environment)},
              {"cwd", std::move(text.working_directory)},
              {"capabilities", capabilities_of(isolation)},
              {"rlimits", limits_of(facts, clamped)},
              {"noNewPrivileges", true},
              {"oomScoreAdj", std::max(kOomScore, facts.oom_score_adjust)}};
}

std::vector<std::string> default_environment(const UserIds& user, Terminal terminal) {
  std::vector<std::string> all{std::string(kPath), "HOME=" + user.home};
  if (terminal == Terminal::Pty) all.emplace_back("TERM=xterm");
  return all;
}

// --- mounts ---

json mount(std::string_view path, std::string_view type, std::string_view source,
           std::vector<std::string> options) {
  return {{"destination", path}, {"type", type}, {"source", source}, {"options", options}};
}

// The tenant's folders, parents before what lies in them.
std::vector<json> own_mounts(const RunSpec& spec, const ContainerPlace& place) {
  std::map<std::string, json> by_path;
  for (const BindMount& bind : place.volumes) {
    by_path[bind.path] =
        mount(bind.path, "bind", bind.source,
              {"bind", "nosuid", "nodev", bind.access == Access::ReadOnly ? "ro" : "rw"});
  }
  for (const Scratch& scratch : spec.scratch) {
    by_path[scratch.path] =
        mount(scratch.path, "tmpfs", "tmpfs",
              {"nosuid", "nodev", "mode=1777", "size=" + decimal(scratch.bytes)});
  }
  std::vector<json> all;
  for (auto& [path, entry] : by_path) all.push_back(std::move(entry));
  return all;
}

json mounts_of(const RunSpec& spec, const ContainerPlace& place) {
  json all = json::array();
  all.push_back(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  all.push_back(mount("/dev", "tmpfs", "tmpfs",
                      {"nosuid", "noexec", "mode=755", "size=" + decimal(kDevBytes)}));
  all.push_back(mount("/dev/pts", "devpts", "devpts",
                      {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
  // Counted as memory; half of it leaves room for the processes that share it.
  all.push_back(mount(
      "/dev/shm", "tmpfs", "shm",
      {"nosuid", "noexec", "nodev", "mode=1777", "size=" + decimal(spec.limits.memory_bytes / 2)}));
  all.push_back(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  for (json& entry : own_mounts(spec, place)) all.push_back(std::move(entry));
  return all;
}

// --- limits ---

json devices() {
  json all = json::array();
  all.push_back({{"allow", false}, {"access", "rwm"}});
  for (const Device& device : kDevices) {
    json entry = {{"allow", true}, {"type", "c"}, {"major", device.major}, {"access", "rw"}};
    if (device.minor) entry["minor"] = *device.minor;
    all.push_back(std::move(entry));
  }
  return all;
}

json cpu_of(const RunSpec& spec, const ContainerPlace& place) {
  const std::uint64_t millicores = spec.limits.cpu_millicores;
  json cpu = {{"period", kCpuPeriodUs},
              {"quota", std::max(millicores * kCpuPeriodUs / 1000, kMinQuotaUs)},
              {"shares", std::clamp(millicores * 1024 / 1000, kMinShares, kMaxShares)}};
  if (spec.limits.cpu_mode == CpuMode::Pinned) {
    std::string list;
    for (const std::uint32_t processor : place.processors) {
      if (!list.empty()) list += ',';
      list += decimal(processor);
    }
    cpu["cpus"] = list;
  }
  return cpu;
}

json memory_of(const RunSpec& spec, const MachineFacts& facts, std::vector<std::string>& clamped) {
  json memory = {{"limit", spec.limits.memory_bytes}};
  if (facts.has_swap_limit) {
    memory["swap"] = spec.limits.memory_bytes;  // of both together: none on top
  } else {
    if (facts.cgroups != CgroupLayout::V2) memory["swappiness"] = 0;
    clamped.emplace_back("swap: this kernel does not count it for each container");
  }
  return memory;
}

json throttle(const ContainerPlace& place, std::uint64_t rate) {
  json all = json::array();
  for (const DeviceNumber& disk : place.disks) {
    all.push_back({{"major", disk.major}, {"minor", disk.minor}, {"rate", rate}});
  }
  return all;
}

json block_io_of(const Limits& limits, const MachineFacts& facts, const ContainerPlace& place) {
  // Under version 1 a rate of 0 is none, but makes the kernel count a container's transfers.
  const bool counts_anyway = facts.cgroups == CgroupLayout::V2;
  json io = json::object();
  if (limits.read_bytes_per_second || !counts_anyway) {
    io["throttleReadBpsDevice"] = throttle(place, limits.read_bytes_per_second.value_or(0));
  }
  if (limits.write_bytes_per_second || !counts_anyway) {
    io["throttleWriteBpsDevice"] = throttle(place, limits.write_bytes_per_second.value_or(0));
  }
  return io;
}

Result<json, ConfigError> resources_of(const RunSpec& spec, const MachineFacts& facts,
                                       const ContainerPlace& place,
                                       std::vector<std::string>& clamped) {
  const Limits& limits = spec.limits;
  if (limits.cpu_millicores > std::uint64_t{facts.processors} * 1000) {
    return fail(ConfigError::TooManyCores);
  }
  if (limits.cpu_mode == CpuMode::Pinned &&
      place.processors.size() * 1000 != limits.cpu_millicores) {
    return fail(ConfigError::NoProcessors);
  }
  json resources = {{"devices", devices()},
                    {"cpu", cpu_of(spec, place)},
                    {"memory", memory_of(spec, facts, clamped)},
                    {"pids", {{"limit", limits.pids}}}};
  const bool can_throttle = facts.has_io_limit && !place.disks.empty();
  if (can_throttle) resources["blockIO"] = block_io_of(limits, facts, place);
  if (limits.read_bytes_per_second || limits.write_bytes_per_second) {
    if (!can_throttle) return fail(ConfigError::NoIoLimit);
    if (limits.write_bytes_per_second && facts.cgroups != CgroupLayout::V2) {
      clamped.emplace_back(
          "write rate: holds for direct I/O only; under cgroup v1 what the kernel writes back "
          "later "
          "is counted for nobody");
    }
  }
  return resources;
}

// --- seccomp ---

json argument(const ArgumentRule& rule) {
  json entry = {{"index", rule.index}, {"value", rule.value}};
  switch (rule.test) {
    case ArgumentTest::Equal: entry["op"] = "SCMP_CMP_EQ"; break;
    case ArgumentTest::AtLeast: entry["op"] = "SCMP_CMP_GE"; break;
    case ArgumentTest::Masked:
      entry["op"] = "SCMP_CMP_MASKED_EQ";
      entry["value"] = rule.mask;
      entry["valueTwo"] = rule.value;
      break;
  }
  return entry;
}

// Of errno, the same on both architectures.
int number_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::NotPermitted: return 1;
    case Refusal::NotImplemented: return 38;
    case Refusal::NoFamily: return 97;
  }
  return 1;
}

json seccomp_of(Isolation isolation, Architecture architecture) {
  json calls = json::array();
  for (const CallRule& rule : call_rules(isolation)) {
    json entry = {{"names", json::array({rule.name})},
                  {"action", "SCMP_ACT_ERRNO"},
                  {"errnoRet", number_of(rule.refusal)}};
    if (!rule.arguments.empty()) {
      entry["args"] = json::array();
      for (const ArgumentRule& test : rule.arguments) entry["args"].push_back(argument(test));
    }
    calls.push_back(std::move(entry));
  }
  return {
      {"defaultAction", "SCMP_ACT_ALLOW"},
      {"architectures", json::array({architecture == Architecture::X86_64 ? "SCMP_ARCH_X86_64"
                                                                          : "SCMP_ARCH_AARCH64"})},
      {"syscalls", std::move(calls)}};
}

// The filter is the same for all containers of a class and most of the text, so it is made once.
const std::string& filter_text(Isolation isolation, Architecture architecture) {
  static const auto kTexts = [] {
    std::map<std::pair<Isolation, Architecture>, std::string> texts;
    for (const auto of : {Isolation::Container, Isolation::ContainerPlus}) {
      for (const auto on : {Architecture::X86_64, Architecture::Aarch64}) {
        texts[{of, on}] = seccomp_of(of, on).dump();
      }
    }
    return texts;
  }();
  return kTexts.at({isolation, architecture});
}

// Where the filter's text goes. Inside a JSON string its quotes would be escaped, so nothing that a
// tenant writes looks like it.
constexpr std::string_view kFilterPlace = R"("seccomp":null)";
constexpr std::string_view kFilterKey = R"("seccomp":)";

json linux_of(const MachineFacts& facts, const ContainerPlace& place, json resources) {
  json namespaces = json::array();
  for (const char* type : {"pid", "mount", "ipc", "uts", "cgroup", "user"}) {
    namespaces.push_back({{"type", type}});
  }
  if (!place.network.empty()) {
    namespaces.push_back({{"type", "network"}, {"path", place.network}});
  }
  const json ids =
      json::array({{{"containerID", 0}, {"hostID", facts.uid_shift}, {"size", kMappedIds}}});
  return {{"namespaces", std::move(namespaces)},
          {"uidMappings", ids},
          {"gidMappings", ids},
          {"cgroupsPath", place.cgroup},
          {"resources", std::move(resources)},
          {"rootfsPropagation", "private"},
          {"seccomp", nullptr},
          {"maskedPaths", kMasked},
          {"readonlyPaths", kReadOnly}};
}

bool is_text(const ContainerPlace& place) {
  return is_text(place.root) && is_text(place.network) && is_text(place.cgroup) &&
         is_text(place.host_name) && is_text(place.user.home) &&
         std::ranges::all_of(place.volumes, [](const BindMount& bind) {
           return is_text(bind.source) && is_text(bind.path);
         });
}

bool has_text_paths(const RunSpec& spec) {
  return std::ranges::all_of(spec.scratch,
                             [](const Scratch& scratch) { return is_text(scratch.path); });
}

}  // namespace

std::string_view name_of(CgroupLayout layout) {
  switch (layout) {
    case CgroupLayout::V1: return "v1";
    case CgroupLayout::V2: return "v2";
    case CgroupLayout::Hybrid: return "hybrid";
  }
  return "unknown";
}

std::string_view name_of(ConfigError error) {
  switch (error) {
    case ConfigError::NotText: return "not_text";
    case ConfigError::NoCommand: return "no_command";
    case ConfigError::FolderInProc: return "folder_in_proc";
    case ConfigError::BadUserId: return "bad_user_id";
    case ConfigError::NoProcessors: return "no_processors";
    case ConfigError::NoIoLimit: return "no_io_limit";
    case ConfigError::TooManyCores: return "too_many_cores";
  }
  return "unknown";
}

Result<RuntimeConfig, ConfigError> make_runtime_config(const RunSpec& spec,
                                                       const ImageConfig& image,
                                                       const MachineFacts& facts,
                                                       const ContainerPlace& place) {
  if (!is_text(place) || !has_text_paths(spec)) return fail(ConfigError::NotText);
  RuntimeConfig config;
  const auto defaults = default_environment(place.user, spec.process.terminal);
  ProcessText text{
      .arguments = arguments_of(spec, image),
      .environment = environment_of({&defaults, &image.environment, &spec.process.environment}),
      .working_directory = spec.process.working_directory.empty() ? image.working_directory
                                                                  : spec.process.working_directory};
  HM_TRY(json process, process_of(std::move(text), spec.process.terminal, spec.isolation, facts,
                                  place.user, config.clamped));
  HM_TRY(json resources, resources_of(spec, facts, place, config.clamped));
  const bool read_only =
      spec.root == Access::ReadOnly || spec.isolation == Isolation::ContainerPlus;
  const json all = {{"ociVersion", kSpecVersion},
                    {"process", std::move(process)},
                    {"root", {{"path", place.root}, {"readonly", read_only}}},
                    {"hostname", spec.name.empty() ? place.host_name : spec.name},
                    {"mounts", mounts_of(spec, place)},
                    {"linux", linux_of(facts, place, std::move(resources))}};
  config.json = all.dump();
  config.json.replace(config.json.find(kFilterPlace), kFilterPlace.size(),
                      std::string(kFilterKey) + filter_text(spec.isolation, facts.architecture));
  return config;
}

Result<RuntimeConfig, ConfigError> make_process_config(const ProcessSpec& process,
                                                       const RunSpec& spec,
                                                       const ImageConfig& image,
                                                       const MachineFacts& facts,
                                                       const UserIds& user) {
  if (!is_text(user.home)) return fail(ConfigError::NotText);
  RuntimeConfig config;
  const auto defaults = default_environment(user, process.terminal);
  ProcessText text{.arguments = process.arguments,
                   .environment = environment_of({&defaults, &image.environment,
                                                  &spec.process.environment, &process.environment}),
                   .working_directory = process.working_directory};
  if (text.working_directory.empty()) text.working_directory = spec.process.working_directory;
  if (text.working_directory.empty()) text.working_directory = image.working_directory;
  HM_TRY(const json all, process_of(std::move(text), process.terminal, spec.isolation, facts, user,
                                    config.clamped));
  config.json = all.dump();
  return config;
}

}  // namespace hm::containers
