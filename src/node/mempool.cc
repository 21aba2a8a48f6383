// SPDX-License-Identifier: Apache-2.0
#include "node/mempool.h"

#include <algorithm>

#include "foundation/base/check.h"
#include "node/limits.h"

namespace hm::node {

bool Mempool::full() const {
  return entries_.size() >= kMaxPooledOperations || bytes_ >= kMaxPooledBytes;
}

Mempool::Insert Mempool::insert(CheckedPtr operation, std::uint64_t next, MonoTime now) {
  const ledger::Operation& op = operation->prepared.operation;
  if (by_hash_.contains(operation->bytes_hash)) return Insert::Present;
  if (op.sequence < next) return Insert::SequenceUsed;
  if (op.sequence - next >= kMaxPooledPerActor) {
    // A client with much under way runs ahead of the chain; one with nothing made a mistake.
    const auto known = actors_.find(op.actor);
    const std::size_t pooled = known == actors_.end() ? 0 : known->second.by_sequence.size();
    return pooled >= kMaxPooledPerActor / 2 ? Insert::ActorFull : Insert::TooFarAhead;
  }
  if (full()) return Insert::Full;
  auto [actor, is_new] = actors_.try_emplace(op.actor);
  ActorQueue& queue = actor->second;
  if (is_new) queue.ready_end = next;
  if (queue.by_sequence.size() >= kMaxPooledPerActor) return Insert::ActorFull;
  if (queue.by_sequence.contains(op.sequence)) return Insert::SlotTaken;

  bytes_ += operation->bytes.size();
  entries_.push_back({std::move(operation), now});
  const auto entry = std::prev(entries_.end());
  queue.by_sequence.emplace(op.sequence, entry);
  by_hash_.emplace(entry->operation->bytes_hash, entry);
  ids_.insert(entry->operation->prepared.id);
  by_expiry_.emplace(op.expiry_height, entry);
  make_ready(queue);
  return Insert::Added;
}

CheckedPtr Mempool::find(const crypto::Digest& bytes_hash) const {
  const auto found = by_hash_.find(bytes_hash);
  return found == by_hash_.end() ? nullptr : found->second->operation;
}

std::vector<CheckedPtr> Mempool::advance(const ledger::Actor& actor, std::uint64_t next) {
  std::vector<CheckedPtr> dropped;
  const auto found = actors_.find(actor);
  if (found == actors_.end()) return dropped;
  ActorQueue& queue = found->second;
  std::vector<Entries::iterator> stale;
  for (const auto& [sequence, entry] : queue.by_sequence) {
    if (sequence >= next) break;
    stale.push_back(entry);
  }
  const std::size_t left = queue.by_sequence.size() - stale.size();
  for (const auto entry : stale) {
    dropped.push_back(entry->operation);
    erase(entry);
  }
  if (left == 0) return dropped;
  // Where a sequence was refused the later ones wait for it again.
  if (!queue.by_sequence.contains(next)) make_unready(queue, next);
  queue.ready_end = next;
  make_ready(queue);
  return dropped;
}

void Mempool::remove(const CheckedOperation& operation) {
  const auto found = by_hash_.find(operation.bytes_hash);
  if (found != by_hash_.end()) erase(found->second);
}

std::vector<CheckedPtr> Mempool::remove_expired(std::uint64_t height) {
  std::vector<CheckedPtr> expired;
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= height) {
    const auto entry = by_expiry_.begin()->second;
    expired.push_back(entry->operation);
    erase(entry);
  }
  return expired;
}

void Mempool::hold(const std::vector<CheckedPtr>& operations) {
  for (const CheckedPtr& operation : operations) change_holders(*operation, +1);
}

void Mempool::release(const std::vector<CheckedPtr>& operations) {
  for (const CheckedPtr& operation : operations) change_holders(*operation, -1);
}

void Mempool::change_holders(const CheckedOperation& operation, int by) {
  const auto found = by_hash_.find(operation.bytes_hash);
  if (found == by_hash_.end()) return;
  Entry& entry = *found->second;
  // An operation that arrived after the block which holds it was never counted.
  if (by < 0 && entry.holders == 0) return;
  const bool ready = entry.is_ready;
  set_ready(entry, false);
  entry.holders = static_cast<std::uint32_t>(static_cast<int>(entry.holders) + by);
  set_ready(entry, ready);
}

void Mempool::select(const std::function<std::uint64_t(const ledger::Actor&)>& next,
                     std::size_t max_bytes, ledger::PayloadBuilder& payload,
                     std::vector<CheckedPtr>& selected) const {
  std::map<ledger::Actor, std::uint64_t> branch;
  std::size_t bytes = 0;
  for (const Entry& entry : entries_) {
    if (!entry.is_ready) continue;
    const ledger::Operation& op = entry.operation->prepared.operation;
    auto [position, is_new] = branch.try_emplace(op.actor);
    if (is_new) position->second = next(op.actor);
    if (op.sequence != position->second) continue;
    // Length prefix included.
    const std::size_t cost = entry.operation->bytes.size() + 8;
    if (bytes + cost > max_bytes || !payload.add(entry.operation->bytes)) break;
    bytes += cost;
    selected.push_back(entry.operation);
    ++position->second;
  }
}

std::vector<CheckedPtr> Mempool::waiting_since(MonoTime before, std::size_t count) const {
  std::vector<CheckedPtr> oldest;
  for (const Entry& entry : entries_) {
    if (oldest.size() == count) break;
    if (entry.arrived > before) continue;
    oldest.push_back(entry.operation);
  }
  return oldest;
}

void Mempool::make_ready(ActorQueue& queue) {
  for (auto it = queue.by_sequence.find(queue.ready_end);
       it != queue.by_sequence.end() && it->first == queue.ready_end; ++it) {
    // Entries stand in the order in which they became ready: within an actor, that of sequences.
    if (!it->second->is_ready) entries_.splice(entries_.end(), entries_, it->second);
    set_ready(*it->second, true);
    ++queue.ready_end;
  }
}

void Mempool::make_unready(ActorQueue& queue, std::uint64_t from) {
  for (auto it = queue.by_sequence.lower_bound(from); it != queue.by_sequence.end(); ++it) {
    set_ready(*it->second, false);
  }
  queue.ready_end = std::min(queue.ready_end, from);
}

void Mempool::set_ready(Entry& entry, bool ready) {
  if (entry.is_ready == ready) return;
  entry.is_ready = ready;
  const std::size_t unheld = entry.holders == 0 ? 1 : 0;
  if (ready) {
    ++ready_;
    waiting_ += unheld;
  } else {
    --ready_;
    waiting_ -= unheld;
  }
}

void Mempool::erase(Entries::iterator entry) {
  const CheckedPtr operation = entry->operation;
  const ledger::Operation& op = operation->prepared.operation;
  const auto actor = actors_.find(op.actor);
  HM_CHECK(actor != actors_.end());
  // Later ones of the actor wait for this sequence again; advance() corrects that if it was
  // applied.
  if (op.sequence < actor->second.ready_end) make_unready(actor->second, op.sequence);
  set_ready(*entry, false);
  bytes_ -= operation->bytes.size();
  actor->second.by_sequence.erase(op.sequence);
  by_hash_.erase(operation->bytes_hash);
  ids_.erase(operation->prepared.id);
  const auto [first, last] = by_expiry_.equal_range(op.expiry_height);
  by_expiry_.erase(std::find_if(first, last, [&](const auto& e) { return e.second == entry; }));
  entries_.erase(entry);
  if (actor->second.by_sequence.empty()) actors_.erase(actor);
}

}  // namespace hm::node
