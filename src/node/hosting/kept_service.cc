// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/kept_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "foundation/base/log.h"
#include "foundation/codec/writer.h"
#include "node/hosting/run_gate.h"

namespace hm::hosting {

KeptService::KeptService(ServicePorts& ports, ServiceRecord record)
    : ports_(ports), record_(std::move(record)), remembered_(codec::encode(record_)) {
  if (auto place = parse_place(record_.spec.place)) place_ = std::move(*place);
}

void KeptService::recall() {
  for (const ReplicaRecord& replica : record_.replicas) {
    replicas_.push_back(std::make_shared<Replica>(ports_, record_.spec, replica));
    replicas_.back()->recall();
  }
}

std::size_t KeptService::count(Standing standing) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      replicas_, [&](const auto& replica) { return replica->standing() == standing; }));
}

// Those that are counted on.
std::size_t KeptService::good() const {
  return count(Standing::Placing) + count(Standing::Checking) + count(Standing::Healthy);
}

void KeptService::look() {
  const std::size_t healthy = count(Standing::Healthy);
  for (const auto& replica : replicas_) replica->look();
  if (count(Standing::Healthy) > healthy) place_pause_ = kPlacePause;
  if (record_.life == ServiceLife::Removed) {
    for (const auto& replica : replicas_) {
      if (replica->standing() != Standing::Leaving) replica->leave();
    }
  } else {
    take_trouble();
    recover_some();
    trim();
    place_missing();
  }
  std::erase_if(replicas_, [&](const auto& replica) {
    if (!replica->is_gone()) return false;
    told_.erase(replica->record().number);
    return true;
  });
  if (const auto saved = save(); !saved) {
    log::warning("hosting", saved.error().message, {{"why", saved.error().detail}});
  }
}

// Each trouble is taken once: counted, and its owner left out. What is lost leaves at once.
void KeptService::take_trouble() {
  for (const auto& replica : replicas_) {
    const Standing standing = replica->standing();
    const bool is_lost = standing == Standing::Lost;
    if (!is_lost && standing != Standing::Failing) continue;
    const Trouble trouble = *replica->trouble();
    if (told_.insert(replica->record().number).second) {
      switch (trouble.cause) {
        case Cause::Unreachable: ++ports_.counters.unreachable; break;
        case Cause::Unhealthy: ++ports_.counters.unhealthy; break;
        case Cause::Ended: ++ports_.counters.ended; break;
        case Cause::LostLease: ++ports_.counters.lost_lease; break;
        case Cause::NeverBegan: ++ports_.counters.never_began; break;
      }
      log::info("hosting", "a replica has to be replaced",
                {{"service", record_.spec.name},
                 {"replica", replica->record().number},
                 {"node", replica->record().provider.to_string()},
                 {"why", trouble.why}});
      if (trouble.blame) {
        leave_out(record_, replica->record(), *trouble.blame, trouble.why, wall());
      }
    }
    if (!is_lost) continue;
    replica->leave();
    pause(fmt::format("replica {} was lost: {}", replica->record().number, trouble.why));
  }
}

// What fails and is in order again goes on, unless another one is already on its way.
void KeptService::recover_some() {
  if (count(Standing::Placing) + count(Standing::Checking) > 0) return;
  for (const auto& replica : replicas_) {
    if (good() >= record_.spec.replicas) return;
    if (replica->standing() != Standing::Failing || !replica->has_recovered()) continue;
    replica->recover();
    told_.erase(replica->record().number);
  }
}

void KeptService::trim() {
  const std::size_t wanted = record_.spec.replicas;
  // The newest of those that are not there yet, then the newest.
  while (good() > wanted) {
    const auto newest = [&](auto&& admits) {
      const auto found = std::find_if(replicas_.rbegin(), replicas_.rend(), admits);
      if (found == replicas_.rend()) return false;
      (*found)->leave();
      return true;
    };
    if (!newest([](const auto& r) {
          return r->standing() == Standing::Placing || r->standing() == Standing::Checking;
        })) {
      newest([](const auto& r) { return r->standing() == Standing::Healthy; });
    }
  }
  for (const auto& replica : replicas_) {
    if (replica->standing() != Standing::Failing) continue;
    const bool is_replaced = count(Standing::Healthy) + count(Standing::Failing) > wanted;
    const bool is_of_use = replica->trouble()->cause == Cause::LostLease;
    const bool is_old = now() >= replica->trouble()->since + kKeepFailing;
    if (is_replaced || (is_old && !is_of_use)) replica->leave();
  }
}

void KeptService::place_missing() {
  if (good() >= record_.spec.replicas) {
    waiting_.clear();
    return;
  }
  while (good() < record_.spec.replicas && now() >= place_due_) {
    if (!place_one()) return;
    waiting_.clear();
  }
}

Result<RunPlan> KeptService::plan(const containers::RunSpec& spec) {
  RunDemand demand{.spec = spec,
                   .place = place_,
                   .duration_ms = record_.spec.duration_ms,
                   .highest_price = record_.spec.highest_price,
                   .left_out = {},
                   .now = std::max(ports_.node.ledger().head().time, wall())};
  for (const auto& replica : replicas_) {
    if (replica->standing() != Standing::Leaving) demand.left_out.insert(replica->record().owner);
  }
  for (const LeftOut& entry : record_.left_out) {
    if (wall() < entry.until) demand.left_out.insert(entry.owner);
  }
  auto found = plan_run(ports_.node, demand, ports_.round_trips());
  if (!found && found.error().detail.empty()) {
    found.error().detail = demand.left_out.empty()
                               ? "nobody offers what it needs"
                               : fmt::format(
                                     "{} owners have a replica or are left out, and nobody "
                                     "else offers what it needs",
                                     demand.left_out.size());
  }
  return found;
}

bool KeptService::place_one() {
  ReplicaRecord replica{.number = record_.last_number + 1, .since = wall()};
  ports_.node.ports().random.fill(replica.token);
  const auto spec = containers::replica_spec(record_.spec, replica.number, replica.token);
  const auto found = plan(spec);
  if (!found) {
    pause(found.error().message + ": " + found.error().detail);
    return false;
  }
  const ledger::NodeRecord* self = ports_.node.ledger().node(ports_.node.id());
  if (self == nullptr || self->allowance < found->escrow) {
    pause(
        fmt::format("it costs {} CAES in escrow, and this node may spend {} CAES by itself; "
                    "hypermesh allow AMOUNT",
                    caesar::to_string(found->escrow),
                    caesar::to_string(self == nullptr ? caesar::Amount{} : self->allowance)));
    return false;
  }
  replica.provider = found->node;
  replica.owner = found->owner;
  record_.last_number = replica.number;
  replicas_.push_back(std::make_shared<Replica>(ports_, record_.spec, replica));
  if (const auto saved = save(); !saved) {
    replicas_.pop_back();
    pause(saved.error().message + ": " + saved.error().detail);
    return false;
  }
  ++ports_.counters.placed;
  replicas_.back()->begin(found->leases);
  return true;
}

void KeptService::pause(std::string why) {
  waiting_ = std::move(why);
  place_due_ = now() + place_pause_;
  place_pause_ = std::min(place_pause_ * 2, Duration(kLongestPlacePause));
}

// If there is anything new to remember.
Result<void> KeptService::save() {
  record_.replicas.clear();
  for (const auto& replica : replicas_) record_.replicas.push_back(replica->record());
  Bytes bytes = codec::encode(record_);
  if (bytes == remembered_) return {};
  HM_TRY_VOID(ports_.remember(record_.id, bytes));
  remembered_ = std::move(bytes);
  return {};
}

Result<void> KeptService::scale(std::uint32_t replicas) {
  const std::uint32_t before = std::exchange(record_.spec.replicas, replicas);
  if (auto saved = save(); !saved) {
    record_.spec.replicas = before;
    return saved;
  }
  place_pause_ = kPlacePause;
  place_due_ = now();
  ports_.wake();
  return {};
}

Result<void> KeptService::remove() {
  const ServiceLife before = std::exchange(record_.life, ServiceLife::Removed);
  if (auto saved = save(); !saved) {
    record_.life = before;
    return saved;
  }
  look();
  ports_.wake();
  return {};
}

std::string_view KeptService::state() const {
  if (record_.life == ServiceLife::Removed) return "removing";
  if (count(Standing::Failing) > 0) return "replacing";
  if (count(Standing::Healthy) >= record_.spec.replicas) return "running";
  return waiting_.empty() ? "starting" : "waiting";
}

bool KeptService::is_over() const {
  return record_.life == ServiceLife::Removed &&
         std::ranges::all_of(replicas_, [](const auto& replica) { return replica->is_over(); });
}

bool KeptService::is_gone() const {
  return record_.life == ServiceLife::Removed && replicas_.empty();
}

MonoTime KeptService::next_due() const {
  MonoTime due = now() + kServicePause;
  for (const auto& replica : replicas_) due = std::min(due, replica->next_due());
  if (!waiting_.empty()) due = std::min(due, std::max(place_due_, now() + kServiceSoon));
  return due;
}

}  // namespace hm::hosting
