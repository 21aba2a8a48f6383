// SPDX-License-Identifier: Apache-2.0
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "platform/linux/cpu_probe.h"
#include "platform/linux/doctor_checks.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"
#include "ports/hardware_probe.h"

namespace hm::linux {
namespace {

// Each connection needs a descriptor only for TCP; files, pipes and containers take the rest of it.
constexpr rlim_t kWantedFiles = 65'536;
// Debian 12's kernel is 6.1; 5.14 brought cgroup.kill, the youngest call that is relied on.
constexpr std::uint64_t kWantedMajor = 5;
constexpr std::uint64_t kWantedMinor = 14;

struct Capability {
  unsigned bit;
  std::string_view name;
  std::string_view costs;  // empty: one of those that images need for their own set-up
};
// include/uapi/linux/capability.h: those that containers, QoS and device access make use of.
constexpr Capability kWantedCapabilities[] = {
    {0, "CAP_CHOWN", ""},
    {1, "CAP_DAC_OVERRIDE", ""},
    {5, "CAP_KILL", "containers of other users cannot be ended"},
    {6, "CAP_SETGID", ""},
    {7, "CAP_SETUID", ""},
    {8, "CAP_SETPCAP", ""},
    {12, "CAP_NET_ADMIN", "no traffic shaping and no networks for containers"},
    {13, "CAP_NET_RAW", "no ping from containers"},
    {18, "CAP_SYS_CHROOT", ""},
    {19, "CAP_SYS_PTRACE", "processes of containers cannot be attributed to their GPU use"},
    {21, "CAP_SYS_ADMIN", "containers are rootless only, and images are not mounted"},
    {24, "CAP_SYS_RESOURCE",
     "limits cannot be raised, OOM scores cannot be lowered, pressure windows are 2 s at least"},
    {27, "CAP_MKNOD", "no device nodes for containers"},
};
constexpr unsigned kSysAdmin = 21;
constexpr unsigned kNetAdmin = 12;

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

DoctorCheck check_kernel() {
  utsname name{};
  ::uname(&name);
  const std::string release = name.release;
  const std::size_t dot = release.find('.');
  const auto major = parse_u64(release.substr(0, dot));
  const std::string rest = dot == std::string::npos ? "" : release.substr(dot + 1);
  const auto minor = parse_u64(rest.substr(0, rest.find_first_not_of("0123456789")));
  DoctorVerdict verdict = DoctorVerdict::Unknown;
  if (major && minor) {
    const bool new_enough =
        *major > kWantedMajor || (*major == kWantedMajor && *minor >= kWantedMinor);
    verdict = new_enough ? DoctorVerdict::Ok : DoctorVerdict::Limited;
  }
  return judge("system.kernel", "Kernel", verdict,
               "Linux " + release + " on " + std::string(name.machine),
               {.costs = "containers are ended process by process instead of all at once",
                .remedy = "use a kernel of 5.14 or later; Debian 12 has 6.1"});
}

DoctorCheck check_cpu(const DoctorOptions& options) {
  ports::HardwareSnapshot snapshot;
  CpuProbeInputs inputs{.proc = KernelTree(options.proc_root), .sys = KernelTree(options.sys_root)};
  inputs.cpuid = machine_cpuid();
  probe_cpu(inputs, snapshot);
  if (snapshot.items.empty()) {
    return judge("system.cpu", "Processor", DoctorVerdict::Unknown, "neither CPUID nor /proc tells",
                 {.costs = "the processor cannot be registered as an asset",
                  .remedy = "mount /proc and /sys"});
  }
  const ports::HardwareFields& fields = snapshot.items.front().descriptor;
  const auto* brand = ports::field<std::string>(fields, "brand");
  const auto* features = ports::field<std::vector<std::string>>(fields, "features");
  std::string found = brand != nullptr ? *brand : "unnamed processor";
  if (const auto* level = ports::field<std::uint64_t>(fields, "x86_64_level")) {
    found += ", x86-64-v" + std::to_string(*level);
  }
  std::vector<std::string> missing;
  for (const char* name : {"aes", "avx2", "sha_ni"}) {
    const bool x86 = fields.contains("x86_64_level");
    const bool has = features != nullptr && std::ranges::find(*features, name) != features->end();
    if (x86 && !has) missing.emplace_back(name);
  }
  if (!missing.empty()) found += "; lacks " + join(missing);
  return judge("system.cpu", "Processor",
               missing.empty() ? DoctorVerdict::Ok : DoctorVerdict::Limited, std::move(found),
               {.costs = "encryption, hashing or erasure coding take several times the CPU time",
                .remedy = "in a virtual machine, pass the host's CPU model through"});
}

DoctorCheck check_limits() {
  rlimit files{};
  rlimit processes{};
  rlimit locked{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NPROC, &processes);
  ::getrlimit(RLIMIT_MEMLOCK, &locked);
  const auto text = [](rlim_t value) {
    return value == RLIM_INFINITY ? std::string("unlimited") : std::to_string(value);
  };
  const bool enough = files.rlim_max >= kWantedFiles;
  return judge(
      "system.limits", "Resource limits", enough ? DoctorVerdict::Ok : DoctorVerdict::Limited,
      "open files " + text(files.rlim_cur) + " of " + text(files.rlim_max) + ", processes " +
          text(processes.rlim_max) + ", locked memory " + text(locked.rlim_max) + " bytes",
      {.costs = "fewer files, connections and containers at a time",
       .remedy = "raise the hard limit: LimitNOFILE=65536 in the systemd unit, or "
                 "/etc/security/limits.conf"});
}

// A trigger asks the kernel to wake us when tasks stall; how short its window may be depends on
// CAP_SYS_RESOURCE.
DoctorCheck check_pressure(const DoctorOptions& options) {
  const Consequence consequence = {
      .costs = "a loaded machine is noticed by slow polling, so leases are slowed down later",
      .remedy = "boot with psi=1; CAP_SYS_RESOURCE allows windows shorter than 2 s"};
  constexpr std::string_view kName = "system.pressure";
  constexpr std::string_view kTitle = "Pressure stall information";
  const KernelTree proc(options.proc_root);
  for (const char* file : {"pressure/cpu", "pressure/memory", "pressure/io"}) {
    if (!proc.text(file)) {
      return judge(kName, kTitle, DoctorVerdict::No, "/proc/" + std::string(file) + " is missing",
                   consequence);
    }
  }
  struct Window {
    std::string_view trigger;
    std::string_view text;
  };
  constexpr Window kWindows[] = {{"some 150000 1000000", "1 s"}, {"some 300000 2000000", "2 s"}};
  for (const Window& window : kWindows) {
    const Attempt attempt = run_in_child(
        [&]() -> Attempt {
          FILE* file = std::fopen(proc.path("pressure/memory").c_str(), "r+e");
          if (file == nullptr) return fails("cannot be opened for writing");
          // The terminating zero belongs to what the kernel reads (Documentation/accounting/psi).
          const ssize_t size =
              ::write(::fileno(file), window.trigger.data(), window.trigger.size() + 1);
          return size > 0 ? works() : fails("trigger refused");
        },
        options.per_check);
    if (attempt.outcome != Outcome::Works) continue;
    const bool short_window = &window == &kWindows[0];
    return judge(kName, kTitle, short_window ? DoctorVerdict::Ok : DoctorVerdict::Limited,
                 "triggers work, shortest window " + std::string(window.text), consequence);
  }
  return judge(kName, kTitle, DoctorVerdict::Limited, "readable, but no trigger can be set",
               consequence);
}

DoctorCheck check_clock() {
  timex state{};
  const int answer = ::adjtimex(&state);
  const Consequence consequence = {
      .costs =
          "if the clock is off by more than the mesh allows, this node's blocks and operations "
          "are refused as too early or too late",
      .remedy = "run a time service: apt install chrony, or timedatectl set-ntp true"};
  if (answer < 0) {
    return judge("system.clock", "Clock", DoctorVerdict::Unknown, "adjtimex is refused",
                 consequence);
  }
  const bool synchronised = answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  return judge("system.clock", "Clock", synchronised ? DoctorVerdict::Ok : DoctorVerdict::Limited,
               synchronised
                   ? "synchronised, error at most " + std::to_string(state.maxerror / 1000) + " ms"
                   : "nothing synchronises this clock, or the kernel is not told",
               consequence);
}

DoctorCheck check_random() {
  std::array<unsigned char, 32> bytes{};
  const ssize_t count = ::getrandom(bytes.data(), bytes.size(), GRND_NONBLOCK);
  const bool ready = count == static_cast<ssize_t>(bytes.size());
  return judge(
      "system.random", "Random numbers", ready ? DoctorVerdict::Ok : DoctorVerdict::No,
      ready ? "the kernel's generator is seeded" : "the kernel's generator is not seeded",
      {.costs = "no keys can be made: start-up waits",
       .remedy = "wait a little after boot; in a virtual machine, add a virtio-rng device"});
}

DoctorCheck check_gpu(const DoctorOptions& options) {
  const KernelTree sys(options.sys_root);
  const KernelTree dev(options.dev_root);
  std::size_t on_bus = 0;
  for (const std::string& device : sys.names("bus/pci/devices")) {
    const std::string folder = "bus/pci/devices/" + device + "/";
    const auto device_class = sys.line(folder + "class");
    // 0x10de is NVIDIA; display controllers are class 03.
    if (sys.line(folder + "vendor") == "0x10de" && device_class &&
        device_class->starts_with("0x03")) {
      ++on_bus;
    }
  }
  const bool has_driver = dev.exists("nvidiactl");
  if (has_driver) {
    const auto version = sys.line("module/nvidia/version");
    return judge("system.gpu", "NVIDIA GPU", DoctorVerdict::Ok,
                 "driver " + version.value_or("of unknown version") + " is loaded", {});
  }
  if (on_bus == 0) {
    return judge("system.gpu", "NVIDIA GPU", DoctorVerdict::No,
                 "no NVIDIA GPU on the PCI bus and no driver",
                 {.costs = "this machine lends no GPU; everything else works",
                  .remedy = "nothing, unless there is a GPU in the machine"});
  }
  return judge("system.gpu", "NVIDIA GPU", DoctorVerdict::No,
               std::to_string(on_bus) + " on the PCI bus, but no driver is loaded",
               {.costs = "the GPU cannot be lent",
                .remedy = "apt install nvidia-driver (non-free), then restart"});
}

}  // namespace

DoctorCheck check_capabilities(const DoctorOptions& options) {
  constexpr std::string_view kName = "system.capabilities";
  constexpr std::string_view kTitle = "Capabilities";
  Consequence consequence = {
      .costs = "not known",
      .remedy =
          "run as root, or grant them: AmbientCapabilities= in the systemd unit, --cap-add in "
          "a container"};
  const auto status = KernelTree(options.proc_root).text("self/status");
  std::optional<std::uint64_t> held;
  for (std::string_view line : split_lines(status ? *status : std::string_view())) {
    constexpr std::string_view kPrefix = "CapEff:";
    if (line.starts_with(kPrefix)) held = parse_hex(line.substr(kPrefix.size()));
  }
  if (!held) {
    return judge(kName, kTitle, DoctorVerdict::Unknown, "/proc/self/status does not say",
                 consequence);
  }
  std::vector<std::string> missing;
  std::string costs;
  for (const Capability& capability : kWantedCapabilities) {
    if (((*held >> capability.bit) & 1U) != 0) continue;
    missing.emplace_back(capability.name);
    if (capability.costs.empty()) continue;
    if (!costs.empty()) costs += "; ";
    costs += capability.costs;
  }
  if (costs.empty()) costs = "containers whose images need them fail";
  consequence.costs = costs;
  const bool has_main = ((*held >> kSysAdmin) & 1U) != 0 && ((*held >> kNetAdmin) & 1U) != 0;
  DoctorVerdict verdict = DoctorVerdict::Ok;
  if (!missing.empty()) verdict = has_main ? DoctorVerdict::Limited : DoctorVerdict::No;
  return judge(kName, kTitle, verdict,
               missing.empty() ? "all that are used" : "missing " + join(missing), consequence);
}

void check_system(const DoctorOptions& options, Checks& checks) {
  checks.push_back(check_kernel());
  checks.push_back(check_cpu(options));
  checks.push_back(check_gpu(options));
  checks.push_back(check_capabilities(options));
  checks.push_back(check_limits());
  checks.push_back(check_pressure(options));
  checks.push_back(check_activity(options));
  checks.push_back(check_clock());
  checks.push_back(check_random());
}

}  // namespace hm::linux
