// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/demurrage.h"

#include "core/caesar/economy.h"
#include "foundation/base/check.h"

namespace hm::caesar {

Amount after_demurrage(Amount balance, std::uint32_t ppm_per_day, std::uint64_t days) {
  HM_CHECK(ppm_per_day < kPpm);
  std::uint64_t left = balance.value;
  for (; days > 0; --days) {
    // ⌊left · ppm / 10⁶⌋ in two parts, so that no product passes 64 bits.
    const std::uint64_t loss = left / kPpm * ppm_per_day + left % kPpm * ppm_per_day / kPpm;
    if (loss == 0) break;
    left -= loss;
  }
  return Amount{left};
}

std::uint64_t day_of(UnixMillis genesis, UnixMillis now) {
  return now > genesis ? (now.value - genesis.value) / kMillisPerDay : 0;
}

}  // namespace hm::caesar
