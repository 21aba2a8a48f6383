// SPDX-License-Identifier: Apache-2.0
#include "core/activity/policy.h"

namespace hm::activity {
namespace {

bool in_range(const PressureLimits& limits) {
  for (const auto& limit : {limits.some, limits.full}) {
    if (limit && (*limit == 0 || *limit > kWholePressure)) return false;
  }
  return true;
}

}  // namespace

std::string_view name_of(PolicyRefusal refusal) {
  switch (refusal) {
    case PolicyRefusal::IdleAfterTooShort: return "idle_after_too_short";
    case PolicyRefusal::IdleAfterTooLong: return "idle_after_too_long";
    case PolicyRefusal::BusyLoadOutOfRange: return "busy_load_out_of_range";
    case PolicyRefusal::PressureOutOfRange: return "pressure_out_of_range";
  }
  return "unknown";
}

Result<void, PolicyRefusal> check(const ActivityPolicy& policy) {
  if (policy.idle_after < kMinIdleAfter) return fail(PolicyRefusal::IdleAfterTooShort);
  if (policy.idle_after > kMaxIdleAfter) return fail(PolicyRefusal::IdleAfterTooLong);
  if (policy.busy_load == 0 || policy.busy_load > kWholeMachine) {
    return fail(PolicyRefusal::BusyLoadOutOfRange);
  }
  if (!in_range(policy.busy_cpu) || !in_range(policy.busy_io) || !in_range(policy.busy_memory)) {
    return fail(PolicyRefusal::PressureOutOfRange);
  }
  return {};
}

}  // namespace hm::activity
