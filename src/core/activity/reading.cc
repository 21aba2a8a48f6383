// SPDX-License-Identifier: Apache-2.0
#include "core/activity/reading.h"

#include <algorithm>

namespace hm::activity {

std::string_view name_of(Absence absence) {
  switch (absence) {
    case Absence::NotMeasured: return "not_measured";
    case Absence::NeedsInterval: return "needs_interval";
    case Absence::NotOffered: return "not_offered";
    case Absence::NoDevice: return "no_device";
    case Absence::NotReadable: return "not_readable";
    case Absence::Malformed: return "malformed";
  }
  return "unknown";
}

std::string_view explain(Absence absence) {
  switch (absence) {
    case Absence::NotMeasured: return "nobody has looked";
    case Absence::NeedsInterval: return "it takes two looks";
    case Absence::NotOffered: return "this system does not offer it";
    case Absence::NoDevice: return "there is no such device";
    case Absence::NotReadable: return "this process may not read it";
    case Absence::Malformed: return "what the system says of it makes no sense";
  }
  return "not known";
}

Measured<std::chrono::milliseconds> since_input(const ActivityReading& reading) {
  const auto& terminal = reading.terminal_input;
  const auto& device = reading.device_input;
  if (!terminal) return terminal.absence();
  const bool has_screen_elsewhere = reading.sessions && reading.sessions->remote_graphical > 0;
  if (has_screen_elsewhere) return Absence::NotOffered;
  if (device) return std::min(*terminal, *device);
  const bool no_screen_in_use = reading.sessions && reading.sessions->local_graphical == 0;
  if (device.absence() != Absence::NoDevice && !no_screen_in_use) return device.absence();
  return terminal;
}

}  // namespace hm::activity
