// SPDX-License-Identifier: Apache-2.0
// What the node of a lease says came out of what ran under it, and what several such words show
// together when one tenant ran the same thing with several owners. A node signs a commitment first
// and opens it when all have committed, so that nobody can repeat another's answer. Pure; whether
// the leases are such, the ledger says (rules_result.cc). docs/protocols/lending.md, "Results".
//
// It does not tell which answer is right, only which one most gave.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "core/identity/ids.h"
#include "core/ledger/lease.h"
#include "foundation/crypto/ed25519.h"
#include "foundation/crypto/hash.h"

namespace hm::ledger {

// Without it a commitment to a result that can be guessed would be the result.
using ResultSalt = std::array<std::uint8_t, 32>;

struct SignedResult {
  LeaseId lease;
  crypto::Digest commitment;
  crypto::Digest output;  // of what was put out; what it covers is the two nodes' matter
  std::uint8_t exit_code = 0;
  ResultSalt salt{};
  crypto::PublicKey key;        // of the lease's node
  crypto::Signature signature;  // of result_statement()
  bool operator==(const SignedResult&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.lease, self.commitment, self.output, self.exit_code, self.salt, self.key,
                    self.signature);
  }
};

// H("hm.result-commitment.v1", chain, lease, output, exit_code, salt)
crypto::Digest result_commitment(const identity::ChainId& chain, const LeaseId& lease,
                                 const crypto::Digest& output, std::uint8_t exit_code,
                                 const ResultSalt& salt);
// H("hm.result.v1", chain, lease, commitment): what the node signs, before it opens it.
crypto::Digest result_statement(const identity::ChainId& chain, const LeaseId& lease,
                                const crypto::Digest& commitment);

SignedResult sign_result(const identity::ChainId& chain, const LeaseId& lease,
                         const crypto::Digest& output, std::uint8_t exit_code,
                         const ResultSalt& salt, const crypto::SigningKey& key);

enum class ResultFault : std::uint8_t {
  NotCommitted,  // output, exit code and salt do not open the commitment
  BadSignature,
};
// Nothing: it is the word of who has the key.
std::optional<ResultFault> check_result(const identity::ChainId& chain, const SignedResult& result);

struct Tally {
  std::size_t agreeing = 0;             // that gave the answer which most gave
  bool has_majority = false;            // they are more than half
  std::vector<std::size_t> dissenting;  // places of the others, in order
  bool operator==(const Tally&) const = default;
};
// Output and exit code together are the answer.
Tally tally(std::span<const SignedResult> results);

// H("hm.disagreement.v1", chain, results): what the leases remember.
crypto::Digest evidence_hash(const identity::ChainId& chain,
                             const std::vector<SignedResult>& results);

}  // namespace hm::ledger
