// SPDX-License-Identifier: Apache-2.0
// Machine: proposing and voting (rules 1, 2, 3, 5). What may be signed is decided by Voter; here is
// decided whether the block and the moment are right.
#include <algorithm>

#include "core/consensus/machine.h"

namespace hm::consensus {

// A vote counts and leaves only when its record is durable (handle_durable).
void Machine::cast(std::vector<Vote> votes, BlockPtr block) {
  counters_.votes_cast += votes.size();
  emit(log_.append(std::move(votes), std::move(block)));
}

// Rule 5, in every open view: late notarizations still help to close the tail.
bool Machine::vote_finalize() {
  if (!voter_.can_vote()) return false;
  bool voted = false;
  for (const View view : collector_.notarized_views()) {
    if (const auto vote = voter_.finalize(*collector_.notarization(view))) {
      cast({*vote}, nullptr);
      voted = true;
    }
  }
  return voted;
}

// Rule 2.
bool Machine::vote_notarize(Now now) {
  if (!voter_.can_vote() || voter_.notarized(view_)) return false;
  for (TreeBlock* candidate : tree_.at_view(view_)) {
    if (candidate->validation == Validation::Invalid) continue;
    if (check_context(*candidate, now) != Check::Ready) continue;
    if (candidate->validation == Validation::Unknown) {
      const BlockHeader& header = candidate->block->header;
      std::vector<BlockPtr> ancestors;
      for (const TreeBlock* block : tree_.chain_to(header.parent_view, header.parent_hash).blocks) {
        ancestors.push_back(block->block);
      }
      candidate->validation = Validation::Asked;
      emit(Validate{candidate->hash, candidate->block, std::move(ancestors)});
      continue;
    }
    if (candidate->validation != Validation::Valid) continue;
    if (const auto vote = voter_.notarize(view_, candidate->hash)) {
      cast({*vote}, candidate->block);
      return true;
    }
  }
  return false;
}

// What can be judged once the parent is known. Wait: not now, perhaps later in this view.
Machine::Check Machine::check_context(TreeBlock& candidate, Now now) {
  const BlockHeader& header = candidate.block->header;
  const Chain chain = tree_.chain_to(header.parent_view, header.parent_hash);
  if (chain.state == Chain::State::MissingBody) want(chain.missing_view, chain.missing_hash);
  if (chain.state != Chain::State::Complete) return Check::Wait;
  const Tip parent = chain.blocks.empty() ? tip() : tip_of(*chain.blocks.back());
  if (header.height != parent.height + 1 || header.time_ms <= parent.time_ms ||
      header.exec.height < parent.exec.height ||
      (header.exec.height == parent.exec.height && header.exec.root != parent.exec.root)) {
    condemn(candidate, Refusal::BadBlock);
    return Check::Bad;
  }
  const Check root = check_execution_root(candidate, parent);
  if (root != Check::Ready) return root;
  const std::uint64_t wall = now.wall.value;
  const std::uint64_t gap = wall > header.time_ms ? wall - header.time_ms : header.time_ms - wall;
  if (gap > config_.clock_bound_ms) {
    if (!candidate.complained) refuse(Refusal::BadTime);
    candidate.complained = true;
    // A little ahead of us it may come into the bound while the view lasts; otherwise the view of a
    // leader with a wrong clock ends at once.
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(pace_.advance_timeout());
    const auto in_time = static_cast<std::uint64_t>(patience.count());
    if (wall > header.time_ms || gap > config_.clock_bound_ms + in_time) bad_views_.insert(view_);
    return Check::Wait;
  }
  return Check::Ready;
}

// The cited root is that of a final block which we have executed too, or we wait until we have.
Machine::Check Machine::check_execution_root(TreeBlock& candidate, const Tip& parent) {
  const ExecutionRoot& exec = candidate.block->header.exec;
  if (exec == parent.exec) return Check::Ready;  // judged with the parent
  const auto own = roots_.find(exec.height);
  if (own != roots_.end()) {
    if (own->second == exec.root) return Check::Ready;
    condemn(candidate, Refusal::BadExecutionRoot);
    return Check::Bad;
  }
  const bool forgotten = !roots_.empty() && exec.height < roots_.rbegin()->first;
  if (forgotten && !candidate.complained) {
    refuse(Refusal::BadExecutionRoot);
    candidate.complained = true;
  }
  return Check::Wait;
}

// The leader signed a block that breaks a rule: no vote for it, and its view may end at once.
void Machine::condemn(TreeBlock& candidate, Refusal refusal) {
  candidate.validation = Validation::Invalid;
  bad_views_.insert(candidate.block->header.view);
  refuse(refusal);
}

// Rule 3.
bool Machine::vote_nullify(Now now) {
  if (!voter_.can_vote() || voter_.has_nullified(view_) || voter_.has_finalized(view_)) {
    return false;
  }
  const ValidatorIndex leader = validators_.leader(view_);
  const bool unproposed = tree_.at_view(view_).empty();
  const bool leader_gave_up =
      leader != *own_ && unproposed && collector_.has_vote(VoteKind::Nullify, view_, leader);
  // An honest validator among them has waited long enough: without this the slowest timer, doubled
  // in every lost view, would set the pace of all.
  const bool joins = validators_.is_honest_witness(collector_.nullify_stake(view_, own_));
  const bool skip = unproposed && has_work(now) && should_skip_leader();
  if (!timers_.expired && !joins && !bad_views_.contains(view_) && !leader_gave_up && !skip &&
      !collector_.is_equivocated(view_, leader)) {
    return false;
  }
  const auto vote = voter_.nullify(view_, view_);
  if (!vote) return false;
  cast({*vote}, nullptr);
  return true;
}

// Rule 1, first half: choose the parent and ask for operations.
bool Machine::propose(Now now) {
  if (!own_ || !voter_.can_vote() || validators_.leader(view_) != *own_) return false;
  if (draft_ || voter_.has_proposed(view_) || view_ <= voter_.floor()) return false;
  if (voter_.has_nullified(view_) || !wants_to_propose(now)) return false;
  Draft draft;
  if (!find_parent(draft)) return false;
  draft.time_ms = std::max(draft.parent.time_ms + 1, now.wall.value);
  if (draft.time_ms > now.wall.value + config_.clock_bound_ms) return false;
  std::vector<BlockPtr> ancestors;
  std::size_t loaded = 0;
  for (const TreeBlock* block : tree_.chain_to(draft.parent.view, draft.parent.hash).blocks) {
    ancestors.push_back(block->block);
    if (block->block->payload.size() > kEmptyPayloadBytes) ++loaded;
  }
  draft.max_bytes = loaded < kMaxLoadedAncestors ? kMaxPayloadBytes : 0;
  draft.view = view_;
  emit(RequestPayload{view_, draft.parent.hash, draft.parent.height + 1, draft.time_ms,
                      draft.max_bytes, std::move(ancestors)});
  draft_ = std::move(draft);
  return true;
}

bool Machine::wants_to_propose(Now now) const {
  if (pending_ == Pending::Some || now.mono >= last_final_at_ + config_.heartbeat) return true;
  const std::uint64_t waiting = collector_.nullify_stake(view_, own_);
  if (waiting > 0 &&
      (validators_.is_honest_witness(waiting) || now.mono >= last_final_at_ + kWakeInterval)) {
    return true;
  }
  // A block that is there but not final usually becomes final without us.
  return (is_tail_open() || pending_ == Pending::Included) &&
         now.mono >= entered_at_ + pace_.tail_grace();
}

// The highest notarized block that we hold with nullifications for every view in between.
bool Machine::find_parent(Draft& draft) {
  std::vector<Certificate> skips;
  for (View view = view_ - 1; view > tip().view; --view) {
    const Certificate* strong = collector_.notarization(view);
    if (strong == nullptr) strong = collector_.finalization(view);
    if (strong != nullptr) {
      const Chain chain = tree_.chain_to(view, strong->statement.block);
      if (chain.state == Chain::State::Complete) {
        draft.parent = tip_of(*chain.blocks.back());
        draft.parent_certificate = *strong;
        std::ranges::reverse(skips);
        draft.skips = std::move(skips);
        return true;
      }
      if (chain.state == Chain::State::MissingBody) want(chain.missing_view, chain.missing_hash);
    }
    const Certificate* skip = collector_.nullification(view);
    if (skip == nullptr || skips.size() >= kMaxSkippedViews) {
      if (strong == nullptr) certificate_gap_ = {tip().view + 1, view};
      return false;
    }
    skips.push_back(*skip);
  }
  draft.parent = tip();
  if (tip().height > 0) {
    const Certificate* strong = collector_.notarization(tip().view);
    if (strong == nullptr && final_certificate_) strong = &*final_certificate_;
    if (strong == nullptr || strong->statement.block != tip().hash) return false;
    draft.parent_certificate = *strong;
  }
  std::ranges::reverse(skips);
  draft.skips = std::move(skips);
  return true;
}

// The newest root that the others can be expected to have: while blocks follow each other, the tip
// may have become final here a moment before it does elsewhere, and they would have to wait for it.
ExecutionRoot Machine::choose_execution_root(const Tip& parent) const {
  const Height limit =
      parent.hash == tip().hash || tip().height == 0 ? tip().height : tip().height - 1;
  auto newest = roots_.upper_bound(limit);
  if (newest == roots_.begin()) return parent.exec;
  --newest;
  if (newest->first <= parent.exec.height) return parent.exec;
  return {newest->first, newest->second};
}

// Rule 1, second half: sign and keep; the proposal leaves with our notarize vote.
std::optional<Digest> Machine::handle_payload(View view, Bytes payload, Now now) {
  if (!draft_ || draft_->view != view || view != view_) return std::nullopt;
  Draft draft = std::move(*draft_);
  draft_.reset();
  if (payload.size() > kMaxPayloadBytes || voter_.has_nullified(view)) return std::nullopt;
  auto block = std::make_shared<Block>();
  block->parent_certificate = std::move(draft.parent_certificate);
  block->skip_certificates = std::move(draft.skips);
  block->payload = std::move(payload);
  BlockHeader& header = block->header;
  header.domain = config_.domain;
  header.view = view;
  header.height = draft.parent.height + 1;
  header.parent_view = draft.parent.view;
  header.parent_hash = draft.parent.hash;
  header.justification_hash =
      justification_hash_of(block->parent_certificate, block->skip_certificates);
  header.payload_hash = crypto::sha256(block->payload);
  header.time_ms = draft.time_ms;
  header.exec = choose_execution_root(draft.parent);
  header.proposer = *own_;
  const Digest hash = hash_of(header);
  const auto proposal = voter_.propose(view, hash);
  if (!proposal) return std::nullopt;
  block->signature = proposal->signature;
  TreeBlock* own = tree_.insert(block, hash);
  if (own == nullptr) return std::nullopt;
  own->validation = Validation::Valid;
  proposal_seen_.try_emplace(view, now.mono);
  ++counters_.blocks_proposed;
  std::vector<Vote> votes{*proposal};
  if (const auto vote = voter_.notarize(view, hash)) votes.push_back(*vote);
  cast(std::move(votes), block);
  react(now);
  return hash;
}

void Machine::send_vote(const Vote& vote, const BlockPtr& block) {
  if (vote.statement.kind == VoteKind::Propose) {
    auto bytes = std::make_shared<const Bytes>(encode_proposal(beacon(), *block));
    emit(Broadcast{std::move(bytes), Lane::Consensus});
    return;
  }
  VoteMessage message{vote, std::nullopt};
  if (vote.statement.kind == VoteKind::Notarize) message.proposal_signature = block->signature;
  if (vote.statement.view > tip().view) own_votes_[vote.statement.view].push_back(message);
  broadcast(message);
}

}  // namespace hm::consensus
