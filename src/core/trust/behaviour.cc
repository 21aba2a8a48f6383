// SPDX-License-Identifier: Apache-2.0
#include "core/trust/behaviour.h"

#include <algorithm>
#include <array>

namespace hm::trust {
namespace {

constexpr std::uint64_t kMillisPerDay = 86'400'000;
// 0.97716 is 2^(−1/30) to six digits.
constexpr std::uint64_t kFadeNumerator = 977'160;
constexpr std::uint64_t kFadeDenominator = 1'000'000;
static_assert(kMaxCount <= UINT64_MAX / kFadeNumerator, "a step fits 64 bits");

// Rounding down takes at least one thousandth from any count above 0, so every count reaches 0.
constexpr std::uint64_t faded(std::uint64_t count, std::uint64_t days) {
  count = std::min(count, kMaxCount);
  for (; days > 0 && count > 0; --days) count = count * kFadeNumerator / kFadeDenominator;
  return count;
}
// A larger count never fades to a smaller one, so what holds for the largest holds for all.
static_assert(faded(kMaxCount, kForgottenAfterDays) == 0);
static_assert(faded(kMaxCount, kHalfLifeDays) / 1'000'000 == kMaxCount / 2 / 1'000'000);

struct EventRow {
  Event event;
  std::string_view name;
  std::uint64_t Behaviour::* count;
};

constexpr std::array<EventRow, kEvents> kRows = {{
    {Event::Witnessed, "witnessed_intervals", &Behaviour::witnessed},
    {Event::Missed, "missed_intervals", &Behaviour::missed},
    {Event::LeaseKept, "leases_kept", &Behaviour::leases_kept},
    {Event::LeaseFailed, "leases_failed", &Behaviour::leases_failed},
    {Event::AuditPassed, "audits_passed", &Behaviour::audits_passed},
    {Event::AuditFailed, "audits_failed", &Behaviour::audits_failed},
    {Event::Disputed, "disputed_intervals", &Behaviour::disputed},
    {Event::Disagreement, "disagreements", &Behaviour::disagreements},
}};
static_assert([] {
  for (std::size_t i = 0; i < kEvents; ++i) {
    if (static_cast<std::size_t>(kRows[i].event) != i) return false;
  }
  return true;
}());

const EventRow& row_of(Event event) { return kRows.at(static_cast<std::size_t>(event)); }

}  // namespace

std::string_view name_of(Event event) { return row_of(event).name; }

std::uint64_t Behaviour::count(Event event) const { return this->*row_of(event).count; }

void fade(Behaviour& behaviour, UnixMillis now) {
  const std::uint64_t today = now.value / kMillisPerDay;
  if (today <= behaviour.day) return;
  const std::uint64_t days = today - behaviour.day;
  for (const EventRow& row : kRows) behaviour.*row.count = faded(behaviour.*row.count, days);
  behaviour.day = today;
}

void note(Behaviour& behaviour, Event event, UnixMillis now, std::uint64_t times) {
  fade(behaviour, now);
  std::uint64_t& count = behaviour.*row_of(event).count;
  const std::uint64_t room = kMaxCount - std::min(count, kMaxCount);
  count = kMaxCount - room + std::min(times, room / kCountScale) * kCountScale;
}

}  // namespace hm::trust
