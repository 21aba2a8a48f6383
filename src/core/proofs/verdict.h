// SPDX-License-Identifier: Apache-2.0
// The four verdicts shown for an asset. Each follows from facts on the ledger at the moment of the
// question; none is stored. PoStake and PoTime are enforced on every operation; PoSpace and PoWork
// need an audit's record and are `unproven` without one. What each does not stop is said in
// docs/protocols/ledger.md §9.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/assets/record.h"
#include "core/caesar/amount.h"
#include "core/proofs/record.h"

namespace hm::proofs {

enum class Verdict : std::uint8_t {
  Proven,    // the facts on the ledger establish it now
  Unproven,  // nothing on the ledger speaks for or against it
  Refused,   // the facts on the ledger contradict it now
};
// "proven", "unproven", "refused".
std::string_view name_of(Verdict verdict);

struct ProofVerdict {
  Verdict verdict = Verdict::Unproven;
  std::string reason;                            // one sentence with the facts
  std::optional<crypto::Digest> record;          // the proof record or operation it rests on
  std::optional<assets::TimeInterval> interval;  // time only

  bool operator==(const ProofVerdict&) const = default;
};

struct FourVerdicts {
  ProofVerdict space;
  ProofVerdict stake;
  ProofVerdict work;
  ProofVerdict time;

  bool operator==(const FourVerdicts&) const = default;
};

// WHO: the facts about an asset's owner as they are now.
struct StakeFacts {
  bool owner_registered = false;
  bool node_bound_to_owner = false;  // the node that holds the asset belongs to its owner
  caesar::Amount bond;
  caesar::Amount minimum;         // what this kind of operation needs today
  crypto::Digest last_operation;  // signed by the owner or its node
};
ProofVerdict stake_verdict(const StakeFacts& facts);

// WHEN: the interval of the asset's last operation.
ProofVerdict time_verdict(const assets::TimeInterval& interval,
                          const crypto::Digest& last_operation);

// WHERE and WHAT: from the record cited, if the ledger holds it and it has not expired.
ProofVerdict space_verdict(const ProofRecord* record, std::uint64_t height);
ProofVerdict work_verdict(const ProofRecord* record, std::uint64_t height);

}  // namespace hm::proofs
