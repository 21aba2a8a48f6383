// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "foundation/base/log.h"
#include "node/hosting/run_gate.h"
#include "node/limits.h"

namespace hm::hosting {
namespace {

// Looks at the stream of a start: words on it are a sign of life.
class StartEar final : public StreamListener {
 public:
  explicit StartEar(std::function<void()> on_word) : on_word_(std::move(on_word)) {}
  void on_report(const Report& /*report*/) override { on_word_(); }
  void on_closed(const Outcome& /*outcome*/) override { on_word_(); }

 private:
  std::function<void()> on_word_;
};

bool is_for_want_of_caes(const ledger::Refused& refused) {
  return refused.rule == ledger::Refusal::AllowanceTooSmall ||
         refused.rule == ledger::Refusal::OverBalance;
}

std::string words_of(const ledger::Refused& refused) {
  const bool is_allowance = refused.rule == ledger::Refusal::AllowanceTooSmall;
  return ledger::explain(refused) + (is_allowance ? "; hypermesh allow AMOUNT" : "");
}

// What the tenant lacks is not the provider's doing.
std::optional<Blame> blame_of(const ledger::Refused& refused) {
  if (is_for_want_of_caes(refused)) return std::nullopt;
  return Blame::Passing;
}

}  // namespace

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::Placing: return "placing";
    case Standing::Checking: return "checking";
    case Standing::Healthy: return "healthy";
    case Standing::Failing: return "failing";
    case Standing::Lost: return "lost";
    case Standing::Leaving: return "leaving";
  }
  return "unknown";
}

Replica::Replica(ServicePorts& ports, const containers::ServiceSpec& service, ReplicaRecord record)
    : ports_(ports),
      service_(service),
      record_(record),
      spec_(containers::replica_spec(service, record.number, record.token)),
      purpose_(containers::purpose_of(spec_)),
      began_(now()) {}

void Replica::begin(const std::vector<ledger::OpenLease>& leases) {
  wanted_leases_ = leases.size();
  opening_ = leases.size();
  for (const ledger::OpenLease& action : leases) {
    ports_.operations.submit(action, [weak = weak_from_this()](const auto& refused) {
      const auto self = weak.lock();
      if (!self) return;
      --self->opening_;
      if (refused && !self->refusal_) self->refusal_ = refused;
      self->ports_.wake();
    });
  }
  ports_.wake();
}

// What was only on its way is not waited for: which of its leases were asked for is not known. What
// comes of them is closed.
void Replica::recall() {
  find_run();
  const RunRecord* run = ports_.desk.record(record_.run);
  if (record_.phase == ReplicaPhase::Placing) {
    if (run != nullptr && run->phase == DeskPhase::Running) {
      record_.phase = ReplicaPhase::Up;
    } else {
      const auto next = ports_.node.ledger().next_sequence(ledger::Actor(ports_.node.id()));
      unsure_ =
          Unsure{next.value_or(0) + node::kMaxOwnOperations,
                 ports_.node.ledger().height() + ports_.node.ledger().policy().expiry_max_ahead};
      leave();
    }
  }
  is_known_ = record_.phase == ReplicaPhase::Up;
}

void Replica::find_run() {
  if (record_.run != RunId{}) return;
  for (const RunRecord& run : ports_.desk.records()) {
    if (containers::purpose_of(run.spec) == purpose_) record_.run = run.run;
  }
}

std::vector<ledger::LeaseId> Replica::leases() const {
  std::vector<ledger::LeaseId> open;
  const auto tenant = tenant_of(ports_.node, ports_.node.id());
  if (!tenant) return open;
  const ledger::Ledger& ledger = ports_.node.ledger();
  for (const ledger::LeaseId& id : ledger.lease_index().of_tenant(*tenant)) {
    const ledger::LeaseRecord* lease = ledger.lease(id);
    if (lease->is_open() && lease->purpose == purpose_) open.push_back(id);
  }
  return open;
}

void Replica::look() {
  switch (record_.phase) {
    case ReplicaPhase::Placing: return look_placing();
    case ReplicaPhase::Up: return look_up();
    case ReplicaPhase::Leaving: return look_leaving();
  }
}

void Replica::look_placing() {
  if (is_lost_) return;
  if (!is_reached()) return lose(Cause::Unreachable, trouble_->why, Blame::Provider);
  if (record_.run == RunId{}) {
    if (opening_ > 0) return;
    if (refusal_) return lose(Cause::NeverBegan, words_of(*refusal_), blame_of(*refusal_));
    for (const ledger::LeaseId& id : leases()) {
      if (std::ranges::find(seen_leases_, id) == seen_leases_.end()) seen_leases_.push_back(id);
    }
    if (!leases_hold()) return;
    const bool is_accepted = std::ranges::all_of(seen_leases_, [&](const auto& id) {
      return ports_.node.ledger().lease(id)->state == ledger::LeaseState::Active;
    });
    if (seen_leases_.size() == wanted_leases_ && is_accepted) {
      if (ports_.mux.is_reachable(record_.provider)) start_run();
      return;
    }
    if (now() < began_ + kLeasesPatience) return;
    return lose(Cause::NeverBegan, "its node did not accept the leases in time", Blame::Provider);
  }
  const RunRecord* run = ports_.desk.record(record_.run);
  if (run == nullptr || run->phase == DeskPhase::Ended) {
    const std::string why = run == nullptr ? "its run is gone" : end_of_run(*run);
    return lose(Cause::NeverBegan, why, Blame::Passing);
  }
  if (run->phase == DeskPhase::Running) {
    start_.reset();
    record_.phase = ReplicaPhase::Up;
    began_ = now();
    return look_up();
  }
  if (now() >= began_ + kStartPatience) {
    lose(Cause::NeverBegan, "its node did not start it in time", Blame::Provider);
  }
}

void Replica::start_run() {
  began_ = now();
  auto started = ports_.desk.start({.provider = record_.provider,
                                    .spec = spec_,
                                    .leases = seen_leases_,
                                    .image = service_.image},
                                   std::make_shared<StartEar>([weak = weak_from_this()] {
                                     const auto self = weak.lock();
                                     if (!self) return;
                                     if (self->record_.phase == ReplicaPhase::Placing)
                                       self->began_ = self->now();
                                     self->ports_.wake();
                                   }));
  if (!started) {
    return lose(Cause::NeverBegan, started.error().message, Blame::Passing);
  }
  record_.run = started->run;
  start_ = std::move(started->stream);
}

std::string Replica::end_of_run(const RunRecord& run) const {
  if (!run.exit) return run.failure.empty() ? "it ended" : run.failure;
  return fmt::format("it ended with {}{}", run.exit->code,
                     run.exit->out_of_memory ? ", out of memory" : "");
}

ledger::LeaseEnd Replica::end_of(const ledger::LeaseId& id) const {
  const ledger::LeaseRecord* lease = ports_.node.ledger().lease(id);
  return lease == nullptr || lease->is_open() ? ledger::LeaseEnd::None : lease->placement.end;
}

// False: one of them is not what it was, and what follows from that is done.
bool Replica::leases_hold() {
  const ledger::Ledger& ledger = ports_.node.ledger();
  for (const ledger::LeaseId& id : seen_leases_) {
    const ledger::LeaseRecord* lease = ledger.lease(id);
    if (lease == nullptr || !lease->is_open() || lease->placement.node != record_.provider) {
      const auto end = end_of(id);
      const bool is_dark = end == ledger::LeaseEnd::Dark || end == ledger::LeaseEnd::NotAccepted;
      lose(record_.phase == ReplicaPhase::Up ? Cause::LostLease : Cause::NeverBegan,
           fmt::format("its lease ended: {}", ledger::name_of(end)),
           is_dark ? Blame::Provider : Blame::Passing);
      return false;
    }
    if (lease->state == ledger::LeaseState::Draining) {
      fail(Cause::LostLease, "its machine is taken back", Blame::Passing);
    }
    if (lease->state == ledger::LeaseState::Active && record_.phase == ReplicaPhase::Up) {
      renew(id, *lease);
    }
  }
  return true;
}

void Replica::renew(const ledger::LeaseId& id, const ledger::LeaseRecord& lease) {
  const std::uint64_t wall = ports_.node.ports().clock.wall().value;
  const std::uint64_t left = lease.until.value > wall ? lease.until.value - wall : 0;
  if (left > std::min(service_.duration_ms / kRenewPart, kRenewAheadMillis) || now() < renew_due_ ||
      under_way_.contains(id)) {
    return;
  }
  under_way_.insert(id);
  ports_.operations.submit(ledger::RenewLease{id, service_.duration_ms}, [weak = weak_from_this(),
                                                                          id](const auto& no) {
    const auto self = weak.lock();
    if (!self) return;
    self->under_way_.erase(id);
    if (!no) {
      self->unrenewed_.erase(id);
    } else {
      self->unrenewed_.insert(id);
      self->renew_due_ = self->now() + kRenewPause;
      self->fail(Cause::LostLease, "its lease cannot be renewed: " + words_of(*no), std::nullopt);
    }
    self->ports_.wake();
  });
}

// False: for longer than is waited for; `trouble_` says so.
bool Replica::is_reached() {
  // Who is connected to nobody is itself what is away.
  if (ports_.mux.is_reachable(record_.provider) || ports_.node.peers().empty()) {
    unreachable_since_.reset();
    return true;
  }
  if (!unreachable_since_) unreachable_since_ = now();
  if (now() < *unreachable_since_ + kUnreachableGrace) return true;
  fail(Cause::Unreachable, "its node cannot be reached", Blame::Provider);
  return false;
}

void Replica::look_up() {
  if (is_lost_) return;
  const RunRecord* run = ports_.desk.record(record_.run);
  if (run == nullptr) return lose(Cause::Ended, "its run was removed", std::nullopt);
  if (seen_leases_.empty()) seen_leases_ = run->leases;
  // The desk closes the leases of what has ended; whatever else ends them is why it has.
  const bool has_ended = run->phase == DeskPhase::Ended;
  if (has_ended && std::ranges::none_of(seen_leases_, [&](const ledger::LeaseId& id) {
        return end_of(id) > ledger::LeaseEnd::ByTenant;
      })) {
    return lose(Cause::Ended, end_of_run(*run), Blame::Passing);
  }
  if (!leases_hold()) return;
  if (is_reached() && ports_.mux.is_reachable(record_.provider)) check();
}

void Replica::check() {
  if (probe_ && now() >= probe_until_) {
    probe_.reset();
    return judge("no answer in time");
  }
  if (probe_ || now() < probe_due_) return;
  const containers::HealthCheck& health = service_.health;
  if (health.kind == containers::HealthKind::None) return judge(std::nullopt);
  probe_until_ = now() + std::chrono::milliseconds(health.timeout_ms);
  probe_ = HealthProbe::start(ports_.desk, record_.run, health, spec_.name,
                              [weak = weak_from_this()](const std::optional<std::string>& failure) {
                                const auto self = weak.lock();
                                if (!self) return;
                                self->probe_.reset();
                                // A lost connection ends it too, and has a rule of its own.
                                if (self->ports_.mux.is_reachable(self->record_.provider)) {
                                  self->judge(failure);
                                }
                                self->ports_.wake();
                              });
  if (!probe_) probe_due_ = now() + kFirstCheckPause;
}

void Replica::judge(const std::optional<std::string>& failure) {
  const containers::HealthCheck& health = service_.health;
  if (!failure) {
    ++ports_.counters.checks_passed;
    ++passes_;
    failures_ = 0;
    is_ready_ = true;
    last_failure_.clear();
  } else {
    ++ports_.counters.checks_failed;
    ++failures_;
    passes_ = 0;
    last_failure_ = *failure;
  }
  probe_due_ = now() + (is_ready_ ? Duration(std::chrono::milliseconds(health.interval_ms))
                                  : kFirstCheckPause);
  if (!failure) return;
  const bool is_new = !is_ready_ && !is_known_;
  if (is_new && now() >= began_ + kFirstCheckPatience) {
    return lose(Cause::Unhealthy, "its node says it runs, and it passed no check: " + *failure,
                Blame::Provider);
  }
  if (!is_new && failures_ >= health.retries) {
    fail(Cause::Unhealthy, "its node says it runs, and its checks fail: " + *failure,
         Blame::Provider);
  }
}

void Replica::fail(Cause cause, std::string why, std::optional<Blame> blame) {
  if (trouble_) return;
  trouble_ = Trouble{cause, std::move(why), blame, now()};
  passes_ = 0;
  ports_.wake();
}

void Replica::lose(Cause cause, std::string why, std::optional<Blame> blame) {
  trouble_ = Trouble{cause, std::move(why), blame, now()};
  is_lost_ = true;
  probe_.reset();
  ports_.wake();
}

bool Replica::has_recovered() const {
  if (!trouble_ || is_lost_ || record_.phase != ReplicaPhase::Up) return false;
  switch (trouble_->cause) {
    case Cause::Unreachable: return !unreachable_since_ && passes_ > 0;
    case Cause::Unhealthy: return !unreachable_since_ && passes_ >= service_.health.retries;
    case Cause::LostLease:
      return unrenewed_.empty() &&
             std::ranges::all_of(seen_leases_, [&](const ledger::LeaseId& id) {
               const ledger::LeaseRecord* lease = ports_.node.ledger().lease(id);
               return lease != nullptr && lease->state == ledger::LeaseState::Active;
             });
    case Cause::Ended:
    case Cause::NeverBegan: return false;
  }
  return false;
}

void Replica::recover() { trouble_.reset(); }

void Replica::leave() {
  record_.phase = ReplicaPhase::Leaving;
  probe_.reset();
  look_leaving();
}

void Replica::look_leaving() {
  find_run();
  if (ports_.desk.record(record_.run) != nullptr) {
    // Its leases are the desk's to close.
    if (!std::exchange(is_forgotten_, true)) ports_.desk.forget(record_.run);
    start_.reset();
    return;
  }
  for (const ledger::LeaseId& id : leases()) {
    if (!under_way_.insert(id).second) continue;
    ports_.operations.submit(ledger::CloseLease{id}, [weak = weak_from_this(), id](const auto& no) {
      const auto self = weak.lock();
      if (!self) return;
      self->under_way_.erase(id);
      if (no) {
        log::debug("hosting", "a lease of a replica is not closed",
                   {{"lease", id.to_string()}, {"why", ledger::explain(*no)}});
      }
      self->ports_.wake();
    });
  }
}

Standing Replica::standing() const {
  if (record_.phase == ReplicaPhase::Leaving) return Standing::Leaving;
  if (is_lost_) return Standing::Lost;
  if (trouble_) return Standing::Failing;
  if (record_.phase == ReplicaPhase::Placing) return Standing::Placing;
  return is_ready_ ? Standing::Healthy : Standing::Checking;
}

bool Replica::is_over() const {
  return record_.phase == ReplicaPhase::Leaving && opening_ == 0 && leases().empty();
}

bool Replica::is_gone() const {
  if (!is_over()) return false;
  if (!unsure_) return true;
  const ledger::Ledger& ledger = ports_.node.ledger();
  const auto next = ledger.next_sequence(ledger::Actor(ports_.node.id()));
  return next.value_or(0) >= unsure_->sequence || ledger.height() >= unsure_->height;
}

MonoTime Replica::next_due() const {
  MonoTime due = now() + kServicePause;
  if (probe_) due = std::min(due, probe_until_);
  if (record_.phase == ReplicaPhase::Up && !probe_ && !unreachable_since_) {
    due = std::min(due, probe_due_);
  }
  return std::max(due, now() + kServiceSoon);
}

}  // namespace hm::hosting
