// SPDX-License-Identifier: Apache-2.0
#include "core/caesar/slashing.h"

#include "core/caesar/economy.h"

namespace hm::caesar {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t base_ppm(Fault fault) {
  return fault == Fault::DoubleVote ? kDoubleVotePpm : kInvalidProofPpm;
}

}  // namespace

std::string_view name_of(Fault fault) {
  return fault == Fault::DoubleVote ? "double_vote" : "invalid_proof";
}

Amount slash_amount(Amount stake, Fault fault, Amount also_at_fault, Amount total_stake) {
  const auto base =
      static_cast<std::uint64_t>((Wide{stake.value} * base_ppm(fault) + (kPpm - 1)) / kPpm);
  const Wide tripled = 3 * (Wide{stake.value} + also_at_fault.value);
  if (tripled >= total_stake.value) return stake;
  // Below here tripled fits 64 bits, so the product fits 128.
  const auto correlated =
      static_cast<std::uint64_t>(Wide{stake.value - base} * tripled / total_stake.value);
  return Amount{base + correlated};
}

}  // namespace hm::caesar
