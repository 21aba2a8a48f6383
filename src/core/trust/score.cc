// SPDX-License-Identifier: Apache-2.0
#include "core/trust/score.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace hm::trust {
namespace {

// Signed: what an event adds for each thousandth of it.
constexpr std::array<std::int64_t, kEvents> kWeights = {
    kWitnessedWeight,
    -kMissedWeight,
    kLeaseKeptWeight,
    -kLeaseFailedWeight,
    kAuditPassedWeight,
    -kAuditFailedWeight,
    0,
    -kDisagreementWeight,
};
constexpr std::int64_t kPrior = kPriorWeight * static_cast<std::int64_t>(kCountScale);

// All counts at their largest, times 500, still fit.
static_assert([] {
  std::int64_t sum = 0;
  for (const std::int64_t weight : kWeights) sum += weight < 0 ? -weight : weight;
  return sum <= (INT64_MAX - kPrior) / kNeutralScore / static_cast<std::int64_t>(kMaxCount);
}());

// Rounds towards minus infinity, so that a sum of rounded differences telescopes and a bad event
// never counts as nothing by rounding towards 0. Requires: denominator > 0.
std::int64_t floor_div(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t quotient = numerator / denominator;
  return numerator % denominator < 0 ? quotient - 1 : quotient;
}

}  // namespace

std::uint16_t score(const Behaviour& behaviour, UnixMillis now) {
  std::int64_t total = 0;
  for (const Term& term : explain(behaviour, now)) total += term.contribution;
  return static_cast<std::uint16_t>(total);
}

std::vector<Term> explain(const Behaviour& behaviour, UnixMillis now) {
  Behaviour today = behaviour;
  fade(today, now);
  std::array<std::int64_t, kEvents> weighed{};
  std::int64_t whole = kPrior;
  for (std::size_t i = 0; i < kEvents; ++i) {
    const std::uint64_t count = std::min(today.count(static_cast<Event>(i)), kMaxCount);
    weighed[i] = kWeights[i] * static_cast<std::int64_t>(count);
    whole += std::abs(weighed[i]);
  }
  // Each term is the rise of the rounded running sum, so that they add up to the rounded whole.
  std::vector<Term> terms = {{"neutral", 0, kNeutralScore}};
  std::int64_t running = 0;
  std::int64_t shown = 0;
  for (std::size_t i = 0; i < kEvents; ++i) {
    running += weighed[i];
    const std::int64_t reached = floor_div(kNeutralScore * running, whole);
    const auto event = static_cast<Event>(i);
    terms.push_back(
        {name_of(event), today.count(event), static_cast<std::int32_t>(reached - shown)});
    shown = reached;
  }
  return terms;
}

}  // namespace hm::trust
