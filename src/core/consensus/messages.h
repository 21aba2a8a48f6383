// SPDX-License-Identifier: Apache-2.0
// What replicas say to each other: a beacon on every message and one of a closed list of bodies.
// BCS; decode_message() is strict and bounded (limits.h). Normative: docs/protocols/consensus.md.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/consensus/types.h"
#include "foundation/base/result.h"

namespace hm::consensus {

// Where the sender stands. Unsigned: used to choose whom to help and whom to ask, never to decide.
struct Beacon {
  View view = 0;
  View final_view = 0;
  Height final_height = 0;
  bool operator==(const Beacon&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.view, self.final_view, self.final_height);
  }
};

// "Still here": sent when a peer appears and on the retry timer. Peers that are ahead answer with
// the certificates that the sender lacks. A validator that abstains says so, and its turns to lead
// cost nobody a time-out.
struct Status {
  bool abstains = false;
  bool operator==(const Status&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.abstains); }
};

struct Proposal {
  Block block;
  bool operator==(const Proposal&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.block); }
};

// A vote of the sender. A notarize vote carries the leader's signature on the block voted for, so
// that equivocation shows after one delay.
struct VoteMessage {
  Vote vote;
  std::optional<Signature> proposal_signature;
  bool operator==(const VoteMessage&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.vote, self.proposal_signature); }
};

struct Certificates {
  std::vector<Certificate> certificates;
  bool operator==(const Certificates&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.certificates); }
};

// Asks for the certificates of views [from, to].
struct FetchCertificates {
  View from = 0;
  View to = 0;
  bool operator==(const FetchCertificates&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.from, self.to); }
};

// Asks for the body of a notarized block.
struct FetchBlock {
  View view = 0;
  Digest hash;
  bool operator==(const FetchBlock&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.view, self.hash); }
};

struct BlockReply {
  Block block;
  bool operator==(const BlockReply&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.block); }
};

// Asks for final blocks by height.
struct FetchFinal {
  Height from = 0;
  std::uint32_t count = 0;
  bool operator==(const FetchFinal&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.from, self.count); }
};

struct FinalBlocks {
  Height from = 0;
  std::vector<FinalBlock> blocks;
  bool operator==(const FinalBlocks&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.from, self.blocks); }
};

using Body = std::variant<Status, Proposal, VoteMessage, Certificates, FetchCertificates,
                          FetchBlock, BlockReply, FetchFinal, FinalBlocks>;

struct Message {
  Beacon beacon;
  Body body;
  bool operator==(const Message&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.beacon, self.body); }
};

enum class MessageError : std::uint8_t {
  TooLong,  // above kMaxMessageBytes
  Undecodable,
  OverLimit,  // payload, skip certificates, signers, blocks or certificates above their limits
};
std::string_view name_of(MessageError error);

Bytes encode_message(const Message& message);
// Message{beacon, Proposal{block}} and Message{beacon, BlockReply{block}} without copying the
// block.
Bytes encode_proposal(const Beacon& beacon, const Block& block);
Bytes encode_block_reply(const Beacon& beacon, const Block& block);
// FinalBlocks from blocks that are already encoded, without decoding them.
Bytes encode_final_blocks(const Beacon& beacon, Height from, const std::vector<Bytes>& blocks);
Result<Message, MessageError> decode_message(ByteView bytes);

}  // namespace hm::consensus
