// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/messages.h"

#include <algorithm>

#include "core/consensus/limits.h"
#include "foundation/codec/reader.h"

namespace hm::consensus {
namespace {

bool within(const Certificate& certificate) {
  return certificate.signatures.size() <= kMaxValidators &&
         certificate.signers.size() <= (kMaxValidators + 7) / 8;
}

bool within(const std::vector<Certificate>& certificates, std::size_t limit) {
  return certificates.size() <= limit &&
         std::ranges::all_of(certificates, [](const Certificate& c) { return within(c); });
}

bool within(const Block& block) {
  return block.payload.size() <= kMaxPayloadBytes && within(block.parent_certificate) &&
         within(block.skip_certificates, kMaxSkippedViews);
}

struct Limits {
  bool operator()(const Proposal& body) const { return within(body.block); }
  bool operator()(const BlockReply& body) const { return within(body.block); }
  bool operator()(const Certificates& body) const {
    return within(body.certificates, kMaxHelpCertificates);
  }
  bool operator()(const FinalBlocks& body) const {
    return body.blocks.size() <= kMaxSyncBlocks &&
           std::ranges::all_of(body.blocks, [](const FinalBlock& b) {
             return within(b.block) && within(b.certificate);
           });
  }
  bool operator()(const auto&) const { return true; }
};

}  // namespace

std::string_view name_of(MessageError error) {
  switch (error) {
    case MessageError::TooLong: return "message too long";
    case MessageError::Undecodable: return "message does not decode";
    case MessageError::OverLimit: return "message exceeds a limit";
  }
  return "unknown";
}

Bytes encode_message(const Message& message) { return codec::encode(message); }

template <class T>
static Bytes encode_with_block(const Beacon& beacon, const Block& block) {
  codec::Writer writer;
  writer.write(beacon);
  writer.write_length(Body(T{}).index());
  writer.write(block);
  return std::move(writer).take();
}

Bytes encode_proposal(const Beacon& beacon, const Block& block) {
  return encode_with_block<Proposal>(beacon, block);
}

Bytes encode_block_reply(const Beacon& beacon, const Block& block) {
  return encode_with_block<BlockReply>(beacon, block);
}

Bytes encode_final_blocks(const Beacon& beacon, Height from, const std::vector<Bytes>& blocks) {
  const std::size_t tag = Body(FinalBlocks{}).index();
  codec::Writer writer;
  writer.write(beacon);
  writer.write_length(tag);
  writer.write(from);
  writer.write_length(blocks.size());
  for (const Bytes& block : blocks) writer.write_raw(block);
  return std::move(writer).take();
}

Result<Message, MessageError> decode_message(ByteView bytes) {
  if (bytes.size() > kMaxMessageBytes) return fail(MessageError::TooLong);
  auto message = codec::decode<Message>(bytes);
  if (!message) return fail(MessageError::Undecodable);
  if (!std::visit(Limits{}, message->body)) return fail(MessageError::OverLimit);
  return std::move(*message);
}

}  // namespace hm::consensus
