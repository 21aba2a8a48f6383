// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <string_view>

#include "platform/linux/activity_probe.h"
#include "platform/linux/doctor_checks.h"

namespace hm::linux {
namespace {

using activity::Absence;

// The signals in two lists: those that are there, and those that are not, with the reason.
class SignalList {
 public:
  template <class T>
  void add(std::string_view name, const activity::Measured<T>& signal) {
    // A difference that only needs a second look is there.
    const bool given = signal || signal.absence() == Absence::NeedsInterval;
    std::string& list = given ? given_ : missing_;
    if (!list.empty()) list += ", ";
    list += name;
    if (!given) list += " (" + std::string(activity::explain(signal.absence())) + ")";
  }
  std::string text() const { return given_ + (missing_.empty() ? "" : "; without " + missing_); }

 private:
  std::string given_;
  std::string missing_;
};

}  // namespace

DoctorCheck check_activity(const DoctorOptions& options) {
  const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto probe = make_activity_probe({.proc_root = options.proc_root,
                                          .sys_root = options.sys_root,
                                          .dev_root = options.dev_root,
                                          .run_root = options.run_root,
                                          .lent_group = {}});
  const auto reading =
      probe->read(MonoTime{}, UnixMillis{static_cast<std::uint64_t>(wall.count())});
  SignalList signals;
  signals.add("load", reading.load);
  signals.add("processor pressure", reading.cpu);
  signals.add("disk pressure", reading.io);
  signals.add("memory pressure", reading.memory);
  signals.add("terminals", reading.terminal_input);
  signals.add("input devices", reading.device_input);
  signals.add("sessions", reading.sessions);
  signals.add("power source", reading.power);
  constexpr std::string_view kName = "system.activity";
  constexpr std::string_view kTitle = "Signs of use";
  const bool has_load = reading.load || reading.load.absence() == Absence::NeedsInterval;
  if (!has_load || !activity::since_input(reading)) {
    return judge(kName, kTitle, DoctorVerdict::No, signals.text(),
                 {.costs = "this machine is never known to be idle, so grants for idle hours only "
                           "are never used",
                  .remedy = "run the node outside containers, as root or as a member of the group "
                            "input; or do not count input"});
  }
  const bool has_pressure = reading.cpu && reading.io && reading.memory;
  return judge(kName, kTitle, has_pressure ? DoctorVerdict::Ok : DoctorVerdict::Limited,
               signals.text(),
               {.costs = "work that waits for disks or memory is no sign of use",
                .remedy = "boot with psi=1"});
}

}  // namespace hm::linux
