// SPDX-License-Identifier: Apache-2.0
// Node: operations from the door to the pool, and to the peers.
#include <algorithm>
#include <utility>

#include "foundation/codec/reader.h"
#include "node/limits.h"
#include "node/node.h"

namespace hm::node {
namespace {

// The ledger judges at the time of the last block, which may be a heartbeat ago; in the next block
// a reading of what has passed since is right.
bool is_too_early(ledger::Refusal rule) {
  return rule == ledger::Refusal::MeterTooEarly || rule == ledger::Refusal::MeterTooMuch;
}

// The next blocks may be right for what the ledger refuses now. `is_passed_on`: a peer may be a
// block ahead of us, and pass on what was anchored there.
bool may_wait(ledger::Refusal rule, bool is_passed_on) {
  return rule == ledger::Refusal::SequenceGap || is_too_early(rule) ||
         (rule == ledger::Refusal::UnknownAnchor && is_passed_on);
}

}  // namespace

// What is under check will want a place in the pool: a signature costs more than everything else
// about an operation, so none is checked that finds no place then.
bool Node::is_busy() const {
  return mempool_.full() || mempool_.size() + operations_in_check_ >= kMaxPooledOperations ||
         operations_in_check_ >= kMaxUncheckedOperations;
}

void Node::submit(Bytes operation, std::function<void(const Admission&)> done) {
  if (halt_reason_ || transport_ == nullptr) {
    done(Halted{halt_reason_.value_or("the node is not running")});
    return;
  }
  // Refused before anything is spent on it.
  if (is_busy()) {
    ++counters_.operations_busy;
    done(Busy{kBusyRetryAfter});
    return;
  }
  ++operations_in_check_;
  submissions_.push_back({std::move(operation), std::move(done)});
  // What arrives while one batch is checked makes up the next.
  if (!submission_check_running_) check_submissions();
}

void Node::check_submissions() {
  std::vector<Submission> batch;
  std::vector<Bytes> operations;
  for (Submission& submission : submissions_) {
    operations.push_back(std::move(submission.operation));
    batch.push_back({{}, std::move(submission.done)});
  }
  submissions_.clear();
  if (batch.empty()) return;
  submission_check_running_ = true;
  checker_.check(std::move(operations),
                 [this, batch = std::move(batch)](CheckResults results) mutable {
                   finish_submissions(std::move(batch), std::move(results));
                 });
}

void Node::finish_submissions(std::vector<Submission> submissions, CheckResults results) {
  submission_check_running_ = false;
  operations_in_check_ -= submissions.size();
  check_submissions();
  std::vector<CheckedPtr> admitted;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) {
      ++counters_.operations_refused;
      submissions[i].done(results[i].error());
      continue;
    }
    const CheckedPtr& operation = *results[i];
    const std::size_t pooled_before = mempool_.size();
    const auto refusal = admit(operation, Origin::Client);
    if (refusal) {
      submissions[i].done(*refusal);
      continue;
    }
    if (mempool_.size() > pooled_before) admitted.push_back(operation);
    submissions[i].done(Admitted{operation->prepared.id});
  }
  gossip(admitted);
  step([] {});
}

// None if the operation is in the pool now.
std::optional<Admission> Node::admit(const CheckedPtr& operation, Origin origin) {
  const ledger::Operation& op = operation->prepared.operation;
  if (auto refused = ledger_->precheck(operation->prepared)) {
    // The ledger tells a repetition from another operation for the last few only; we remember more.
    if (refused->rule == ledger::Refusal::SequenceUsed &&
        receipts_.contains(operation->prepared.id)) {
      refused->rule = ledger::Refusal::AlreadyApplied;
    }
    if (!may_wait(refused->rule, origin == Origin::Peer)) {
      ++counters_.operations_refused;
      return *refused;
    }
  }
  const std::uint64_t next = ledger_->next_sequence(op.actor).value_or(1);
  switch (mempool_.insert(operation, next, ports_.clock.now())) {
    case Mempool::Insert::Added:
      if (origin == Origin::Client) ++counters_.operations_admitted;
      if (!std::exchange(gossip_timer_armed_, true)) {
        gossip_timer_->arm(ports_.clock.now() + kGossipRetry);
      }
      return std::nullopt;
    case Mempool::Insert::Present: return std::nullopt;
    case Mempool::Insert::SlotTaken:
    case Mempool::Insert::SequenceUsed:
      ++counters_.operations_refused;
      return ledger::Refused{ledger::Refusal::SequenceUsed, op.sequence, next};
    case Mempool::Insert::TooFarAhead:
      ++counters_.operations_refused;
      return ledger::Refused{ledger::Refusal::SequenceGap, op.sequence, next};
    case Mempool::Insert::Full:
    case Mempool::Insert::ActorFull: break;
  }
  ++counters_.operations_busy;
  return Busy{kBusyRetryAfter};
}

bool Node::is_pooled(const crypto::Digest& operation) const { return mempool_.contains(operation); }

void Node::gossip(const std::vector<CheckedPtr>& operations) {
  if (transport_ == nullptr || peers_.empty()) return;
  std::size_t done = 0;
  while (done < operations.size()) {
    std::vector<Bytes> bundle;
    std::size_t bytes = 0;
    while (done < operations.size() && bundle.size() < kMaxGossipOperations &&
           (bundle.empty() || bytes + operations[done]->bytes.size() <= kMaxGossipBytes / 2)) {
      bytes += operations[done]->bytes.size();
      bundle.push_back(operations[done++]->bytes);
    }
    const auto message = std::make_shared<const Bytes>(codec::encode(bundle));
    for (const identity::NodeId& peer : peers_) {
      if (transport_->send(peer, ports::Channel::Gossip, message) == ports::SendResult::QueueFull) {
        ++counters_.send_dropped;
      }
    }
  }
}

void Node::on_gossip(ByteView payload) {
  if (payload.size() > kMaxGossipBytes) {
    ++counters_.gossip_malformed;
    return;
  }
  auto bundle = codec::decode<std::vector<Bytes>>(payload);
  if (!bundle || bundle->empty() || bundle->size() > kMaxGossipOperations) {
    ++counters_.gossip_malformed;
    return;
  }
  std::vector<Bytes> fresh;
  for (Bytes& operation : *bundle) {
    if (mempool_.find(crypto::sha256(operation))) continue;
    if (is_busy()) {
      ++counters_.gossip_dropped;
      continue;
    }
    ++operations_in_check_;
    fresh.push_back(std::move(operation));
  }
  if (fresh.empty()) return;
  const std::size_t count = fresh.size();
  checker_.check(std::move(fresh), [this, count](CheckResults results) {
    operations_in_check_ -= count;
    for (const CheckResult& result : results) {
      if (!result) {
        ++counters_.gossip_malformed;
        continue;
      }
      ++counters_.gossip_received;
      // A refusal here is the client's business with the node it asked.
      (void)admit(*result, Origin::Peer);
    }
    step([] {});
  });
}

// What came while this node was behind may be refused by the ledger as it is now, and by every
// validator. It would never get into a block, nor would anything behind it of the same actor.
void Node::drop_hopeless() {
  for (const CheckedPtr& operation :
       mempool_.waiting_since(ports_.clock.now() - kGossipRetry, kMaxGossipOperations)) {
    const auto refused = ledger_->precheck(operation->prepared);
    if (!refused || may_wait(refused->rule, true)) continue;
    mempool_.remove(*operation);
    notify({{operation->prepared.id, refused}, ledger_->height(), {}});
  }
}

void Node::retry_gossip() {
  gossip_timer_armed_ = false;
  if (halt_reason_ || transport_ == nullptr) return;
  drop_hopeless();
  if (mempool_.size() == 0) return;
  gossip(mempool_.waiting_since(ports_.clock.now() - kGossipRetry, kMaxGossipOperations));
  gossip_timer_armed_ = true;
  gossip_timer_->arm(ports_.clock.now() + kGossipRetry);
}

}  // namespace hm::node
