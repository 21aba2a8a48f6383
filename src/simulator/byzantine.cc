// SPDX-License-Identifier: Apache-2.0
#include "simulator/byzantine.h"

#include <deque>
#include <map>
#include <utility>

#include "core/consensus/certificate.h"
#include "foundation/base/check.h"

namespace hm::simulator {
namespace {

using consensus::Block;
using consensus::Certificate;
using consensus::Message;
using consensus::Proposal;
using consensus::Statement;
using consensus::VoteKind;
using consensus::VoteMessage;
using ports::SharedBytes;

// Old messages kept for saying them again.
constexpr std::size_t kMemory = 48;

SharedBytes pack(const Message& message) {
  return std::make_shared<const Bytes>(consensus::encode_message(message));
}

class Traitor {
 public:
  Traitor(Treason treason, World& world, std::size_t who, const ConsensusSetup& setup,
          consensus::SigningKey key)
      : treason_(treason),
        setup_(setup),
        index_(setup.validators.index_of(world.member(who).node).value()),
        key_(std::move(key)),
        random_(world.fork_random()) {}

  std::vector<SharedBytes> pass(const identity::NodeId& to, SharedBytes payload) {
    auto message = consensus::decode_message(*payload);
    HM_CHECK(message.has_value());
    switch (treason_) {
      case Treason::Silent:
        if (std::holds_alternative<Proposal>(message->body)) return {};
        return {std::move(payload)};
      case Treason::Selective:
        if (shuns(to, *message)) return {};
        return {std::move(payload)};
      case Treason::Equivocating: return equivocate(to, std::move(*message), std::move(payload));
      case Treason::WrongRoots: return claim_root(std::move(*message), std::move(payload));
      case Treason::Mutating: return mutate(std::move(*message), std::move(payload));
      case Treason::Replaying: return replay(std::move(payload));
      default: return {std::move(payload)};
    }
  }

 private:
  static std::uint64_t view_of(const Message& message) {
    if (const auto* p = std::get_if<Proposal>(&message.body)) return p->block.header.view;
    if (const auto* v = std::get_if<VoteMessage>(&message.body)) return v->vote.statement.view;
    return 0;
  }

  // One half of the peers, another for each view.
  bool in_second_half(const identity::NodeId& to, std::uint64_t view) const {
    return ((to.bytes[0] ^ (view * 37)) & 1) != 0;
  }

  bool shuns(const identity::NodeId& to, const Message& message) const {
    const std::uint64_t view = view_of(message);
    return view > 0 && in_second_half(to, view);
  }

  void sign(Block& block) const {
    const Statement statement{VoteKind::Propose, block.header.view, hash_of(block.header)};
    block.signature = sign_vote(statement, index_, key_, setup_.domain).signature;
  }

  void twist(Block& block) const {
    block.header.justification_hash =
        justification_hash_of(block.parent_certificate, block.skip_certificates);
    block.header.payload_hash = crypto::sha256(block.payload);
    sign(block);
  }

  // The second half of the peers sees another block and votes for it.
  std::vector<SharedBytes> equivocate(const identity::NodeId& to, Message message,
                                      SharedBytes payload) {
    const std::uint64_t view = view_of(message);
    if (view == 0 || !in_second_half(to, view)) return {std::move(payload)};
    if (auto* proposal = std::get_if<Proposal>(&message.body)) {
      if (proposal->block.header.proposer != index_) return {std::move(payload)};
      ++proposal->block.header.time_ms;
      twist(proposal->block);
      other_hash_[view] = {hash_of(proposal->block.header), proposal->block.signature};
      while (other_hash_.size() > kMemory) other_hash_.erase(other_hash_.begin());
      return {pack(message)};
    }
    auto& vote = std::get<VoteMessage>(message.body);
    const auto other = other_hash_.find(view);
    if (vote.vote.statement.kind == VoteKind::Nullify || other == other_hash_.end()) {
      return {std::move(payload)};
    }
    vote.vote.statement.block = other->second.first;
    vote.vote = sign_vote(vote.vote.statement, index_, key_, setup_.domain);
    if (vote.proposal_signature) vote.proposal_signature = other->second.second;
    std::vector<SharedBytes> both{pack(message)};
    if (random_.chance(300)) both.push_back(std::move(payload));
    return both;
  }

  std::vector<SharedBytes> claim_root(Message message, SharedBytes payload) {
    auto* proposal = std::get_if<Proposal>(&message.body);
    if (proposal == nullptr || proposal->block.header.proposer != index_) return {payload};
    consensus::ExecutionRoot& exec = proposal->block.header.exec;
    switch (random_.below(3)) {
      case 0: exec.root.bytes[3] ^= 1; break;
      case 1: exec.height += 1; break;
      default: proposal->block.payload.push_back(0xff); break;
    }
    twist(proposal->block);
    return {pack(message)};
  }

  Statement wrong(Statement statement) {
    switch (random_.below(5)) {
      case 0: ++statement.view; break;
      case 1: statement.view -= statement.view > 0 ? 1 : 0; break;
      case 2:
        if (!hashes_.empty()) statement.block = hashes_[random_.below(hashes_.size())];
        break;
      case 3:
        statement.kind = VoteKind::Nullify;
        statement.block = {};
        break;
      default:
        statement.kind =
            statement.kind == VoteKind::Finalize ? VoteKind::Notarize : VoteKind::Finalize;
        break;
    }
    return statement;
  }

  void damage(Certificate& certificate) {
    if (random_.chance(400) && !certificates_.empty()) {
      certificate = certificates_[random_.below(certificates_.size())];
    } else if (!certificate.signers.empty() && random_.chance(500)) {
      certificate.signers[random_.below(certificate.signers.size())] ^=
          static_cast<std::uint8_t>(1U << random_.below(8));
    } else if (!certificate.signatures.empty()) {
      certificate.signatures.push_back(certificate.signatures.front());
    }
  }

  void remember(const Message& message) {
    if (const auto* p = std::get_if<Proposal>(&message.body)) {
      hashes_.push_back(hash_of(p->block.header));
      if (p->block.header.parent_view > 0) certificates_.push_back(p->block.parent_certificate);
      for (const Certificate& skip : p->block.skip_certificates) certificates_.push_back(skip);
    }
    while (hashes_.size() > kMemory) hashes_.pop_front();
    while (certificates_.size() > kMemory) certificates_.pop_front();
  }

  void mutate_block(Block& block) {
    switch (random_.below(7)) {
      case 0: ++block.header.view; break;
      case 1: ++block.header.height; break;
      case 2:
        if (!hashes_.empty()) block.header.parent_hash = hashes_[random_.below(hashes_.size())];
        break;
      case 3: damage(block.parent_certificate); break;
      case 4:
        if (!block.skip_certificates.empty()) block.skip_certificates.pop_back();
        break;
      case 5: block.header.time_ms += random_.below(10'000); break;
      default:
        // An older parent than the newest: the skip certificates no longer fit the gap.
        if (!certificates_.empty()) {
          const Certificate& old = certificates_[random_.below(certificates_.size())];
          block.parent_certificate = old;
          block.header.parent_view = old.statement.view;
          block.header.parent_hash = old.statement.block;
        }
        break;
    }
    twist(block);
  }

  std::vector<SharedBytes> mutate(Message message, SharedBytes payload) {
    remember(message);
    if (random_.chance(600)) return {std::move(payload)};
    if (auto* proposal = std::get_if<Proposal>(&message.body)) {
      mutate_block(proposal->block);
    } else if (auto* vote = std::get_if<VoteMessage>(&message.body)) {
      vote->vote = sign_vote(wrong(vote->vote.statement), index_, key_, setup_.domain);
    } else if (auto* list = std::get_if<consensus::Certificates>(&message.body)) {
      for (Certificate& certificate : list->certificates) damage(certificate);
    } else {
      message.beacon.view += random_.below(2000);
      message.beacon.final_height += random_.below(2000);
    }
    std::vector<SharedBytes> result{pack(message)};
    if (random_.chance(500)) result.push_back(std::move(payload));
    return result;
  }

  std::vector<SharedBytes> replay(SharedBytes payload) {
    old_.push_back(payload);
    if (old_.size() > kMemory) old_.pop_front();
    std::vector<SharedBytes> result{payload};
    if (random_.chance(250)) result.push_back(old_[random_.below(old_.size())]);
    if (random_.chance(120)) {
      Bytes broken = *old_[random_.below(old_.size())];
      if (!broken.empty()) {
        broken[random_.below(broken.size())] ^= static_cast<std::uint8_t>(1U << random_.below(8));
      }
      if (random_.chance(200)) broken.resize(random_.below(broken.size() + 1));
      result.push_back(std::make_shared<const Bytes>(std::move(broken)));
    }
    return result;
  }

  Treason treason_;
  const ConsensusSetup& setup_;
  consensus::ValidatorIndex index_;
  consensus::SigningKey key_;
  SimRandom random_;
  std::map<std::uint64_t, std::pair<crypto::Digest, crypto::Signature>> other_hash_;
  std::deque<crypto::Digest> hashes_;
  std::deque<Certificate> certificates_;
  std::deque<SharedBytes> old_;
};

}  // namespace

Tamper make_tamper(Treason treason, World& world, std::size_t who, const ConsensusSetup& setup,
                   consensus::SigningKey key) {
  HM_CHECK(treason != Treason::Twins);
  auto traitor = std::make_shared<Traitor>(treason, world, who, setup, std::move(key));
  return [traitor](Place, const identity::NodeId& to, ports::Channel channel, SharedBytes payload) {
    const bool is_of_consensus =
        channel == ports::Channel::Consensus || channel == ports::Channel::Sync;
    if (!is_of_consensus) return std::vector<SharedBytes>{std::move(payload)};
    return traitor->pass(to, std::move(payload));
  };
}

}  // namespace hm::simulator
