// SPDX-License-Identifier: Apache-2.0
// Proof records: what audits leave on the ledger and operations cite. No audit exists yet, so no
// record does either; a verdict without its record is `unproven`, never anything better.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "core/assets/record.h"
#include "core/identity/ids.h"
#include "foundation/crypto/hash.h"

namespace hm::proofs {

enum class ProofKind : std::uint8_t { Space, Stake, Work, Time };

// "space", "stake", "work", "time".
std::string_view name_of(ProofKind kind);

struct ProofRecord {
  ProofKind kind = ProofKind::Space;
  identity::NodeId subject;
  crypto::Digest asset;  // the asset's hash
  std::uint64_t quantity = 0;
  assets::TimeInterval interval;
  std::uint32_t confidence_ppm = 0;  // parts per million
  std::uint64_t height = 0;
  std::uint64_t expiry_height = 0;
  std::vector<identity::NodeId> auditors;
  crypto::Digest transcript_root;

  bool operator==(const ProofRecord&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.kind, self.subject, self.asset, self.quantity, self.interval,
                    self.confidence_ppm, self.height, self.expiry_height, self.auditors,
                    self.transcript_root);
  }
};

}  // namespace hm::proofs

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::proofs::ProofKind> = hm::proofs::ProofKind::Time;
