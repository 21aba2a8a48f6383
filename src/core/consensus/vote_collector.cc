// SPDX-License-Identifier: Apache-2.0
#include "core/consensus/vote_collector.h"

#include <algorithm>

#include "core/consensus/limits.h"
#include "foundation/base/check.h"

namespace hm::consensus {
namespace {

constexpr std::size_t kSlotsPerSigner = 2;  // two different votes of a kind already prove a fault

}  // namespace

std::optional<Certificate>& VoteCollector::Record::of(VoteKind kind) {
  HM_CHECK(kind != VoteKind::Propose);
  if (kind == VoteKind::Notarize) return notarization;
  return kind == VoteKind::Nullify ? nullification : finalization;
}

const VoteCollector::Record* VoteCollector::find(View view) const {
  const auto found = views_.find(view);
  return found == views_.end() ? nullptr : &found->second;
}

bool VoteCollector::is_certified(VoteKind kind, View view) const {
  if (view <= floor_) return true;
  switch (kind) {
    case VoteKind::Propose: return false;
    case VoteKind::Notarize: return notarization(view) != nullptr;
    case VoteKind::Nullify: return nullification(view) != nullptr;
    case VoteKind::Finalize: return finalization(view) != nullptr;
  }
  return false;
}

bool VoteCollector::check(const Statement& statement, ValidatorIndex signer, Slot& slot) {
  if (slot.verified) return true;
  ++verified_count_;
  slot.verified = verify_vote({statement, signer, slot.signature}, domain_, *validators_);
  return slot.verified;
}

VoteCollector::Outcome VoteCollector::add(const Vote& vote) {
  return insert(vote, false, !is_certified(vote.statement.kind, vote.statement.view));
}

VoteCollector::Outcome VoteCollector::add_relayed(const Vote& vote) {
  return insert(vote, false, true);
}

void VoteCollector::add_own(const Vote& vote) { insert(vote, true, true); }

// `count`: the vote must be verified now and counts toward a certificate.
VoteCollector::Outcome VoteCollector::insert(const Vote& vote, bool verified, bool count_it) {
  const auto& [kind, view, block] = vote.statement;
  if (view + kPastViews < floor_) return Outcome::Dropped;
  Record& record = views_[view];
  auto& slots = record.slots[{kind, vote.signer}];
  for (Slot& slot : slots) {
    if (slot.block != block) continue;
    const bool was_verified = slot.verified;
    if (was_verified || !count_it) return Outcome::Known;
    slot.signature = vote.signature;
    if (!verified && !check(vote.statement, vote.signer, slot)) return Outcome::BadSignature;
    slot.verified = true;
    count(record, vote);
    compare(view, vote.signer, kind, block);
    return Outcome::Counted;
  }
  if (slots.size() >= kSlotsPerSigner) return Outcome::Dropped;
  Slot slot{block, vote.signature, verified};
  if (count_it && !check(vote.statement, vote.signer, slot)) return Outcome::BadSignature;
  slots.push_back(slot);
  if (slot.verified) count(record, vote);
  compare(view, vote.signer, kind, block);
  return slot.verified ? Outcome::Counted : Outcome::Kept;
}

// Looks for a statement of the signer that contradicts the one just inserted. Unverified ones are
// checked only now, when they would prove something.
void VoteCollector::compare(View view, ValidatorIndex signer, VoteKind kind, const Digest& block) {
  Record& record = views_[view];
  const Statement mine{kind, view, block};
  for (const VoteKind other :
       {VoteKind::Propose, VoteKind::Notarize, VoteKind::Nullify, VoteKind::Finalize}) {
    const auto found = record.slots.find({other, signer});
    if (found == record.slots.end()) continue;
    for (Slot& slot : found->second) {
      const Statement theirs{other, view, slot.block};
      const auto fault = conflict_of(mine, theirs);
      if (!fault || reported_.contains({view, signer, *fault})) continue;
      auto& own_slots = record.slots[{kind, signer}];
      const auto own = std::ranges::find(own_slots, block, &Slot::block);
      HM_CHECK(own != own_slots.end());
      if (!check(mine, signer, *own) || !check(theirs, signer, slot)) continue;
      Vote first{mine, signer, own->signature};
      Vote second{theirs, signer, slot.signature};
      if (second.statement < first.statement) std::swap(first, second);
      reported_.emplace(view, signer, *fault);
      faults_.emplace_back(*fault, Evidence{first, second});
    }
  }
}

void VoteCollector::count(Record& record, const Vote& vote) {
  const Statement& statement = vote.statement;
  if (statement.kind == VoteKind::Propose) return;
  std::uint64_t& stake = record.stake[statement];
  stake += validators_->at(vote.signer).stake;
  if (statement.view <= floor_ || record.of(statement.kind) || !validators_->is_quorum(stake)) {
    return;
  }
  std::vector<Vote> votes;
  for (const auto& [key, slots] : record.slots) {
    if (key.first != statement.kind) continue;
    for (const Slot& slot : slots) {
      if (slot.verified && slot.block == statement.block) {
        votes.push_back({statement, key.second, slot.signature});
      }
    }
  }
  store(assemble(statement, votes, validators_->size()));
}

void VoteCollector::store(const Certificate& certificate) {
  auto& place = views_[certificate.statement.view].of(certificate.statement.kind);
  if (place) return;  // a second one proves more than a third of the stake faulty; keep the first
  place = certificate;
  fresh_.push_back(certificate);
}

VoteCollector::Certified VoteCollector::add_certificate(const Certificate& certificate) {
  const Statement& statement = certificate.statement;
  if (statement.kind == VoteKind::Propose) return Certified::Invalid;
  if (statement.view <= floor_) return Certified::Known;
  if (const Record* record = find(statement.view)) {
    const auto& known = const_cast<Record*>(record)->of(statement.kind);
    if (known && known->statement == statement) return Certified::Known;
  }
  verified_count_ += certificate.signatures.size();
  if (!verify_certificate(certificate, domain_, *validators_)) return Certified::Invalid;
  restore_certificate(certificate);
  return Certified::New;
}

void VoteCollector::restore_certificate(const Certificate& certificate) {
  if (certificate.statement.view <= floor_) return;
  store(certificate);
  std::size_t next = 0;
  for (const ValidatorIndex signer : signers_of(certificate)) {
    insert({certificate.statement, signer, certificate.signatures[next++]}, true, true);
  }
}

const Certificate* VoteCollector::notarization(View view) const {
  const Record* record = find(view);
  return record != nullptr && record->notarization ? &*record->notarization : nullptr;
}

const Certificate* VoteCollector::nullification(View view) const {
  const Record* record = find(view);
  return record != nullptr && record->nullification ? &*record->nullification : nullptr;
}

const Certificate* VoteCollector::finalization(View view) const {
  const Record* record = find(view);
  return record != nullptr && record->finalization ? &*record->finalization : nullptr;
}

const Certificate* VoteCollector::any(View view) const {
  if (const auto* certificate = finalization(view)) return certificate;
  if (const auto* certificate = notarization(view)) return certificate;
  return nullification(view);
}

std::optional<View> VoteCollector::highest_certified() const {
  for (auto it = views_.rbegin(); it != views_.rend() && it->first > floor_; ++it) {
    if (any(it->first) != nullptr) return it->first;
  }
  return std::nullopt;
}

std::vector<const Certificate*> VoteCollector::finalizations() const {
  std::vector<const Certificate*> found;
  for (auto it = views_.rbegin(); it != views_.rend() && it->first > floor_; ++it) {
    if (it->second.finalization) found.push_back(&*it->second.finalization);
  }
  return found;
}

std::optional<Signature> VoteCollector::proposal_signature(View view, ValidatorIndex leader,
                                                           const Digest& block) const {
  const Record* record = find(view);
  if (record == nullptr) return std::nullopt;
  const auto found = record->slots.find({VoteKind::Propose, leader});
  if (found == record->slots.end()) return std::nullopt;
  for (const Slot& slot : found->second) {
    if (slot.block == block && slot.verified) return slot.signature;
  }
  return std::nullopt;
}

std::vector<View> VoteCollector::notarized_views() const {
  std::vector<View> views;
  for (auto it = views_.upper_bound(floor_); it != views_.end(); ++it) {
    if (it->second.notarization) views.push_back(it->first);
  }
  return views;
}

bool VoteCollector::has_vote(VoteKind kind, View view, ValidatorIndex signer) const {
  const Record* record = find(view);
  if (record == nullptr) return false;
  const auto found = record->slots.find({kind, signer});
  return found != record->slots.end() && !found->second.empty();
}

std::uint64_t VoteCollector::nullify_stake(View view, std::optional<ValidatorIndex> except) const {
  const Record* record = find(view);
  if (record == nullptr) return 0;
  std::uint64_t stake = 0;
  for (const auto& [key, slots] : record->slots) {
    if (key.first == VoteKind::Nullify && !slots.empty() && key.second != except) {
      stake += validators_->at(key.second).stake;
    }
  }
  return stake;
}

bool VoteCollector::is_equivocated(View view, ValidatorIndex leader) const {
  return reported_.contains({view, leader, FaultKind::DoubleProposal});
}

void VoteCollector::raise_floor(View view) {
  if (view <= floor_) return;
  floor_ = view;
  const View keep = view > kPastViews ? view - kPastViews : 0;
  views_.erase(views_.begin(), views_.lower_bound(keep));
  reported_.erase(reported_.begin(), reported_.lower_bound({keep, 0, FaultKind::DoubleProposal}));
}

std::vector<Certificate> VoteCollector::take_fresh() { return std::exchange(fresh_, {}); }

std::vector<std::pair<FaultKind, Evidence>> VoteCollector::take_faults() {
  return std::exchange(faults_, {});
}

}  // namespace hm::consensus
