// SPDX-License-Identifier: Apache-2.0
// Demurrage: what a balance loses for every day that it lies idle. Exact, day by day, so that a
// balance is the same however the days are split among calls: a ledger may charge when it touches
// an account instead of touching every account every day.
#pragma once

#include <cstdint>

#include "core/caesar/amount.h"
#include "foundation/base/time.h"

namespace hm::caesar {

inline constexpr std::uint64_t kMillisPerDay = 86'400'000;

// Each day b becomes b − ⌊b · ppm / 10⁶⌋. From b · ppm < 10⁶ on nothing changes, so the cost is the
// smaller of `days` and about 10⁶/ppm · ln(b·ppm/10⁶) steps, of some nanoseconds each: 3 650 for an
// account untouched for ten years, and at most 3.1·10⁷ for any arguments.
// Requires: ppm_per_day < 10⁶.
Amount after_demurrage(Amount balance, std::uint32_t ppm_per_day, std::uint64_t days);

// Whole days since genesis; 0 before it.
std::uint64_t day_of(UnixMillis genesis, UnixMillis now);

}  // namespace hm::caesar
