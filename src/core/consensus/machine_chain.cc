// SPDX-License-Identifier: Apache-2.0
// Machine: entering views and finalizing blocks (rules 4 and 6).
#include <algorithm>

#include "core/consensus/machine.h"

namespace hm::consensus {

// Rule 4. Any certificate of a view at or above the current one ends it, however we voted.
bool Machine::enter_views(Now now) {
  const View certified = std::max(collector_.highest_certified().value_or(0), tip().view);
  if (certified < view_) return false;
  enter(certified + 1, now);
  return true;
}

void Machine::enter(View view, Now now) {
  if (view != view_ && collector_.nullification(view_) != nullptr) {
    ++counters_.views_nullified;
  }
  if (view != view_ && timers_.expired) pace_.note_lost_view();
  // Also when it came too late to become final: otherwise Δ could never learn that blocks take
  // longer than it allows.
  if (const auto seen = proposal_seen_.find(view_);
      seen != proposal_seen_.end() && collector_.notarization(view_) != nullptr) {
    pace_.add_round(now.mono - seen->second);
  }
  view_ = view;
  entered_at_ = now.mono;
  timers_ = {};
  if (own_) timers_.forward = now.mono + pace_.forward_delay();
  draft_.reset();
  bad_views_.erase(bad_views_.begin(), bad_views_.lower_bound(view));
  // Of the views behind us only blocks that can still matter are kept: notarized or finalized
  // ones, and those that we voted for and may have to hand to others.
  tree_.prune(view_, [this](const TreeBlock& block) {
    const View of = block.block->header.view;
    const auto* notarization = collector_.notarization(of);
    const auto* finalization = collector_.finalization(of);
    return (notarization != nullptr && notarization->statement.block == block.hash) ||
           (finalization != nullptr && finalization->statement.block == block.hash) ||
           voter_.notarized(of) == block.hash;
  });
}

// Rule 6: a finalization makes its block and all ancestors final. Nothing is skipped: without the
// bodies it waits (pitfall P5).
bool Machine::commit(Now now) {
  if (voter_.is_halted()) return false;
  for (const Certificate* target : collector_.finalizations()) {
    const Chain chain = tree_.chain_to(target->statement.view, target->statement.block);
    if (chain.state == Chain::State::MissingBody) {
      want(chain.missing_view, chain.missing_hash);
      continue;
    }
    if (chain.state == Chain::State::Detached) {
      halt_on_fork(*target);
      return false;
    }
    const Certificate proof = *target;
    std::vector<std::pair<BlockPtr, Digest>> blocks;
    for (const TreeBlock* block : chain.blocks) blocks.emplace_back(block->block, block->hash);
    for (const auto& [block, hash] : blocks) {
      const Certificate* own = collector_.finalization(block->header.view);
      const bool direct = own != nullptr && own->statement.block == hash;
      finalize_block(block, hash, direct ? Certificate(*own) : proof, now);
    }
    settle(now);
    return true;
  }
  return false;
}

void Machine::finalize_block(const BlockPtr& block, const Digest& hash,
                             const Certificate& certificate, Now now) {
  const View view = block->header.view;
  tree_.advance(block, hash);
  final_certificate_ = certificate;
  ++counters_.blocks_final;
  if (const auto seen = proposal_seen_.find(view);
      seen != proposal_seen_.end() && certificate.statement.block == hash) {
    pace_.add_round(now.mono - seen->second);
  }
  emit(Finalize{block, hash, certificate});
  check_execution(block->header.exec.height, block->header.exec.root);
}

// Forgets what the new tip has decided.
void Machine::settle(Now now) {
  const View decided = tip().view;
  last_final_at_ = now.mono;
  lagging_since_.reset();
  pace_.note_final();
  voter_.raise_floor(decided);
  collector_.raise_floor(decided);
  proposal_seen_.erase(proposal_seen_.begin(), proposal_seen_.upper_bound(decided));
  own_votes_.erase(own_votes_.begin(), own_votes_.upper_bound(decided));
  // Every later block cites a root at or above the tip's.
  roots_.erase(roots_.begin(), roots_.lower_bound(std::min(tip().exec.height, executed_)));
  tree_.prune(view_, [](const TreeBlock&) { return true; });
  if (own_) {
    if (const auto first = log_.trim(decided)) emit(TrimLog{*first});
  }
}

// A final root that differs from ours means that our state is wrong: stop before spreading it.
void Machine::check_execution(Height height, const Digest& final_root) {
  const auto own = roots_.find(height);
  if (height > executed_ && cited_.size() < kMaxExecutionRoots) cited_[height] = final_root;
  if (own == roots_.end() || own->second == final_root || voter_.is_halted()) return;
  voter_.halt();
  emit(ReportDivergence{height, final_root, own->second});
}

void Machine::halt_on_fork(const Certificate& theirs) {
  if (voter_.is_halted()) return;
  voter_.halt();
  emit(ReportFork{tip().height, tip().hash, theirs});
}

bool Machine::is_tail_open() const { return !collector_.notarized_views().empty(); }

}  // namespace hm::consensus
