// SPDX-License-Identifier: Apache-2.0
#include "node/own_operations.h"

#include <utility>
#include <vector>

#include "foundation/codec/writer.h"
#include "node/limits.h"

namespace hm::node {
namespace {

// Refused not for what the operation says but for when and under which number it came.
bool is_passing(ledger::Refusal rule) {
  switch (rule) {
    case ledger::Refusal::SequenceGap:
    case ledger::Refusal::SequenceUsed:
    case ledger::Refusal::Expired:
    case ledger::Refusal::UnknownAnchor:
    case ledger::Refusal::AnchorTooOld:
    case ledger::Refusal::AnchorOnAnotherBranch: return true;
    default: return false;
  }
}

// Twice would be twice as much: such an operation is never signed anew while its first form may
// still come to something.
bool is_repeatable(const ledger::Action& action) {
  return !std::holds_alternative<ledger::OpenLease>(action) &&
         !std::holds_alternative<ledger::RenewLease>(action);
}

}  // namespace

OwnOperations::OwnOperations(Node& node)
    : node_(node), retry_(node.ports().timers.create([this] { flush(); })) {}

OwnOperations::~OwnOperations() {
  *alive_ = false;
  for (const auto& [sequence, entry] : under_way_) node_.unwatch(entry.watch);
}

void OwnOperations::submit(ledger::Action action, Done done) {
  waiting_.push_back({.action = std::move(action), .done = std::move(done)});
  flush();
}

void OwnOperations::flush() {
  if (!under_way_.empty() || waiting_.empty() || node_.halt_reason()) return;
  const auto next = node_.ledger().next_sequence(ledger::Actor(node_.id()));
  // Without a number the ledger here is too old to know this node.
  if (!next) return pause();
  std::vector<std::uint64_t> batch;
  for (std::uint64_t sequence = *next; !waiting_.empty() && batch.size() < kMaxOwnOperations;
       ++sequence) {
    // Alone, since a hole before it would be filled with it (fill_hole()).
    const bool is_alone = !is_repeatable(waiting_.front().action);
    if (is_alone && !batch.empty()) break;
    under_way_.emplace(sequence, std::move(waiting_.front()));
    waiting_.pop_front();
    batch.push_back(sequence);
    if (is_alone) break;
  }
  for (const std::uint64_t sequence : batch) send(sequence);
}

void OwnOperations::pause() { retry_->arm(node_.ports().clock.now() + kOwnOperationPause); }

void OwnOperations::send(std::uint64_t sequence) {
  // The node may answer at once, and an earlier answer may have moved this entry.
  const auto entry = under_way_.find(sequence);
  if (entry == under_way_.end()) return;
  ++entry->second.tries;
  const ledger::Ledger& ledger = node_.ledger();
  ledger::Operation operation;
  operation.chain_id = node_.chain_id();
  operation.actor = node_.id();
  operation.sequence = sequence;
  operation.anchor = ledger.anchor();
  operation.expiry_height = operation.anchor.height + ledger.policy().expiry_max_ahead;
  operation.action = entry->second.action;
  const auto signed_operation = ledger::sign(std::move(operation), node_.key());
  const crypto::Digest id = ledger::operation_id(signed_operation.operation);
  node_.submit(codec::encode(signed_operation),
               [this, alive = alive_, sequence, id](const Admission& admission) {
                 if (*alive) on_admission(sequence, id, admission);
               });
}

std::optional<OwnOperations::Entry> OwnOperations::take(std::uint64_t sequence) {
  const auto entry = under_way_.find(sequence);
  if (entry == under_way_.end()) return std::nullopt;
  Entry taken = std::move(entry->second);
  under_way_.erase(entry);
  return taken;
}

void OwnOperations::on_admission(std::uint64_t sequence, const crypto::Digest& id,
                                 const Admission& admission) {
  if (std::holds_alternative<Admitted>(admission)) {
    if (!under_way_.contains(sequence)) return;
    const WatchId watch =
        node_.watch(id, [this, alive = alive_, sequence](const FinalReceipt& receipt) {
          if (!*alive) return;
          if (auto entry = take(sequence)) finish(std::move(*entry), receipt.receipt.refused);
          // In no block: the number is still free, and those behind it wait for it.
          const auto next = node_.ledger().next_sequence(ledger::Actor(node_.id()));
          if (next && *next <= sequence) fill_hole(sequence);
          flush();
        });
    // The receipt may have been there already.
    const auto still = under_way_.find(sequence);
    if (still != under_way_.end()) still->second.watch = watch;
    return;
  }
  auto entry = take(sequence);
  if (!entry) return;
  if (const auto* refused = std::get_if<ledger::Refused>(&admission)) {
    finish(std::move(*entry), *refused);
  } else {
    waiting_.push_front(std::move(*entry));
  }
  fill_hole(sequence);
  // Not at once: whoever holds the number, or the pool, must move on first.
  if (under_way_.empty() && !waiting_.empty()) pause();
}

void OwnOperations::finish(Entry entry, const std::optional<ledger::Refused>& refused) {
  if (refused && is_passing(refused->rule) && entry.tries < kOwnOperationTries) {
    waiting_.push_front(std::move(entry));
    return;
  }
  entry.done(refused);
}

// Nothing behind a missing number can get into a block. The last one under way takes it: what its
// first form comes to later does not matter, since the ledger refuses to do the same thing twice.
void OwnOperations::fill_hole(std::uint64_t sequence) {
  if (under_way_.empty() || under_way_.rbegin()->first < sequence) return;
  auto last = take(under_way_.rbegin()->first);
  node_.unwatch(last->watch);
  last->watch = 0;
  under_way_.emplace(sequence, std::move(*last));
  send(sequence);
}

}  // namespace hm::node
