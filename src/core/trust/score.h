// SPDX-License-Identifier: Apache-2.0
// The trust score of a node: 0 to 1000, from measured behaviour only (behaviour.h).
//
//   good  = Σ weight · count over the good events, bad likewise
//   score = 500 + ⌊500 · (good − bad) / (good + bad + kPriorWeight)⌋
//
// An unknown node has 500, and the prior keeps a few events from saying much. A failure weighs more
// than the success that it undoes. 1000 itself is never reached. One more good event never lowers
// the score and one more bad one never raises it.
//
// What it does not stop: two owners in collusion can witness each other's leases, at the price of
// the fees. It is for choosing among providers; no right depends on it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/trust/behaviour.h"
#include "foundation/base/time.h"

namespace hm::trust {

inline constexpr std::uint16_t kNeutralScore = 500;

// What one event weighs; a metered interval that both sides signed is the unit.
inline constexpr std::int64_t kWitnessedWeight = 1;
inline constexpr std::int64_t kMissedWeight = 10;
inline constexpr std::int64_t kLeaseKeptWeight = 50;
inline constexpr std::int64_t kLeaseFailedWeight = 500;
inline constexpr std::int64_t kAuditPassedWeight = 100;
inline constexpr std::int64_t kAuditFailedWeight = 5000;
inline constexpr std::int64_t kDisagreementWeight = 500;
// What nothing known weighs: so many intervals move an unknown node half of the way up.
inline constexpr std::int64_t kPriorWeight = 2000;

std::uint16_t score(const Behaviour& behaviour, UnixMillis now);

struct Term {
  std::string_view name;
  std::uint64_t count = 0;  // in thousandths of an event
  std::int32_t contribution = 0;

  bool operator==(const Term&) const = default;
};

// "neutral" with 500 first, then one term for each event in the order of Event. The contributions
// add up to score() exactly: each is within one of its exact part, none of a good event is below 0,
// none of a bad one above, that of Disputed is 0.
std::vector<Term> explain(const Behaviour& behaviour, UnixMillis now);

}  // namespace hm::trust
