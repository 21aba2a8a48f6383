// SPDX-License-Identifier: Apache-2.0
// Machine: messages of other replicas. Everything here is hostile input.
#include <algorithm>

#include "core/consensus/machine.h"

namespace hm::consensus {

void Machine::handle_message(const NodeId& from, ByteView bytes, Now now) {
  if (!started_) return;
  ++counters_.messages;
  auto message = decode_message(bytes);
  if (!message) return refuse(Refusal::Malformed);
  Peer* peer = touch(from);
  if (peer == nullptr) return refuse(Refusal::PeerLimit);
  peer->beacon = message->beacon;
  if (!peer->first_view) peer->first_view = message->beacon.view;
  peer->last_heard = now.mono;
  peer->suspect = false;
  std::visit([&](auto& body) { receive(from, body, now); }, message->body);
  react(now);
}

bool Machine::is_in_window(View view) const {
  return view + kPastViews >= tip().view && view <= view_ + kFutureViews;
}

void Machine::receive(const NodeId& from, Status& body, Now now) {
  Peer& peer = peers_[from];
  peer.abstains = body.abstains;
  const Beacon theirs = peer.beacon;
  if (theirs.view < view_ || theirs.final_view < tip().view) {
    help(from, theirs.view, theirs.final_view, now);
  }
}

void Machine::receive(const NodeId&, Proposal& body, Now now) {
  const BlockHeader& header = body.block.header;
  if (header.domain != config_.domain) return refuse(Refusal::BadBlock);
  if (header.view > view_ + kFutureViews) {
    // Far ahead: its certificates, which prove themselves, may take us there.
    if (!is_well_formed(body.block) || !learn_justification(body.block)) {
      return refuse(Refusal::BadCertificate);
    }
    enter_views(now);
  }
  if (!is_in_window(header.view) || header.view == 0) return refuse(Refusal::OutsideWindow);
  if (header.proposer != validators_.leader(header.view)) return refuse(Refusal::NotLeader);
  const Digest hash = hash_of(header);
  if (tree_.find(hash) != nullptr) return;
  if (!has_proposer_signature(body.block, hash)) return refuse(Refusal::BadSignature);
  if (header.view <= tip().view) return refuse(Refusal::OutsideWindow);  // kept as evidence only
  if (tree_.at_view(header.view).size() >= kMaxProposalsPerView) return;
  // From here on the leader itself is to blame.
  const bool formed = is_well_formed(body.block);
  if (!formed || !learn_justification(body.block)) {
    bad_views_.insert(header.view);
    return refuse(formed ? Refusal::BadCertificate : Refusal::BadBlock);
  }
  proposal_seen_.try_emplace(header.view, now.mono);
  if (const auto leader = peers_.find(validators_.at(header.proposer).node);
      leader != peers_.end()) {
    leader->second.missed_turn = false;
  }
  tree_.insert(std::make_shared<const Block>(std::move(body.block)), hash);
}

// Verified once per (block, signature); a second hash in one view becomes evidence on the way.
bool Machine::has_proposer_signature(const Block& block, const Digest& hash) {
  const View view = block.header.view;
  const ValidatorIndex proposer = block.header.proposer;
  if (collector_.proposal_signature(view, proposer, hash) == block.signature) return true;
  const Vote vote{{VoteKind::Propose, view, hash}, proposer, block.signature};
  const auto outcome = collector_.add_relayed(vote);
  if (outcome == VoteCollector::Outcome::Counted) return true;
  if (outcome == VoteCollector::Outcome::BadSignature) return false;
  return verify_vote(vote, config_.domain, validators_);  // another signature, or a third hash
}

// What can be judged without knowing the parent.
bool Machine::is_well_formed(const Block& block) const {
  const BlockHeader& header = block.header;
  if (header.height == 0 || header.parent_view >= header.view ||
      header.exec.height >= header.height) {
    return false;
  }
  const Statement& parent = block.parent_certificate.statement;
  if (header.parent_view == 0) {
    if (header.parent_hash != config_.genesis_hash || header.height != 1 ||
        block.parent_certificate != Certificate{}) {
      return false;
    }
  } else if (parent.view != header.parent_view || parent.block != header.parent_hash ||
             (parent.kind != VoteKind::Notarize && parent.kind != VoteKind::Finalize)) {
    return false;
  }
  // The skip certificates cover the gap exactly (pitfall P1).
  if (block.skip_certificates.size() != header.view - header.parent_view - 1) return false;
  for (std::size_t i = 0; i < block.skip_certificates.size(); ++i) {
    const Statement expected{VoteKind::Nullify, header.parent_view + 1 + i, {}};
    if (block.skip_certificates[i].statement != expected) return false;
  }
  return body_matches(block);
}

// Verifies the certificates of a block and keeps them: they may end views for us too.
bool Machine::learn_justification(const Block& block) {
  const BlockHeader& header = block.header;
  if (header.parent_view < tip().view) return false;  // would skip a final view
  if (header.parent_view == tip().view) {
    if (header.parent_hash != tip().hash) return false;
  } else if (collector_.add_certificate(block.parent_certificate) ==
             VoteCollector::Certified::Invalid) {
    return false;
  }
  return std::ranges::all_of(block.skip_certificates, [this](const Certificate& skip) {
    return collector_.add_certificate(skip) != VoteCollector::Certified::Invalid;
  });
}

void Machine::receive(const NodeId& from, VoteMessage& body, Now) {
  const Vote& vote = body.vote;
  const auto& [kind, view, block] = vote.statement;
  if (vote.signer >= validators_.size()) return refuse(Refusal::UnknownSigner);
  if (validators_.at(vote.signer).node != from) return refuse(Refusal::ForeignVote);
  if (kind == VoteKind::Propose || (kind == VoteKind::Nullify) != block.is_zero()) {
    return refuse(Refusal::Malformed);
  }
  if (view == 0 || !is_in_window(view)) return refuse(Refusal::OutsideWindow);
  peers_[from].abstains = false;
  if (collector_.add(vote) == VoteCollector::Outcome::BadSignature) refuse(Refusal::BadSignature);
  if (kind != VoteKind::Notarize || !body.proposal_signature) return;
  const ValidatorIndex leader = validators_.leader(view);
  if (collector_.proposal_signature(view, leader, block)) return;
  const Vote proposal{vote.statement, leader, *body.proposal_signature};
  Vote propose = proposal;
  propose.statement.kind = VoteKind::Propose;
  if (collector_.add_relayed(propose) == VoteCollector::Outcome::BadSignature) {
    refuse(Refusal::BadSignature);
  }
}

void Machine::receive(const NodeId&, Certificates& body, Now) {
  for (const Certificate& certificate : body.certificates) {
    if (collector_.add_certificate(certificate) == VoteCollector::Certified::Invalid) {
      return refuse(Refusal::BadCertificate);
    }
  }
}

void Machine::receive(const NodeId& from, FetchCertificates& body, Now now) {
  if (body.from > body.to) return refuse(Refusal::Malformed);
  if (!may_help(peers_[from], now)) return;
  Certificates reply;
  const View last = std::min(body.to, view_ - 1);
  for (View view = std::max(body.from, tip().view + 1);
       view <= last && reply.certificates.size() < kMaxHelpCertificates; ++view) {
    // For the asker's proposal either proof will do: a parent, or a reason to skip.
    if (const auto* certificate = collector_.any(view)) reply.certificates.push_back(*certificate);
  }
  if (body.from <= tip().view && final_certificate_) {
    reply.certificates.insert(reply.certificates.begin(), *final_certificate_);
    if (reply.certificates.size() > kMaxHelpCertificates) reply.certificates.pop_back();
  }
  if (!reply.certificates.empty()) send(from, {beacon(), std::move(reply)});
}

void Machine::receive(const NodeId& from, FetchBlock& body, Now) {
  const BlockPtr block = tree_.body(body.hash);
  if (block == nullptr) return;
  auto bytes = std::make_shared<const Bytes>(encode_block_reply(beacon(), *block));
  emit(Send{from, std::move(bytes), Lane::Sync});
}

// The hash proves the body, so a late answer of a peer asked earlier is as good.
void Machine::receive(const NodeId&, BlockReply& body, Now) {
  const BlockHeader& header = body.block.header;
  const Digest hash = hash_of(header);
  if (!fetch_ || fetch_->hash != hash || fetch_->view != header.view) {
    return refuse(Refusal::UnexpectedReply);
  }
  if (header.domain != config_.domain || header.proposer != validators_.leader(header.view) ||
      !is_well_formed(body.block) || !has_proposer_signature(body.block, hash)) {
    return refuse(Refusal::BadBlock);
  }
  fetch_.reset();
  if (header.view <= tip().view) return;
  // More than two thirds voted for it, so its certificates were judged; what we lack of them is
  // welcome, but the block does not depend on it.
  if (!learn_justification(body.block) && header.view >= view_) return refuse(Refusal::BadBlock);
  tree_.insert(std::make_shared<const Block>(std::move(body.block)), hash);
}

void Machine::receive(const NodeId& from, FetchFinal& body, Now) {
  Peer& peer = peers_[from];
  if (body.from == 0 || body.count == 0) return refuse(Refusal::Malformed);
  if (peer.reading_store) return;
  if (body.from > tip().height)
    return send(from, {beacon(), FinalBlocks{body.from, {}}}, Lane::Sync);
  peer.reading_store = true;
  emit(FetchStored{from, body.from, std::min(body.count, kMaxSyncBlocks), kMaxSyncBytes});
}

}  // namespace hm::consensus
