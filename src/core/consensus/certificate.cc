// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/certificate.h"

#include <algorithm>
#include <bit>

#include "foundation/base/check.h"

namespace hm::consensus {

std::string_view name_of(CertificateError error) {
  switch (error) {
    case CertificateError::WrongKind: return "statement that no certificate can have";
    case CertificateError::BadBitmap: return "signer bitmap malformed";
    case CertificateError::SignatureCount: return "signatures do not match the bitmap";
    case CertificateError::NoQuorum: return "not signed by more than two thirds of the stake";
    case CertificateError::BadSignature: return "invalid signature";
  }
  return "unknown";
}

std::string_view name_of(EvidenceError error) {
  switch (error) {
    case EvidenceError::UnknownSigner: return "unknown signer";
    case EvidenceError::DifferentSigners: return "different signers";
    case EvidenceError::DifferentViews: return "different views";
    case EvidenceError::NoConflict: return "statements do not conflict";
    case EvidenceError::NotCanonical: return "statements out of order";
    case EvidenceError::BadSignature: return "invalid signature";
  }
  return "unknown";
}

Result<void, CertificateError> check_form(const Certificate& certificate,
                                          const ValidatorSet& validators) {
  const Statement& statement = certificate.statement;
  if (statement.kind == VoteKind::Propose) return fail(CertificateError::WrongKind);
  if ((statement.kind == VoteKind::Nullify) != statement.block.is_zero()) {
    return fail(CertificateError::WrongKind);
  }
  const std::size_t count = validators.size();
  if (certificate.signers.size() != (count + 7) / 8) return fail(CertificateError::BadBitmap);
  std::size_t bits = 0;
  for (const std::uint8_t byte : certificate.signers) {
    bits += static_cast<std::size_t>(std::popcount(byte));
  }
  if (count % 8 != 0 && (certificate.signers.back() >> (count % 8)) != 0) {
    return fail(CertificateError::BadBitmap);
  }
  if (bits != certificate.signatures.size()) return fail(CertificateError::SignatureCount);
  std::uint64_t stake = 0;
  for (const ValidatorIndex index : signers_of(certificate)) stake += validators.at(index).stake;
  if (!validators.is_quorum(stake)) return fail(CertificateError::NoQuorum);
  return {};
}

Result<void, CertificateError> verify_certificate(const Certificate& certificate,
                                                  const ChainDomain& domain,
                                                  const ValidatorSet& validators) {
  HM_TRY_VOID(check_form(certificate, validators));
  const Digest digest = signing_digest(domain, certificate.statement);
  std::size_t next = 0;
  for (const ValidatorIndex index : signers_of(certificate)) {
    if (!crypto::verify(validators.at(index).key, digest.view(), certificate.signatures[next++])) {
      return fail(CertificateError::BadSignature);
    }
  }
  return {};
}

bool verify_vote(const Vote& vote, const ChainDomain& domain, const ValidatorSet& validators) {
  return vote.signer < validators.size() &&
         crypto::verify(validators.at(vote.signer).key,
                        signing_digest(domain, vote.statement).view(), vote.signature);
}

Vote sign_vote(const Statement& statement, ValidatorIndex signer, const SigningKey& key,
               const ChainDomain& domain) {
  return {statement, signer, key.sign(signing_digest(domain, statement).view())};
}

bool has_signer(const Certificate& certificate, ValidatorIndex index) {
  const std::size_t byte = index / 8u;
  return byte < certificate.signers.size() &&
         ((certificate.signers[byte] >> (index % 8u)) & 1) != 0;
}

std::vector<ValidatorIndex> signers_of(const Certificate& certificate) {
  std::vector<ValidatorIndex> signers;
  for (std::size_t i = 0; i < certificate.signers.size() * 8; ++i) {
    const auto index = static_cast<ValidatorIndex>(i);
    if (has_signer(certificate, index)) signers.push_back(index);
  }
  return signers;
}

Certificate assemble(const Statement& statement, const std::vector<Vote>& votes,
                     std::size_t validator_count) {
  Certificate certificate{statement, Bytes((validator_count + 7) / 8, 0), {}};
  for (std::size_t i = 0; i < votes.size(); ++i) {
    HM_CHECK(votes[i].statement == statement && votes[i].signer < validator_count);
    HM_CHECK(i == 0 || votes[i - 1].signer < votes[i].signer);
    auto& byte = certificate.signers[votes[i].signer / 8u];
    byte = static_cast<std::uint8_t>(byte | (1u << (votes[i].signer % 8u)));
    certificate.signatures.push_back(votes[i].signature);
  }
  return certificate;
}

Result<FaultKind, EvidenceError> verify_evidence(const Evidence& evidence,
                                                 const ChainDomain& domain,
                                                 const ValidatorSet& validators) {
  const auto& [first, second] = evidence;
  if (first.signer >= validators.size()) return fail(EvidenceError::UnknownSigner);
  if (first.signer != second.signer) return fail(EvidenceError::DifferentSigners);
  if (first.statement.view != second.statement.view) return fail(EvidenceError::DifferentViews);
  if (!(first.statement < second.statement)) return fail(EvidenceError::NotCanonical);
  const auto fault = conflict_of(first.statement, second.statement);
  if (!fault) return fail(EvidenceError::NoConflict);
  if (!verify_vote(first, domain, validators) || !verify_vote(second, domain, validators)) {
    return fail(EvidenceError::BadSignature);
  }
  return *fault;
}

Result<void, CertificateError> verify_final(const FinalBlock& final_block,
                                            const ChainDomain& domain,
                                            const ValidatorSet& validators) {
  const Statement expected{VoteKind::Finalize, final_block.block.header.view,
                           hash_of(final_block.block.header)};
  if (final_block.certificate.statement != expected || !body_matches(final_block.block) ||
      final_block.block.header.domain != domain) {
    return fail(CertificateError::WrongKind);
  }
  return verify_certificate(final_block.certificate, domain, validators);
}

}  // namespace hm::consensus
