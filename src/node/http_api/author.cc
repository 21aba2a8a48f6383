// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/author.h"

#include "foundation/codec/writer.h"
#include "node/http_api/limits.h"
#include "node/limits.h"

namespace hm::http_api {

Author::Author(node::Node& node)
    : node_(node), timer_(node.ports().timers.create([this] { on_timer(); })) {}

Author::~Author() { node_.unwatch(watch_); }

void Author::submit(Draft draft, std::function<void(const OperationOutcome&)> done) {
  if (jobs_.size() >= kMaxAuthorQueue) {
    done(node::Busy{node::kBusyRetryAfter});
    return;
  }
  jobs_.push_back({.draft = std::move(draft), .done = std::move(done)});
  if (!running_) start_next();
}

void Author::start_next() {
  if (jobs_.empty()) return;
  running_ = true;
  Job& job = jobs_.front();
  ++job.attempts;
  const ledger::Ledger& ledger = node_.ledger();
  const ledger::Actor actor = node_.id();
  ledger::Operation operation;
  operation.chain_id = node_.chain_id();
  operation.actor = actor;
  // Unknown actors are refused by the ledger, whatever the sequence.
  operation.sequence = ledger.next_sequence(actor).value_or(1);
  operation.anchor = ledger.anchor();
  operation.expiry_height = operation.anchor.height + ledger.policy().expiry_max_ahead;
  operation.action = job.draft.action;
  operation.proofs = job.draft.proofs;
  const auto sealed = ledger::sign(std::move(operation), node_.key());
  node_.submit(codec::encode(sealed),
               [this, alive = std::weak_ptr(alive_)](const node::Admission& admission) {
                 if (!alive.expired()) on_admission(admission);
               });
}

void Author::on_admission(const node::Admission& admission) {
  const MonoTime now = node_.ports().clock.now();
  if (const auto* admitted = std::get_if<node::Admitted>(&admission)) {
    awaited_ = admitted->id;
    timer_->arm(now + kMaxWait);
    watch_ = node_.watch(admitted->id, [this, id = admitted->id, alive = std::weak_ptr(alive_)](
                                           const node::FinalReceipt& receipt) {
      if (!alive.expired() && awaited_ == id) finish(receipt);
    });
    return;
  }
  if (const auto* refused = std::get_if<ledger::Refused>(&admission)) {
    const bool lost_a_race = refused->rule == ledger::Refusal::SequenceUsed ||
                             refused->rule == ledger::Refusal::SequenceGap;
    if (lost_a_race && jobs_.front().attempts < kMaxAuthorAttempts) {
      timer_->arm(now + kAuthorRetry);
      return;
    }
    return finish(*refused);
  }
  if (const auto* busy = std::get_if<node::Busy>(&admission)) return finish(*busy);
  finish(std::get<node::Halted>(admission));
}

void Author::on_timer() {
  if (!running_) return;
  if (awaited_) {
    node_.unwatch(watch_);
    finish(node::Admitted{*awaited_});
  } else {
    start_next();
  }
}

void Author::finish(const OperationOutcome& outcome) {
  timer_->cancel();
  awaited_.reset();
  const auto done = std::move(jobs_.front().done);
  jobs_.pop_front();
  running_ = false;
  done(outcome);
  if (!running_) start_next();
}

}  // namespace hm::http_api
