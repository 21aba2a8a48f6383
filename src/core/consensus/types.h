// SPDX-License-Identifier: Apache-2.0
// What consensus signs, sends and stores: statements, votes, certificates, blocks, evidence.
// Normative bytes: docs/protocols/consensus.md. Values only; the rules are in voter.h and
// certificate.h. A payload is opaque here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/identity/ids.h"
#include "foundation/base/bytes.h"
#include "foundation/base/time.h"
#include "foundation/codec/reader.h"
#include "foundation/crypto/ed25519.h"
#include "foundation/crypto/hash.h"

namespace hm::consensus {

using crypto::Digest;
using crypto::PublicKey;
using crypto::Signature;
using crypto::SigningKey;
using identity::ChainId;
using identity::NodeId;

using View = std::uint64_t;    // genesis is view 0, voting starts in view 1
using Height = std::uint64_t;  // genesis is height 0
using Epoch = std::uint64_t;
using ValidatorIndex = std::uint16_t;
using LogSequence = std::uint64_t;  // as ports::LogSequence

// Both readings of the clock at the moment of an event.
struct Now {
  MonoTime mono;
  UnixMillis wall;
};

// The state root after executing the final block at `height`.
struct ExecutionRoot {
  Height height = 0;
  Digest root;
  bool operator==(const ExecutionRoot&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.height, self.root); }
};

enum class VoteKind : std::uint8_t { Propose, Notarize, Nullify, Finalize };
std::string_view name_of(VoteKind kind);

// The domain that every signature is bound to.
struct ChainDomain {
  ChainId chain;
  Epoch epoch = 0;
  bool operator==(const ChainDomain&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.chain, self.epoch); }
};

// What a signer states about a view. `block` is zero for Nullify.
struct Statement {
  VoteKind kind = VoteKind::Nullify;
  View view = 0;
  Digest block;
  bool operator==(const Statement&) const = default;
  auto operator<=>(const Statement&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.kind, self.view, self.block); }
};

// The 32 bytes under the signature: tagged hash "hm.vote.v1" of (domain, statement).
Digest signing_digest(const ChainDomain& domain, const Statement& statement);

struct Vote {
  Statement statement;
  ValidatorIndex signer = 0;
  Signature signature;
  bool operator==(const Vote&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.statement, self.signer, self.signature);
  }
};

// A quorum of signatures under one statement. `signers` is a bitmap, bit i%8 of byte i/8 being
// validator i, of exactly ceil(n/8) bytes; `signatures` in the order of the set bits.
struct Certificate {
  Statement statement;
  Bytes signers;
  std::vector<Signature> signatures;
  bool operator==(const Certificate&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.statement, self.signers, self.signatures);
  }
};

// Fixed-size part of a block; its tagged hash "hm.block.v1" is the block's hash. A light client
// needs this and one certificate.
struct BlockHeader {
  ChainDomain domain;
  View view = 0;
  Height height = 0;
  View parent_view = 0;
  Digest parent_hash;
  Digest justification_hash;  // SHA-256 of BCS (parent_certificate, skip_certificates)
  Digest payload_hash;        // SHA-256 of the payload
  std::uint64_t time_ms = 0;  // strictly above the parent's
  ExecutionRoot exec;         // of an executed final ancestor
  ValidatorIndex proposer = 0;
  bool operator==(const BlockHeader&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.domain, self.view, self.height, self.parent_view, self.parent_hash,
                    self.justification_hash, self.payload_hash, self.time_ms, self.exec,
                    self.proposer);
  }
};

struct Block {
  BlockHeader header;
  // Notarize or Finalize certificate of the parent; empty statement view 0 for genesis.
  Certificate parent_certificate;
  // Nullifications of exactly the views parent_view+1 .. view-1, ascending.
  std::vector<Certificate> skip_certificates;
  Bytes payload;
  Signature signature;  // of the proposer, under Statement{Propose, view, hash}
  bool operator==(const Block&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.header, self.parent_certificate, self.skip_certificates, self.payload,
                    self.signature);
  }
};

using BlockPtr = std::shared_ptr<const Block>;

Digest hash_of(const BlockHeader& header);
Digest justification_hash_of(const Certificate& parent, const std::vector<Certificate>& skips);
// True iff the header's hashes fit the body.
bool body_matches(const Block& block);

// A block proven final: `certificate` is a finalization of this block, or of a descendant (then
// the proof is the chain of parent hashes up to the certified block).
struct FinalBlock {
  Block block;
  Certificate certificate;
  bool operator==(const FinalBlock&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.block, self.certificate); }
};

// The BCS encoding of FinalBlock{block, certificate} without copying the block: what the store
// keeps per height.
Bytes encode_final_block(const Block& block, const Certificate& certificate);

// Two statements that one honest key never signs both (research S1-S5).
enum class FaultKind : std::uint8_t {
  DoubleProposal,         // S1 proposals for two hashes in one view
  DoubleNotarize,         // S2 notarize x and notarize y
  NotarizeOtherFinalize,  // S3 notarize x and finalize y
  DoubleFinalize,         // S4 finalize x and finalize y
  NullifyAndFinalize,     // S5 nullify and finalize in one view
};
std::string_view name_of(FaultKind kind);

// `first` and `second` in canonical order (by statement), so that one fault has one encoding.
struct Evidence {
  Vote first;
  Vote second;
  bool operator==(const Evidence&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.first, self.second); }
};

// Which fault two statements in the same view are, if any. Order does not matter.
std::optional<FaultKind> conflict_of(const Statement& a, const Statement& b);

}  // namespace hm::consensus

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::consensus::VoteKind> =
    hm::consensus::VoteKind::Finalize;
