// SPDX-License-Identifier: Apache-2.0
#include "core/proofs/verdict.h"

#include "core/proofs/record.h"
#include "foundation/crypto/hash.h"

namespace hm::proofs {
namespace {

ProofVerdict audited(const ProofRecord* record, ProofKind kind, std::uint64_t height,
                     std::string_view missing) {
  if (record == nullptr) return {Verdict::Unproven, std::string(missing), {}, {}};
  if (record->kind != kind) {
    return {Verdict::Refused, "the record cited is of another kind", {}, {}};
  }
  const std::string heights =
      "height " + std::to_string(record->height) + " to " + std::to_string(record->expiry_height);
  if (height > record->expiry_height) {
    return {Verdict::Unproven, "the last audit has expired (" + heights + ")", {}, {}};
  }
  return {Verdict::Proven, "audited, valid from " + heights, {}, record->interval};
}

}  // namespace

std::string_view name_of(ProofKind kind) {
  switch (kind) {
    case ProofKind::Space: return "space";
    case ProofKind::Stake: return "stake";
    case ProofKind::Work: return "work";
    case ProofKind::Time: return "time";
  }
  return "unknown";
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Proven: return "proven";
    case Verdict::Unproven: return "unproven";
    case Verdict::Refused: return "refused";
  }
  return "unknown";
}

ProofVerdict stake_verdict(const StakeFacts& facts) {
  if (!facts.owner_registered) {
    return {Verdict::Refused, "the owner is not registered", {}, {}};
  }
  const std::string bond = caesar::to_string(facts.bond) + " CAES bonded";
  const std::string minimum = caesar::to_string(facts.minimum) + " CAES";
  if (facts.bond < facts.minimum) {
    return {
        Verdict::Refused, "the owner has " + bond + ", below the minimum of " + minimum, {}, {}};
  }
  std::string reason =
      "owned through signed operations; the owner has " + bond + " (minimum " + minimum + ")";
  if (!facts.node_bound_to_owner) reason += "; it stands on a node of another owner";
  return {Verdict::Proven, std::move(reason), facts.last_operation, {}};
}

ProofVerdict time_verdict(const assets::TimeInterval& interval,
                          const crypto::Digest& last_operation) {
  if (interval.not_before > interval.not_after) {
    return {Verdict::Refused, "its anchor is younger than the block that includes it",
            last_operation, interval};
  }
  const std::uint64_t width = interval.not_after.value - interval.not_before.value;
  return {Verdict::Proven,
          "last changed within " + std::to_string(width) +
              " ms: after its anchor block, before the block that includes it",
          last_operation, interval};
}

ProofVerdict space_verdict(const ProofRecord* record, std::uint64_t height) {
  return audited(record, ProofKind::Space, height, "no audit of place and capacity on the ledger");
}

ProofVerdict work_verdict(const ProofRecord* record, std::uint64_t height) {
  return audited(record, ProofKind::Work, height, "no audit of computing resources on the ledger");
}

}  // namespace hm::proofs
