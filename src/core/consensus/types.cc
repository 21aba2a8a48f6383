// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/types.h"

namespace hm::consensus {

std::string_view name_of(VoteKind kind) {
  switch (kind) {
    case VoteKind::Propose: return "propose";
    case VoteKind::Notarize: return "notarize";
    case VoteKind::Nullify: return "nullify";
    case VoteKind::Finalize: return "finalize";
  }
  return "unknown";
}

std::string_view name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::DoubleProposal: return "double proposal";
    case FaultKind::DoubleNotarize: return "double notarize";
    case FaultKind::NotarizeOtherFinalize: return "notarize one, finalize another";
    case FaultKind::DoubleFinalize: return "double finalize";
    case FaultKind::NullifyAndFinalize: return "nullify and finalize";
  }
  return "unknown";
}

Digest signing_digest(const ChainDomain& domain, const Statement& statement) {
  codec::Writer writer;
  writer.write(domain);
  writer.write(statement);
  return crypto::tagged_hash("hm.vote.v1", writer.bytes());
}

Digest hash_of(const BlockHeader& header) {
  return crypto::tagged_hash("hm.block.v1", codec::encode(header));
}

Digest justification_hash_of(const Certificate& parent, const std::vector<Certificate>& skips) {
  codec::Writer writer;
  writer.write(parent);
  writer.write(skips);
  return crypto::sha256(writer.bytes());
}

bool body_matches(const Block& block) {
  return block.header.payload_hash == crypto::sha256(block.payload) &&
         block.header.justification_hash ==
             justification_hash_of(block.parent_certificate, block.skip_certificates);
}

Bytes encode_final_block(const Block& block, const Certificate& certificate) {
  codec::Writer writer;
  writer.write(block);
  writer.write(certificate);
  return std::move(writer).take();
}

std::optional<FaultKind> conflict_of(const Statement& a, const Statement& b) {
  if (a.view != b.view) return std::nullopt;
  const Statement& low = a.kind <= b.kind ? a : b;
  const Statement& high = a.kind <= b.kind ? b : a;
  const bool different = low.block != high.block;
  if (low.kind == high.kind) {
    if (!different) return std::nullopt;
    switch (low.kind) {
      case VoteKind::Propose: return FaultKind::DoubleProposal;
      case VoteKind::Notarize: return FaultKind::DoubleNotarize;
      case VoteKind::Finalize: return FaultKind::DoubleFinalize;
      case VoteKind::Nullify: return std::nullopt;
    }
  }
  if (high.kind == VoteKind::Finalize) {
    if (low.kind == VoteKind::Nullify) return FaultKind::NullifyAndFinalize;
    if (low.kind == VoteKind::Notarize && different) return FaultKind::NotarizeOtherFinalize;
  }
  return std::nullopt;
}

}  // namespace hm::consensus
