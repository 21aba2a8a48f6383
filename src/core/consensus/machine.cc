// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/machine.h"

#include <algorithm>

#include "core/consensus/certificate.h"
#include "foundation/base/check.h"

namespace hm::consensus {
namespace {

Tip genesis_tip(const Config& config) {
  return {0, 0, config.genesis_hash, config.genesis_time_ms, {0, config.genesis_root}};
}

std::optional<ValidatorIndex> index_of_key(const ValidatorSet& set,
                                           const std::optional<SigningKey>& key) {
  return key ? set.index_of_key(key->public_key()) : std::nullopt;
}

}  // namespace

Machine::Machine(Config config, ValidatorSet validators, std::optional<SigningKey> key)
    : config_(config),
      validators_(std::move(validators)),
      own_(index_of_key(validators_, key)),
      voter_(config.domain, own_.value_or(0), own_ ? std::move(key) : std::nullopt),
      collector_(config.domain, validators_),
      tree_(genesis_tip(config)),
      pace_(config.initial_delta, config.min_delta, config.max_delta) {
  roots_[0] = config.genesis_root;
}

void Machine::restore_final(const FinalBlock& newest) {
  HM_CHECK(!started_);
  const BlockHeader& header = newest.block.header;
  tree_.reset({header.view, header.height, hash_of(header), header.time_ms, header.exec});
  final_certificate_ = newest.certificate;
  collector_.raise_floor(header.view);
  voter_.raise_floor(header.view);
}

void Machine::restore_executed(Height height, const Digest& root) {
  HM_CHECK(!started_);
  roots_[height] = root;
  executed_ = std::max(executed_, height);
}

// Whether this key wrote the record on this chain: the checksums of a log that was moved here from
// elsewhere are right, too. Certificates were verified before they were written; their form is
// enough to know that the validators are as many.
bool Machine::is_own(const LogRecord& record) const {
  for (const Certificate& certificate : record.certificates) {
    if (!check_form(certificate, validators_)) return false;
  }
  for (const Vote& vote : record.votes) {
    if (!own_ || vote.signer != *own_) return false;
    if (!verify_vote(vote, config_.domain, validators_)) return false;
  }
  return !record.block || record.block->header.domain == config_.domain;
}

bool Machine::restore_record(LogSequence sequence, ByteView bytes) {
  HM_CHECK(!started_);
  auto record = log_.restore(sequence, bytes);
  if (!record || !is_own(*record)) return false;
  std::optional<Signature> proposal_signature;
  if (record->block) {
    auto block = std::make_shared<const Block>(std::move(*record->block));
    const Digest hash = hash_of(block->header);
    proposal_signature = block->signature;
    if (block->header.view > tip().view) {
      if (TreeBlock* inserted = tree_.insert(block, hash)) inserted->validation = Validation::Valid;
    }
  }
  for (const Certificate& certificate : record->certificates) {
    collector_.restore_certificate(certificate);
    // Whatever is final is decided, even if the store does not have the block any more.
    if (certificate.statement.kind == VoteKind::Finalize) {
      voter_.raise_floor(certificate.statement.view);
    }
  }
  for (const Vote& vote : record->votes) {
    voter_.restore(vote.statement);
    if (vote.statement.view <= tip().view) continue;
    collector_.add_own(vote);
    if (vote.statement.kind == VoteKind::Propose) continue;
    const bool carries = vote.statement.kind == VoteKind::Notarize;
    own_votes_[vote.statement.view].push_back({vote, carries ? proposal_signature : std::nullopt});
  }
  return true;
}

void Machine::note_damaged_tail() {
  // A lone validator has nobody to contradict: its final blocks are all in its own store.
  if (validators_.size() > 1) voter_.abstain();
}

void Machine::start(Now now) {
  HM_CHECK(!started_);
  started_ = true;
  collector_.take_fresh();  // restored ones are in the log already
  entered_at_ = now.mono;
  last_final_at_ = now.mono;
  enter(std::max(view_, tip().view + 1), now);
  react(now);
}

void Machine::handle_durable(LogSequence sequence, Now now) {
  for (VoteLog::Waiting& waiting : log_.take_durable(sequence)) {
    for (const Vote& vote : waiting.votes) {
      collector_.add_own(vote);
      send_vote(vote, waiting.block);
    }
  }
  react(now);
}

void Machine::handle_validated(const Digest& hash, Verdict verdict, Now now) {
  TreeBlock* block = tree_.find(hash);
  if (block == nullptr || block->validation != Validation::Asked) return;
  if (verdict == Verdict::Valid) {
    block->validation = Validation::Valid;
  } else {
    condemn(*block, Refusal::InvalidPayload);
  }
  react(now);
}

void Machine::handle_executed(Height height, const Digest& root, Now now) {
  roots_[height] = root;
  executed_ = std::max(executed_, height);
  while (roots_.size() > kMaxExecutionRoots) roots_.erase(roots_.begin());
  if (const auto cited = cited_.find(height); cited != cited_.end()) {
    check_execution(height, Digest(cited->second));
  }
  cited_.erase(cited_.begin(), cited_.upper_bound(height));
  react(now);
}

void Machine::handle_pending(Pending pending, Now now) {
  if (pending == pending_) return;
  pending_ = pending;
  react(now);
}

void Machine::handle_tick(Now now) {
  if (!started_) return;
  fire_timers(now);
  react(now);
}

// Applies every rule until none has anything to do. Each step that reports progress consumes
// something finite (a certificate, a vote flag, a block), so this ends.
void Machine::react(Now now) {
  if (!started_) return;
  reacted_at_ = now.mono;
  wanted_.reset();
  certificate_gap_.reset();
  for (bool again = true; again;) {
    drain_collector();
    again = enter_views(now);
    again |= commit(now);
    again |= lift_abstention();
    again |= vote_finalize();
    again |= vote_notarize(now);
    again |= vote_nullify(now);
    again |= propose(now);
  }
  drain_collector();
  fetch_missing(now);
  fetch_certificates(now);
  catch_up(now);
  arm_timers(now);
}

void Machine::drain_collector() {
  for (const Certificate& certificate : collector_.take_fresh()) {
    if (own_) {
      notice_own_signature(certificate);
      log_.note_certificate(certificate);
    }
  }
  for (const auto& [kind, evidence] : collector_.take_faults()) {
    if (faults_.size() < kMaxEvidence) faults_.push_back(evidence);
    emit(ReportFault{kind, evidence});
  }
  counters_.signatures_verified = collector_.verified_count();
}

void Machine::notice_own_signature(const Certificate& certificate) {
  if (config_.own_signatures == OwnSignatures::Ignore || !has_signer(certificate, *own_)) return;
  const auto& [kind, view, block] = certificate.statement;
  if (view <= voter_.floor()) return;
  bool known = false;
  if (kind == VoteKind::Notarize) known = voter_.notarized(view) == block;
  if (kind == VoteKind::Nullify) known = voter_.has_nullified(view);
  if (kind == VoteKind::Finalize) known = voter_.has_finalized(view);
  if (known) return;
  unknown_signature_view_ = std::max(unknown_signature_view_, view);
  abstain_bound_.reset();
  if (!voter_.is_abstaining()) broadcast(Status{true});
  voter_.abstain();
}

// A vote of ours that we do not remember was cast in a view that we had entered, by a certificate
// that more than two thirds signed. Any more-than-two-thirds of the others includes an honest one
// of those signers, which had reached at least the view before. So no such vote is above the
// highest view among them plus one; a finalization from there on makes them all harmless.
bool Machine::lift_abstention() {
  if (!voter_.is_abstaining() || !own_) return false;
  if (!abstain_bound_) {
    std::uint64_t stake = 0;
    View highest = std::max(view_, unknown_signature_view_);
    for (const Validator& validator : validators_.all()) {
      const auto peer = peers_.find(validator.node);
      if (validator.node == validators_.at(*own_).node || peer == peers_.end()) continue;
      if (!peer->second.first_view) continue;
      stake += validator.stake;
      highest = std::max(highest, *peer->second.first_view);
    }
    if (!validators_.is_quorum(stake)) return false;
    abstain_bound_ = highest + 1;
  }
  if (tip().view < *abstain_bound_) return false;
  voter_.resume(tip().view);
  abstain_bound_.reset();
  broadcast(Status{is_abstaining()});
  return true;
}

std::optional<Effect> Machine::poll_effect() {
  if (effects_.empty()) return std::nullopt;
  Effect effect = std::move(effects_.front());
  effects_.pop_front();
  return effect;
}

Height Machine::claimed_height() const {
  Height highest = tip().height;
  for (const auto& [id, peer] : peers_) {
    if (peer.connected) highest = std::max(highest, peer.beacon.final_height);
  }
  return highest;
}

std::string Machine::describe() const {
  std::string text = "view " + std::to_string(view_) + " final view " + std::to_string(tip().view) +
                     " height " + std::to_string(tip().height) + " hash " +
                     tip().hash.to_string().substr(0, 8);
  text += timers_.armed ? " working" : " idle";
  if (timers_.expired) text += " expired";
  if (is_abstaining()) text += voter_.is_halted() ? " halted" : " abstaining";
  if (voter_.has_nullified(view_)) text += " nullified";
  if (voter_.notarized(view_)) text += " notarized";
  if (voter_.has_proposed(view_)) text += " proposed";
  if (draft_) text += " drafting";
  if (log_.has_waiting()) text += " awaiting-disk";
  if (wanted_) text += " wants-body@" + std::to_string(wanted_->first);
  if (certificate_gap_) text += " lacks-certificate@" + std::to_string(certificate_gap_->first);
  if (session_) text += " syncing@" + std::to_string(session_->next);
  text += " tree " + std::to_string(tree_.size()) + " executed " + std::to_string(executed_);
  return text;
}

}  // namespace hm::consensus
