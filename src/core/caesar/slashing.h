// SPDX-License-Identifier: Apache-2.0
// What a proven fault costs. Only what two signed messages or a failed verification prove is a
// fault; being away, slow or behind never is.
//
//   base       = ⌈stake · base part of the kind⌉             (DoubleVote 5 %, InvalidProof 1 %)
//   at fault   = stake + also_at_fault
//   correlated = (stake − base) · min(1, 3 · at fault / total), rounded down
//   slashed    = base + correlated
//
// One faulty machine costs little; faults together are an attack, and at a third of the total
// stake, where safety ends, they cost everything. The stake itself counts as at fault: a third in
// one hand pays no less than a third in many.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/caesar/amount.h"

namespace hm::caesar {

enum class Fault : std::uint8_t {
  DoubleVote,    // two votes of one key that an honest validator never signs both
  InvalidProof,  // signed a proof that does not verify
};

std::string_view name_of(Fault fault);

inline constexpr std::uint32_t kDoubleVotePpm = 50'000;
inline constexpr std::uint32_t kInvalidProofPpm = 10'000;

// `also_at_fault` is the stake of the others proven at fault within the window, `total_stake` all
// stake at that time. Never above the stake, never 0 for a stake above 0, and never less for more
// `also_at_fault`: a ledger that learns of further faults charges the difference.
Amount slash_amount(Amount stake, Fault fault, Amount also_at_fault, Amount total_stake);

}  // namespace hm::caesar
