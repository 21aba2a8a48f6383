// SPDX-License-Identifier: Apache-2.0
// Machine: peers, timers, repetition, idleness (the view synchroniser).
#include <algorithm>

#include "core/consensus/machine.h"

namespace hm::consensus {

Machine::Peer* Machine::touch(const NodeId& id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) return &found->second;
  if (peers_.size() >= kMaxPeers) {
    std::erase_if(peers_, [this](const auto& entry) {
      return !entry.second.connected && !validators_.index_of(entry.first);
    });
    if (peers_.size() >= kMaxPeers) return nullptr;
  }
  return &peers_[id];
}

void Machine::handle_peer_up(const NodeId& id, Now now) {
  Peer* peer = touch(id);
  if (peer == nullptr) return refuse(Refusal::PeerLimit);
  peer->connected = true;
  peer->disconnected = false;
  peer->suspect = false;
  peer->reading_store = false;
  if (!started_) return;
  // Whatever we sent before may not have reached it.
  resend(id);
  react(now);
}

void Machine::handle_peer_down(const NodeId& id, Now now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  found->second.connected = false;
  found->second.disconnected = true;
  found->second.reading_store = false;
  if (fetch_ && fetch_->peer == id) fetch_.reset();
  if (session_ && session_->peer == id) session_.reset();
  react(now);
}

// Is there anything for which the view should move? If not, nobody votes and no timer runs.
bool Machine::has_work(Now now) const {
  if (pending_ != Pending::None || now.mono >= last_final_at_ + config_.heartbeat) return true;
  if (draft_ || voter_.notarized(view_) || voter_.has_nullified(view_)) return true;
  if (is_tail_open() || proposal_seen_.contains(view_)) return true;
  const std::uint64_t waiting = collector_.nullify_stake(view_, own_);
  return waiting > 0 &&
         (validators_.is_honest_witness(waiting) || now.mono >= last_final_at_ + kWakeInterval);
}

// A leader that is gone costs no time-out: its connection broke, it abstains, or it was silent in
// the last view that it led and ever since. Only while enough others are there to go on without it.
bool Machine::should_skip_leader() const {
  const Validator& leader = validators_.at(validators_.leader(view_));
  const auto found = peers_.find(leader.node);
  if (found == peers_.end()) return false;
  const Peer& peer = found->second;
  if (!peer.suspect && !peer.disconnected && !peer.abstains) return false;
  std::uint64_t present = validators_.at(*own_).stake;
  for (const Validator& validator : validators_.all()) {
    const auto other = peers_.find(validator.node);
    if (other != peers_.end() && other->second.connected && !other->second.suspect &&
        !other->second.abstains) {
      present += validator.stake;
    }
  }
  return validators_.is_quorum(present);
}

void Machine::arm_timers(Now now) {
  if (!own_) return;
  if (!has_work(now)) {
    const auto forward = timers_.forward;
    timers_ = {};
    timers_.forward = forward;
    return;
  }
  if (timers_.armed) return;
  timers_.armed = true;
  timers_.armed_at = now.mono;
  const auto leader = peers_.find(validators_.at(validators_.leader(view_)).node);
  const bool missed = leader != peers_.end() && leader->second.missed_turn;
  timers_.leader = now.mono + (missed ? pace_.short_leader_timeout() : pace_.leader_timeout());
  timers_.advance = now.mono + pace_.advance_timeout();
  timers_.retry = now.mono + pace_.retry_interval(0);
}

void Machine::fire_timers(Now now) {
  const auto due = [&](std::optional<MonoTime>& timer) {
    if (!timer || now.mono < *timer) return false;
    timer.reset();
    return true;
  };
  if (due(timers_.leader) && !proposal_seen_.contains(view_)) {
    timers_.expired = true;
    ++counters_.timeouts;
    const NodeId& leader = validators_.at(validators_.leader(view_)).node;
    const auto peer = peers_.find(leader);
    if (peer != peers_.end() && leader != config_.self) {
      peer->second.missed_turn = true;
      const auto& heard = peer->second.last_heard;
      if (!heard || *heard < timers_.armed_at) peer->second.suspect = true;
    }
  }
  if (due(timers_.advance)) {
    if (!timers_.expired) ++counters_.timeouts;
    timers_.expired = true;
  }
  if (due(timers_.retry)) {
    resend(std::nullopt);
    timers_.retry = now.mono + pace_.retry_interval(++timers_.retries);
  }
  // No proposal has carried the certificate by which we came here: pass it on once.
  if (due(timers_.forward) && !proposal_seen_.contains(view_)) {
    if (const auto* entry = collector_.any(view_ - 1)) broadcast(Certificates{{*entry}});
  }
}

// Everything of ours that may still end this view or close the tail, with the certificate by which
// we came here (pitfall P2), to one peer or to all.
void Machine::resend(std::optional<NodeId> to) {
  const auto post = [&](Message message) {
    if (to) {
      send(*to, message);
    } else {
      broadcast(std::move(message.body));
    }
  };
  if (own_) {
    Certificates entry;
    if (const auto* certificate = collector_.any(view_ - 1)) {
      entry.certificates.push_back(*certificate);
    }
    if (final_certificate_ && final_certificate_->statement.view + 1 != view_) {
      entry.certificates.push_back(*final_certificate_);
    }
    if (!entry.certificates.empty()) post({beacon(), std::move(entry)});
    const auto mine = own_votes_.find(view_);
    const bool voted = mine != own_votes_.end();
    if (voter_.has_proposed(view_)) {
      for (const TreeBlock* block : tree_.at_view(view_)) {
        // The notarize vote shares its record: if it is durable, so is the proposal.
        if (block->block->header.proposer != *own_ || !voted) continue;
        auto bytes = std::make_shared<const Bytes>(encode_proposal(beacon(), *block->block));
        if (to) {
          emit(Send{*to, std::move(bytes), Lane::Consensus});
        } else {
          emit(Broadcast{std::move(bytes), Lane::Consensus});
        }
      }
    }
    if (voted) {
      for (const VoteMessage& vote : mine->second) post({beacon(), vote});
    }
    const std::vector<View> open = collector_.notarized_views();
    if (!open.empty() && open.back() != view_) {
      if (const auto votes = own_votes_.find(open.back()); votes != own_votes_.end()) {
        for (const VoteMessage& vote : votes->second) post({beacon(), vote});
      }
    }
  }
  post({beacon(), Status{is_abstaining()}});
}

bool Machine::may_help(Peer& peer, Now now) {
  if (peer.helped_at && now.mono < *peer.helped_at + kMinDelta) return false;
  peer.helped_at = now.mono;
  return true;
}

// The certificates that a peer in an older view lacks, oldest first.
void Machine::help(const NodeId& to, View from_view, View from_final, Now now) {
  if (!may_help(peers_[to], now)) return;
  Certificates reply;
  if (from_final < tip().view && final_certificate_) {
    reply.certificates.push_back(*final_certificate_);
  }
  for (View view = std::max(from_view, tip().view + 1);
       view < view_ && reply.certificates.size() < kMaxHelpCertificates; ++view) {
    if (const auto* certificate = collector_.any(view)) reply.certificates.push_back(*certificate);
  }
  if (!reply.certificates.empty()) send(to, {beacon(), std::move(reply)});
}

std::optional<MonoTime> Machine::next_deadline() const {
  if (!started_) return std::nullopt;
  std::optional<MonoTime> next;
  const auto consider = [&](std::optional<MonoTime> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  // Conditions that react() looks at: no reason to wake for what it has seen already.
  const auto consider_later = [&](std::optional<MonoTime> at) {
    if (at && *at > reacted_at_) consider(at);
  };
  consider(timers_.leader);
  consider(timers_.advance);
  consider(timers_.retry);
  consider(timers_.forward);
  if (own_) {
    consider_later(last_final_at_ + config_.heartbeat);
    if (collector_.nullify_stake(view_, own_) > 0) consider_later(last_final_at_ + kWakeInterval);
    if (timers_.armed) consider_later(entered_at_ + pace_.tail_grace());
  }
  if (fetch_) consider_later(fetch_->deadline);
  consider_later(certificate_fetch_at_);
  if (session_) {
    consider_later(session_->deadline);
  } else if (lagging_since_) {
    consider_later(*lagging_since_ + pace_.answer_time());
  }
  return next;
}

}  // namespace hm::consensus
