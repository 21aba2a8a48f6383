// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/activity_probe.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/linux/activity_text.h"
#include "platform/linux/input_watch.h"
#include "platform/linux/kernel_text.h"
#include "platform/linux/kernel_tree.h"
#include "platform/linux/limits.h"

namespace hm::linux {
namespace {

using activity::Absence;
using activity::Measured;
using activity::Permille;
using std::chrono::milliseconds;

// Ages beyond it are told as this one, so that they fit a Duration whatever the clock says.
constexpr std::chrono::hours kLongestAge{24 * 365};

// Why a file gives no text. One that may be read and gives none is switched off (psi=0).
Absence absence_of(const KernelTree& tree, std::string_view file) {
  if (::access(tree.path(file).c_str(), R_OK) == 0) return Absence::NotOffered;
  return errno == ENOENT || errno == ENOTDIR ? Absence::NotOffered : Absence::NotReadable;
}

template <class Parse>
auto read_and_parse(const KernelTree& tree, std::string_view file, Parse parse)
    -> Measured<typename decltype(parse(std::string_view()))::value_type> {
  const auto text = tree.text(file);
  if (!text) return absence_of(tree, file);
  const auto value = parse(*text);
  if (!value) return Absence::Malformed;
  return *value;
}

std::uint64_t less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

// Processor time of leases since boot, in microseconds.
Measured<std::uint64_t> read_lent_usage(const KernelTree& sys, const std::string& group) {
  if (group.empty() || !sys.exists(group)) return std::uint64_t{0};
  if (sys.exists(group + "/cpu.stat") && !sys.exists(group + "/cpuacct.usage")) {
    return read_and_parse(sys, group + "/cpu.stat", parse_group_usage);
  }
  const auto nanoseconds = read_and_parse(sys, group + "/cpuacct.usage", parse_u64);
  if (!nanoseconds) return nanoseconds;
  return *nanoseconds / 1000;
}

// Virtual consoles and pseudo terminals are for people. A serial line is only if it is a console;
// otherwise it may be a UPS that reports every second.
std::vector<std::string> terminal_names(const KernelTree& sys, const KernelTree& dev) {
  std::vector<std::string> names;
  for (const std::string& name : dev.names("")) {
    if (name.starts_with("tty") && parse_u64(name.substr(3))) names.push_back(name);
  }
  for (const std::string& name : dev.names("pts")) {
    if (parse_u64(name)) names.push_back("pts/" + name);  // ptmx is read for output
  }
  const auto consoles = sys.line("class/tty/console/active");
  for (std::string_view name : split_words(consoles ? *consoles : std::string_view())) {
    if (name.find('/') == std::string_view::npos) names.emplace_back(name);
  }
  return names;
}

// The kernel sets a terminal's access time when a program gets input from it, to 8 s exactly
// (tty_update_time in drivers/tty/tty_io.c), however the filesystem is mounted.
class TerminalWatch {
 public:
  TerminalWatch(KernelTree sys, KernelTree dev) : sys_(std::move(sys)), dev_(std::move(dev)) {}

  Measured<milliseconds> read(MonoTime now, UnixMillis wall) {
    std::map<std::string, std::int64_t> times;
    for (const std::string& name : terminal_names(sys_, dev_)) {
      struct stat status{};
      if (::lstat(dev_.path(name).c_str(), &status) != 0 || S_ISLNK(status.st_mode)) continue;
      times.emplace(name, status.st_atim.tv_sec);
    }
    // A system without open terminals still has the folder in which they appear.
    if (times.empty() && !dev_.exists("pts")) return Absence::NotOffered;
    for (const auto& [name, seconds] : times) {
      if (const auto at = input_at(name, seconds, now, wall)) {
        last_input_ = last_input_ ? std::max(*last_input_, *at) : *at;
      }
    }
    times_ = std::move(times);
    if (!last_input_) return activity::kNoInputSeen;
    return std::chrono::duration_cast<milliseconds>(now - *last_input_);
  }

 private:
  // At the first look the clock on the wall tells how old a time is; from then on a time that
  // changes is input, so that a clock that is set does not matter.
  std::optional<MonoTime> input_at(const std::string& name, std::int64_t seconds, MonoTime now,
                                   UnixMillis wall) const {
    if (times_) {
      const auto before = times_->find(name);
      if (before != times_->end() && before->second == seconds) return std::nullopt;
      return now;
    }
    const auto wall_seconds = static_cast<std::int64_t>(wall.value / 1000);
    const std::int64_t age = wall_seconds - std::clamp<std::int64_t>(seconds, 0, wall_seconds);
    return now - std::min<std::chrono::seconds>(std::chrono::seconds(age), kLongestAge);
  }

  KernelTree sys_;
  KernelTree dev_;
  std::optional<std::map<std::string, std::int64_t>> times_;  // none before the first look
  std::optional<MonoTime> last_input_;
};

Measured<activity::Sessions> read_sessions(const KernelTree& run) {
  constexpr std::string_view kFolder = "systemd/sessions";
  if (!run.exists(kFolder)) return Absence::NotOffered;
  activity::Sessions sessions;
  std::size_t files = 0;
  for (const std::string& name : run.names(kFolder)) {
    // Besides the files there are the FIFOs that hold sessions open, and files being written.
    if (name.ends_with(".ref") || name.starts_with('.')) continue;
    if (++files > kMaxSessions) return Absence::Malformed;
    const std::string file = std::string(kFolder) + "/" + name;
    const auto text = run.text(file);
    if (!text && !run.exists(file)) continue;  // ended since the folder was read
    if (!text) return absence_of(run, file);
    const auto session = parse_session(*text);
    if (!session) return Absence::Malformed;
    if (!session->is_open_for_a_person) continue;
    ++sessions.interactive;
    if (session->screen == Session::Screen::Local) ++sessions.local_graphical;
    if (session->screen == Session::Screen::Remote) ++sessions.remote_graphical;
  }
  return sessions;
}

// Documentation/ABI/testing/sysfs-class-power. On battery: a battery or UPS that feeds the machine
// discharges, and no mains adapter is online. A machine without any runs on the mains.
Measured<activity::PowerSource> read_power(const KernelTree& sys) {
  constexpr std::string_view kFolder = "class/power_supply";
  if (!sys.exists(kFolder)) return Absence::NotOffered;
  bool discharges = false;
  bool has_mains = false;
  for (const std::string& name : sys.names(kFolder)) {
    const std::string folder = std::string(kFolder) + "/" + name + "/";
    if (sys.line(folder + "scope") == "Device") continue;  // the battery of a mouse
    const auto type = sys.line(folder + "type");
    if (type == "Battery" || type == "UPS") {
      if (sys.line(folder + "status") == "Discharging") discharges = true;
    } else if (type == "Mains") {
      const auto online = sys.number(folder + "online");
      if (!online || *online > 2) return Absence::Malformed;  // 2: of a programmable supply
      if (*online != 0) has_mains = true;
    }
  }
  return discharges && !has_mains ? activity::PowerSource::Battery : activity::PowerSource::Mains;
}

class MachineActivityProbe final : public ports::ActivityProbe {
 public:
  explicit MachineActivityProbe(ActivityProbeOptions options)
      : proc_(std::move(options.proc_root)),
        sys_(std::move(options.sys_root)),
        run_(std::move(options.run_root)),
        lent_group_(std::move(options.lent_group)),
        inputs_(sys_, KernelTree(options.dev_root)),
        terminals_(sys_, KernelTree(options.dev_root)) {}

  activity::ActivityReading read(MonoTime now, UnixMillis wall) override {
    activity::ActivityReading reading;
    read_load(reading);
    reading.cpu = read_and_parse(proc_, "pressure/cpu", parse_pressure);
    reading.io = read_and_parse(proc_, "pressure/io", parse_pressure);
    reading.memory = read_and_parse(proc_, "pressure/memory", parse_pressure);
    reading.terminal_input = terminals_.read(now, wall);
    reading.device_input = inputs_.read(now);
    reading.sessions = read_sessions(run_);
    reading.power = read_power(sys_);
    return reading;
  }

 private:
  void read_load(activity::ActivityReading& reading) {
    const auto times = read_and_parse(proc_, "stat", parse_cpu_times);
    const auto lent = read_lent_usage(sys_, lent_group_);
    const auto times_before = std::exchange(times_, times);
    const auto lent_before = std::exchange(lent_, lent);
    reading.load = times ? Measured<Permille>(Absence::NeedsInterval) : times.absence();
    reading.lent = lent ? Measured<Permille>(Absence::NeedsInterval) : lent.absence();
    if (!times || !times_before) return;
    const std::uint64_t busy = less(times->busy, times_before->busy);
    const std::uint64_t whole =
        busy + less(times->idle, times_before->idle) + less(times->stolen, times_before->stolen);
    if (whole == 0) return;
    std::uint64_t lent_ticks = 0;
    if (lent && lent_before) {
      lent_ticks = std::min(less(*lent, *lent_before) / microseconds_per_tick(), whole);
      reading.lent = static_cast<Permille>(lent_ticks * activity::kWholeMachine / whole);
    }
    reading.load = static_cast<Permille>(less(busy, lent_ticks) * activity::kWholeMachine / whole);
  }

  static std::uint64_t microseconds_per_tick() {
    const long per_second = ::sysconf(_SC_CLK_TCK);  // 100 on every Linux that is left
    return 1'000'000 / static_cast<std::uint64_t>(std::clamp(per_second, 1L, 1'000'000L));
  }

  KernelTree proc_;
  KernelTree sys_;
  KernelTree run_;
  std::string lent_group_;
  InputWatch inputs_;
  TerminalWatch terminals_;
  Measured<CpuTimes> times_;
  Measured<std::uint64_t> lent_;
};

}  // namespace

std::unique_ptr<ports::ActivityProbe> make_activity_probe(ActivityProbeOptions options) {
  return std::make_unique<MachineActivityProbe>(std::move(options));
}

}  // namespace hm::linux
