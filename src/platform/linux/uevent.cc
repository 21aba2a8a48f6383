// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/uevent.h"

#include <algorithm>
#include <array>

namespace hm::linux {

std::optional<Uevent> parse_uevent(std::string_view message) {
  const std::size_t head_end = message.find('\0');
  if (head_end == std::string_view::npos) return std::nullopt;
  const std::string_view head = message.substr(0, head_end);
  const std::size_t at = head.find('@');
  if (at == std::string_view::npos || at == 0 || head.substr(at + 1, 1) != "/") return std::nullopt;
  Uevent event{.action = head.substr(0, at), .device = head.substr(at + 1)};
  std::string_view rest = message.substr(head_end + 1);
  constexpr std::string_view kSubsystem = "SUBSYSTEM=";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    const std::string_view entry = rest.substr(0, end);
    if (entry.starts_with(kSubsystem)) event.subsystem = entry.substr(kSubsystem.size());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (event.subsystem.empty()) return std::nullopt;
  return event;
}

bool is_hardware_event(std::string_view message) {
  static constexpr std::array<std::string_view, 6> kSubsystems = {"block", "cpu",  "memory",
                                                                  "net",   "node", "pci"};
  const auto event = parse_uevent(message);
  return event && std::ranges::find(kSubsystems, event->subsystem) != kSubsystems.end();
}

}  // namespace hm::linux
