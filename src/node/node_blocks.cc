// SPDX-License-Identifier: Apache-2.0
// Node: payloads between consensus and ledger.
#include <algorithm>
#include <utility>

#include "foundation/base/check.h"
#include "foundation/base/log.h"
#include "foundation/codec/reader.h"
#include "node/limits.h"
#include "node/node.h"

namespace hm::node {
namespace {

// What a payload says, before anybody checked a signature in it; nothing if it is malformed.
std::vector<ledger::Operation> unchecked_operations(ByteView bytes) {
  std::vector<ledger::Operation> operations;
  if (bytes.empty()) return operations;
  const auto payload = ledger::decode_payload(bytes);
  if (!payload) return operations;
  operations.reserve(payload->operations.size());
  for (const Bytes& operation : payload->operations) {
    auto decoded = codec::decode<ledger::SignedOperation>(operation);
    if (decoded) operations.push_back(std::move(decoded->operation));
  }
  return operations;
}

}  // namespace

void Node::on_effect(consensus::RequestPayload effect) {
  ledger::PayloadBuilder payload;
  std::vector<CheckedPtr> selected;
  if (effect.max_bytes > 0) {
    // The next sequence of each actor on the branch to be extended.
    std::map<ledger::Actor, std::uint64_t> branch;
    const auto count = [&branch](const ledger::Operation& op) {
      branch[op.actor] = std::max(branch[op.actor], op.sequence + 1);
    };
    for (const consensus::BlockPtr& ancestor : effect.ancestors) {
      const auto candidate = candidates_.find(hash_of(ancestor->header));
      if (candidate == candidates_.end()) {
        // Certified by others before our own check of it is done: its form is enough to know what
        // not to include again.
        for (const ledger::Operation& op : unchecked_operations(ancestor->payload)) count(op);
        continue;
      }
      for (const CheckedPtr& operation : candidate->second.operations) {
        count(operation->prepared.operation);
      }
    }
    const auto next = [&](const ledger::Actor& actor) {
      const auto on_branch = branch.find(actor);
      if (on_branch != branch.end()) return on_branch->second;
      return ledger_->next_sequence(actor).value_or(1);
    };
    mempool_.select(next, effect.max_bytes, payload, selected);
  }
  const auto block = replica_->handle_payload(effect.view, std::move(payload).take(), now());
  // Our own proposal is not sent back for validation.
  if (block) add_candidate(*block, effect.height, std::move(selected));
}

// What a payload holds: operations that the pool knows to be good, and those still to be checked.
// None if the payload is not well-formed.
std::optional<Node::PayloadOperations> Node::split_payload(ByteView bytes) const {
  PayloadOperations operations;
  if (bytes.empty()) return operations;
  auto payload = ledger::decode_payload(bytes);
  if (!payload) return std::nullopt;
  operations.checked.reserve(payload->operations.size());
  for (Bytes& operation : payload->operations) {
    CheckedPtr known = mempool_.find(crypto::sha256(operation));
    if (!known) {
      operations.unchecked_places.push_back(operations.checked.size());
      operations.unchecked.push_back(std::move(operation));
    }
    operations.checked.push_back(std::move(known));
  }
  return operations;
}

// Calls `done` with the block's operations, or with nothing if one of them is not what an honest
// proposer includes; at once if the pool knows them all.
void Node::check_payload(const consensus::BlockPtr& block,
                         std::function<void(std::optional<std::vector<CheckedPtr>>)> done) {
  auto split = split_payload(block->payload);
  if (!split) {
    done(std::nullopt);
    return;
  }
  if (split->unchecked.empty()) {
    done(std::move(split->checked));
    return;
  }
  auto unchecked = std::move(split->unchecked);
  checker_.check(std::move(unchecked),
                 [split = std::move(*split), done = std::move(done)](CheckResults results) mutable {
                   for (std::size_t i = 0; i < results.size(); ++i) {
                     if (!results[i]) {
                       done(std::nullopt);
                       return;
                     }
                     split.checked[split.unchecked_places[i]] = std::move(*results[i]);
                   }
                   done(std::move(split.checked));
                 });
}

void Node::on_effect(consensus::Validate effect) {
  check_payload(effect.block, [this, hash = effect.hash, height = effect.block->header.height](
                                  std::optional<std::vector<CheckedPtr>> operations) {
    const bool valid = operations.has_value();
    if (valid) add_candidate(hash, height, std::move(*operations));
    step([&] {
      replica_->handle_validated(
          hash, valid ? consensus::Verdict::Valid : consensus::Verdict::Invalid, now());
    });
  });
}

void Node::add_candidate(const crypto::Digest& hash, std::uint64_t height,
                         std::vector<CheckedPtr> operations) {
  if (height <= ledger_->height()) return;
  const auto [candidate, is_new] = candidates_.try_emplace(hash);
  if (!is_new) return;
  mempool_.hold(operations);
  candidate->second = {height, std::move(operations)};
}

void Node::on_effect(consensus::Finalize effect) {
  finals_.push_back({std::move(effect), std::nullopt, false});
  execute_ready_blocks();
}

// Has the operations of the next few final blocks checked, unless the vote did that already.
void Node::check_final_blocks() {
  const std::size_t ahead = std::min(finals_.size(), kMaxBlocksInCheck);
  for (std::size_t i = 0; i < ahead; ++i) {
    PendingFinal& final_block = finals_[i];
    if (final_block.check_started) continue;
    final_block.check_started = true;
    if (const auto known = candidates_.find(final_block.effect.hash); known != candidates_.end()) {
      final_block.operations = known->second.operations;
      continue;
    }
    const std::uint64_t height = final_block.effect.block->header.height;
    check_payload(final_block.effect.block,
                  [this, height](std::optional<std::vector<CheckedPtr>> operations) {
                    if (!operations) {
                      halt("the final block at height " + std::to_string(height) +
                           " holds operations that do not check: more than a third of the stake "
                           "is faulty");
                      return;
                    }
                    for (PendingFinal& waiting : finals_) {
                      if (waiting.effect.block->header.height != height) continue;
                      waiting.operations = std::move(operations);
                      break;
                    }
                    step([this] { execute_ready_blocks(); });
                  });
  }
}

// Executes final blocks in order, as far as their operations are checked.
void Node::execute_ready_blocks() {
  // A check that ends at once calls back into this; the loop below sees its result.
  if (executing_) return;
  executing_ = true;
  while (!halt_reason_) {
    check_final_blocks();
    if (halt_reason_ || finals_.empty() || !finals_.front().operations) break;
    if (!execute(finals_.front())) break;
    finals_.pop_front();
  }
  executing_ = false;
}

bool Node::execute(PendingFinal& final_block) {
  const consensus::Block& block = *final_block.effect.block;
  const crypto::Digest& hash = final_block.effect.hash;
  std::vector<ledger::PreparedOperation> operations;
  operations.reserve(final_block.operations->size());
  for (const CheckedPtr& operation : *final_block.operations) {
    operations.push_back(operation->prepared);
  }
  const ledger::BlockContext context{block.header.height, hash, UnixMillis(block.header.time_ms)};
  const ledger::BlockOutcome outcome = ledger_->apply(context, operations);
  if (auto stored = chain_store_->append(block, hash, final_block.effect.certificate, outcome);
      !stored) {
    halt("the ledger store cannot be written: " + stored.error().message + " " +
         stored.error().detail);
    return false;
  }
  last_final_at_ = ports_.clock.now();
  settle_pool(*final_block.operations, block.header.height);
  replica_->handle_executed(block.header.height, outcome.root, now());
  record_receipts(outcome, block.header.height, hash);
  const FinalEvent event{block, hash, outcome};
  for (NodeObserver* observer : std::vector(observers_)) observer->on_final(event);
  return true;
}

// Takes out of the pool what the block settled, and releases what other blocks at or below this
// height held.
void Node::settle_pool(const std::vector<CheckedPtr>& operations, std::uint64_t height) {
  for (auto it = candidates_.begin(); it != candidates_.end();) {
    if (it->second.height > height) {
      ++it;
      continue;
    }
    mempool_.release(it->second.operations);
    it = candidates_.erase(it);
  }
  for (const CheckedPtr& operation : operations) {
    mempool_.remove(*operation);
  }
  for (const CheckedPtr& operation : operations) {
    const ledger::Actor& actor = operation->prepared.operation.actor;
    const auto next = ledger_->next_sequence(actor);
    if (!next) continue;
    for (const CheckedPtr& dropped : mempool_.advance(actor, *next)) {
      const std::uint64_t sequence = dropped->prepared.operation.sequence;
      notify(
          {{dropped->prepared.id, ledger::Refused{ledger::Refusal::SequenceUsed, sequence, *next}},
           height,
           {}});
    }
  }
  for (const CheckedPtr& expired : mempool_.remove_expired(height)) {
    const std::uint64_t expiry = expired->prepared.operation.expiry_height;
    notify({{expired->prepared.id, ledger::Refused{ledger::Refusal::Expired, expiry, height}},
            height,
            {}});
  }
}

// Tells those who wait for the operation.
void Node::notify(const FinalReceipt& receipt) {
  const auto [first, last] = watches_by_operation_.equal_range(receipt.receipt.operation);
  std::vector<WatchId> waiting;
  for (auto it = first; it != last; ++it) waiting.push_back(it->second);
  for (const WatchId id : waiting) {
    const auto watch = watches_.find(id);
    if (watch == watches_.end()) continue;
    const auto done = std::move(watch->second.done);
    unwatch(id);
    done(receipt);
  }
}

void Node::record_receipts(const ledger::BlockOutcome& outcome, std::uint64_t height,
                           const crypto::Digest& hash) {
  for (const ledger::Receipt& receipt : outcome.receipts) {
    ++(receipt.refused ? counters_.operations_failed : counters_.operations_applied);
    const FinalReceipt final_receipt{receipt, height, hash};
    const bool repeated =
        receipt.refused && receipt.refused->rule == ledger::Refusal::AlreadyApplied;
    // A block that holds an operation again does not make it undone.
    if (!repeated) {
      recent_receipts_.emplace_back(receipt.operation, height);
      receipts_.insert_or_assign(receipt.operation, final_receipt);
    }
    notify(final_receipt);
  }
  while (recent_receipts_.size() > kMaxRecentReceipts) {
    const auto& [operation, of_height] = recent_receipts_.front();
    const auto oldest = receipts_.find(operation);
    if (oldest != receipts_.end() && oldest->second.height == of_height) receipts_.erase(oldest);
    recent_receipts_.pop_front();
  }
}

}  // namespace hm::node
