// SPDX-License-Identifier: Apache-2.0
// What a node was measured doing, as counts that fade. A ledger keeps one Behaviour per node and
// notes what its blocks prove; nobody's opinion enters. score.h makes a number of it.
//
// A count is in thousandths of an event and becomes ⌊count · 977160 / 10⁶⌋ with every day of block
// time (UTC), so it halves in kHalfLifeDays. The days are taken one by one, so the counts are the
// same however often somebody looks in between.
//
// What must hold before an event is noted is the ledger's to check; these decide whether a tenant
// can ruin a provider:
// - Missed and LeaseFailed need the provider's own act or silence where it could have acted, never
//   only that the tenant did not sign.
// - Disputed, two readings of one interval that differ, is one word against another. It is shown
//   and weighs nothing: weighing against the provider would let a tenant destroy it for the price
//   of false readings, weighing against the tenant the reverse. Since only the smaller reading is
//   paid, a provider that claims too much gains nothing either.
// - A Disagreement is the word of most of several providers that one tenant chose, on a program
//   that it chose: a tenant that plans it can make an honest node differ. It weighs as much as one
//   lease let down, no more.
// Events between nodes of one owner are not to be noted; they would be praise of oneself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "foundation/base/time.h"

namespace hm::trust {

enum class Event : std::uint8_t {
  Witnessed,    // a metered interval of which both sides signed the same reading
  Missed,       // a metered interval that the provider was silent for
  LeaseKept,    // a lease that ended as agreed
  LeaseFailed,  // a lease that the provider let down: went dark, or declined after accepting
  AuditPassed,
  AuditFailed,
  Disputed,      // a metered interval of which the two sides signed different readings
  Disagreement,  // a result that most other runs of the same purpose contradict
};
inline constexpr std::size_t kEvents = 8;

// "witnessed_intervals", "leases_failed", …
std::string_view name_of(Event event);

inline constexpr std::uint64_t kCountScale = 1000;                       // one event
inline constexpr std::uint64_t kMaxCount = 1'000'000'000 * kCountScale;  // counts stop there
inline constexpr std::uint64_t kHalfLifeDays = 30;
// After so many days without an event every count is 0; shown at compile time in behaviour.cc.
inline constexpr std::uint64_t kForgottenAfterDays = 1200;

struct Behaviour {
  std::uint64_t witnessed = 0;  // each in thousandths of an event, at most kMaxCount
  std::uint64_t missed = 0;
  std::uint64_t leases_kept = 0;
  std::uint64_t leases_failed = 0;
  std::uint64_t audits_passed = 0;
  std::uint64_t audits_failed = 0;
  std::uint64_t disputed = 0;
  std::uint64_t disagreements = 0;
  std::uint64_t day = 0;  // days of UTC since 1970 up to which the counts have faded

  bool operator==(const Behaviour&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.witnessed, self.missed, self.leases_kept, self.leases_failed,
                    self.audits_passed, self.audits_failed, self.disputed, self.disagreements,
                    self.day);
  }

  std::uint64_t count(Event event) const;
};

// Brings the counts to the day of `now`; an earlier `now` changes nothing.
void fade(Behaviour& behaviour, UnixMillis now);

// Fades to the day, then counts the event so many times.
void note(Behaviour& behaviour, Event event, UnixMillis now, std::uint64_t times = 1);

}  // namespace hm::trust
