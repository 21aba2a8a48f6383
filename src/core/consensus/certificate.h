// SPDX-License-Identifier: Apache-2.0
// Certificates and evidence: pure checks, usable by light clients and by `ledger verify`.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/consensus/types.h"
#include "core/consensus/validator_set.h"
#include "foundation/base/result.h"

namespace hm::consensus {

enum class CertificateError : std::uint8_t {
  WrongKind,       // Propose has no certificates; Nullify with a block, others without
  BadBitmap,       // wrong length or bits past the last validator
  SignatureCount,  // not one signature per set bit
  NoQuorum,        // 3·signed ≤ 2·total
  BadSignature,
};
std::string_view name_of(CertificateError error);

// Form and quorum, without the signatures.
Result<void, CertificateError> check_form(const Certificate& certificate,
                                          const ValidatorSet& validators);
// Everything. Costs one signature verification per signer.
Result<void, CertificateError> verify_certificate(const Certificate& certificate,
                                                  const ChainDomain& domain,
                                                  const ValidatorSet& validators);

bool verify_vote(const Vote& vote, const ChainDomain& domain, const ValidatorSet& validators);

// Signs a statement. The only caller with a live key is the voter; tests and Byzantine nodes of the
// simulator call it too.
Vote sign_vote(const Statement& statement, ValidatorIndex signer, const SigningKey& key,
               const ChainDomain& domain);

bool has_signer(const Certificate& certificate, ValidatorIndex index);
// Indices of the set bits, ascending. Requires check_form.
std::vector<ValidatorIndex> signers_of(const Certificate& certificate);

// Puts votes for one statement together; signers ascending and distinct.
Certificate assemble(const Statement& statement, const std::vector<Vote>& votes,
                     std::size_t validator_count);

enum class EvidenceError : std::uint8_t {
  UnknownSigner,
  DifferentSigners,
  DifferentViews,
  NoConflict,
  NotCanonical,  // first statement not below the second
  BadSignature,
};
std::string_view name_of(EvidenceError error);

// The fault that `evidence` proves against validators.at(evidence.first.signer).
Result<FaultKind, EvidenceError> verify_evidence(const Evidence& evidence,
                                                 const ChainDomain& domain,
                                                 const ValidatorSet& validators);

// Is `final_block` final, given that its parent is `parent_hash` at height-1? Accepts a
// certificate of the block itself only; for a descendant's certificate follow the chain.
Result<void, CertificateError> verify_final(const FinalBlock& final_block,
                                            const ChainDomain& domain,
                                            const ValidatorSet& validators);

}  // namespace hm::consensus
