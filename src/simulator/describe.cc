// SPDX-License-Identifier: Apache-2.0
#include "simulator/describe.h"

#include <fmt/format.h>

#include "core/consensus/messages.h"

namespace hm::simulator {
namespace {

struct BodyName {
  std::string operator()(const consensus::Status&) const { return "status"; }
  std::string operator()(const consensus::Proposal& p) const {
    return fmt::format("proposal view {} height {} parent {} {}", p.block.header.view,
                       p.block.header.height, p.block.header.parent_view,
                       hash_of(p.block.header).to_string().substr(0, 8));
  }
  std::string operator()(const consensus::VoteMessage& m) const {
    const consensus::Statement& s = m.vote.statement;
    return fmt::format("{} view {} {}", name_of(s.kind), s.view, s.block.to_string().substr(0, 8));
  }
  std::string operator()(const consensus::Certificates& m) const {
    std::string text = "certificates";
    for (const consensus::Certificate& c : m.certificates) {
      text += fmt::format(" {}:{}", name_of(c.statement.kind), c.statement.view);
    }
    return text;
  }
  std::string operator()(const consensus::FetchCertificates& m) const {
    return fmt::format("fetch certificates {}..{}", m.from, m.to);
  }
  std::string operator()(const consensus::FetchBlock& m) const {
    return fmt::format("fetch block view {} {}", m.view, m.hash.to_string().substr(0, 8));
  }
  std::string operator()(const consensus::BlockReply& m) const {
    return fmt::format("block view {}", m.block.header.view);
  }
  std::string operator()(const consensus::FetchFinal& m) const {
    return fmt::format("fetch final {}+{}", m.from, m.count);
  }
  std::string operator()(const consensus::FinalBlocks& m) const {
    return fmt::format("final blocks {}+{}", m.from, m.blocks.size());
  }
};

}  // namespace

std::string describe_message(ports::Channel channel, ByteView payload) {
  if (channel == ports::Channel::Gossip) return "operations";
  if (channel == ports::Channel::Leases) return "reading";
  if (channel == ports::Channel::Containers) return "stream of a container";
  if (channel == ports::Channel::Storage) return "shards";
  const auto message = consensus::decode_message(payload);
  if (!message) return std::string("undecodable: ") + std::string(name_of(message.error()));
  return std::visit(BodyName{}, message->body);
}

}  // namespace hm::simulator
