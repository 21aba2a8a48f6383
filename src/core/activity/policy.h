// SPDX-License-Identifier: Apache-2.0
// What an owner calls using the machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/activity/reading.h"
#include "foundation/base/result.h"

namespace hm::activity {

// Both bounds of idle_after: below, tty times are too coarse to tell (the kernel keeps them to
// 8 s); above, a machine switched off at night would never be idle.
inline constexpr std::chrono::milliseconds kMinIdleAfter = std::chrono::seconds(10);
inline constexpr std::chrono::milliseconds kMaxIdleAfter = std::chrono::hours(24);

// At or above which the machine is in use; one that is empty does not count.
struct PressureLimits {
  std::optional<std::uint32_t> some;
  std::optional<std::uint32_t> full;

  bool operator==(const PressureLimits&) const = default;
};

enum class InputUse : std::uint8_t { Counts, Ignored };
enum class BatteryUse : std::uint8_t { IsBusy, Ignored };

struct ActivityPolicy {
  std::chrono::milliseconds idle_after = std::chrono::minutes(5);
  Permille busy_load = 250;
  // High, since the node's own work and what every system does now and then (updates, indexing)
  // make tasks wait too, on slow disks above all.
  PressureLimits busy_cpu{.some = 4'000, .full = {}};
  PressureLimits busy_io{.some = 5'000, .full = {}};
  PressureLimits busy_memory{.some = 1'000, .full = {}};
  InputUse input = InputUse::Counts;
  BatteryUse battery = BatteryUse::IsBusy;

  bool operator==(const ActivityPolicy&) const = default;
};

enum class PolicyRefusal : std::uint8_t {
  IdleAfterTooShort,   // below kMinIdleAfter
  IdleAfterTooLong,    // above kMaxIdleAfter
  BusyLoadOutOfRange,  // 0, or above kWholeMachine
  PressureOutOfRange,  // a limit of 0, or above kWholePressure
};
// "idle_after_too_short" and so on.
std::string_view name_of(PolicyRefusal refusal);

Result<void, PolicyRefusal> check(const ActivityPolicy& policy);

}  // namespace hm::activity
