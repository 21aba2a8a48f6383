// SPDX-License-Identifier: Apache-2.0
#include "simulator/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "foundation/base/check.h"
#include "simulator/nemesis.h"
#include "simulator/signature_memory.h"

namespace hm::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A run that needs more events than this is going round in circles.
constexpr std::uint64_t kMaxSteps = 20'000'000;

// Views without an honest, running leader cost one time-out each; the bound of issue 2 allows three
// time-outs besides.
constexpr int kTimeoutsToRecover = 3;

// After the first block, everyone else must be level within this many time-outs.
constexpr int kTimeoutsToConverge = 8;

constexpr std::int64_t kMaxHonestSkewMillis = 400;
constexpr std::int64_t kMaxDriftPpm = 200;

}  // namespace

World::World(const Plan& plan)
    : plan_(plan),
      random_(plan.seed * 1000003 + plan.nodes),
      network_(scheduler_, SimRandom(plan.seed ^ 0x6e657477), NetworkLimits{}) {
  auto scenario = make_scenario(plan.scenario, random_);
  HM_CHECK(scenario.has_value());
  scenario_ = std::move(*scenario);
  for (const std::string& check : plan.allowed) checker_.allow(check);
  network_.on_deliver = [this](Place from, Place to, ports::Channel channel, ByteView payload) {
    trace_hash_.add(static_cast<std::uint64_t>(scheduler_.now().time_since_epoch().count()));
    trace_hash_.add(from << 16 | to << 8 | static_cast<std::uint64_t>(channel));
    trace_hash_.add(payload);
    if (tracing()) trace(to, fmt::format("<- {} {}", from, describe(channel, payload)));
  };
}

World::~World() { forget_signatures(); }

std::size_t World::add_member(const identity::NodeId& node, Role role) {
  auto member = std::make_unique<Member>(fork_random());
  member->node = node;
  member->role = role;
  member->place = network_.add_place(node);
  if (scenario_.skewed_clocks) {
    member->clock.skew_ms =
        static_cast<std::int64_t>(random_.below(2 * kMaxHonestSkewMillis)) - kMaxHonestSkewMillis;
    member->clock.drift_ppm =
        static_cast<std::int64_t>(random_.below(2 * kMaxDriftPpm)) - kMaxDriftPpm;
  }
  for (Place other = 0; other < member->place; ++other) {
    network_.set_quality(member->place, other, scenario_.quality);
    network_.set_quality(other, member->place, scenario_.quality);
  }
  members_.push_back(std::move(member));
  return members_.size() - 1;
}

std::vector<Treason> World::draw_treasons() {
  std::vector<Treason> treasons;
  if (scenario_.treasons.empty()) return treasons;
  byzantine_validators_ =
      random_.between(std::uint64_t{1}, std::max<std::uint64_t>(1, faulty_limit()));
  for (std::size_t i = 0; i < byzantine_validators_; ++i) {
    treasons.push_back(scenario_.treasons[random_.below(scenario_.treasons.size())]);
  }
  for (const Treason treason : treasons) count_fault(name_of(treason));
  return treasons;
}

void World::trace(std::size_t who, const std::string& what) {
  if (!plan_.trace) return;
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(scheduler_.now().time_since_epoch());
  fmt::print(stderr, "{:>12} us  {:>2}  {}\n", micros.count(), who, what);
}

void World::start_process(std::size_t who) {
  Member& member = *members_[who];
  HM_CHECK(!member.running());
  ++member.starts;
  trace(who, fmt::format("starts, {} time", member.starts));
  member.life = std::make_unique<Life>();
  member.process = make_process(who);
  member.process->start();
  network_.attach(member.place, *member.process);
}

void World::crash(std::size_t who, Network::End end, PowerLoss loss) {
  Member& member = *members_[who];
  if (!member.running()) return;
  trace(who, "crashes");
  highest_view_ = std::max(highest_view_, member.process->view());
  member.life->end();
  network_.detach(member.place, end);
  member.process.reset();
  member.disk.crash(loss);
}

void World::step() {
  HM_CHECK(scheduler_.step());
  if (scheduler_.steps() > kMaxSteps) checker_.fail("livelock", "too many events in one run");
}

void World::run_until(MonoTime end) {
  scheduler_.at(end, [] {});  // so that time gets there
  while (!checker_.violation() && scheduler_.next() && *scheduler_.next() <= end) step();
}

std::optional<std::size_t> World::some_running_honest() {
  std::vector<std::size_t> candidates;
  for (std::size_t who = 0; who < members_.size(); ++who) {
    if (members_[who]->running() && is_honest(who)) candidates.push_back(who);
  }
  if (candidates.empty()) return std::nullopt;
  return candidates[random_.below(candidates.size())];
}

void World::submit(std::uint64_t number) {
  const auto who = some_running_honest();
  if (!who) return;
  if (tracing()) trace(*who, fmt::format("client submits {}", number));
  members_[*who]->process->submit(number);
}

void World::load() {
  const MonoTime end = MonoTime(plan_.fault_time);
  if (scheduler_.now() >= end) return;
  open_operations_.push_back(next_operation_);
  submit(next_operation_++);
  // Bursts and silences: an idle mesh stops proposing, and has to start again.
  const Duration pause = random_.chance(50) ? random_.between(seconds(1), seconds(3))
                                            : random_.between(milliseconds(1), milliseconds(150));
  scheduler_.after(pause, [this] { load(); });
}

void World::acknowledge(std::uint64_t number, std::uint64_t height) {
  checker_.on_acknowledged(operation_name(number), height);
}

void World::check_accused(std::size_t accuser, const identity::NodeId& accused) {
  for (std::size_t who = 0; who < members_.size(); ++who) {
    if (members_[who]->node != accused || !is_honest(who)) continue;
    checker_.fail("framing",
                  fmt::format("node {} can prove a fault of honest node {}", accuser, who));
  }
}

void World::heal() {
  trace(0, "faults stop");
  nemesis_->stop();
  network_.unblock_all();
  network_.lift_send_limits();
  LinkQuality good;
  for (Place a = 0; a < network_.places(); ++a) {
    for (Place b = 0; b < network_.places(); ++b) {
      if (a == b) continue;
      if (scenario_.quality.raw) network_.set_quality(a, b, good);
    }
  }
  for (std::size_t who = 0; who < members_.size(); ++who) {
    Member& member = *members_[who];
    member.disk.set_speed(DiskSpeed{});
    if (member.clock_wrong) member.clock.skew_ms = 0;
    member.clock_wrong = false;
    if (member.disk.failed()) {
      member.disk.set_failed(false);
      crash(who, Network::End::Closed, PowerLoss::TornTail);
    }
    if (!member.running()) start_process(who);
  }
}

void World::resubmit_open() {
  std::erase_if(open_operations_,
                [this](std::uint64_t number) { return checker_.is_final(operation_name(number)); });
  for (const std::uint64_t number : open_operations_) submit(number);
}

bool World::converged() const {
  if (!std::ranges::all_of(open_operations_, [this](std::uint64_t number) {
        return checker_.is_final(operation_name(number));
      })) {
    return false;
  }
  return std::ranges::all_of(members_, [this](const auto& member) {
    return member->role == Role::Byzantine || member->process->final_height() == checker_.highest();
  });
}

void World::recover() {
  const MonoTime healed = scheduler_.now();
  const std::uint64_t before = checker_.highest();
  open_operations_.push_back(next_operation_++);
  resubmit_open();
  const Duration timeout = view_timeout();
  const MonoTime progress_by =
      healed + timeout * (kTimeoutsToRecover + static_cast<int>(byzantine_validators_));
  scheduler_.at(progress_by, [] {});
  while (!checker_.violation() && checker_.highest() == before && scheduler_.now() < progress_by) {
    step();
  }
  if (checker_.violation()) return;
  outcome_.recovery = scheduler_.now() - healed;
  if (checker_.highest() == before) {
    checker_.fail("liveness", fmt::format("no block became final within {} ms after the faults",
                                          outcome_.recovery / milliseconds(1)));
    return;
  }
  const MonoTime equal_by =
      progress_by + timeout * (kTimeoutsToConverge + static_cast<int>(byzantine_validators_));
  while (!checker_.violation() && !converged()) {
    if (scheduler_.now() >= equal_by) {
      checker_.fail("convergence", "some node or operation is left behind after the faults");
      return;
    }
    run_until(scheduler_.now() + seconds(1));
    resubmit_open();
  }
  outcome_.convergence = scheduler_.now() - healed;
}

Outcome World::run() {
  build();
  nemesis_ = std::make_unique<Nemesis>(*this, fork_random());
  std::optional<std::size_t> late;
  for (std::size_t who = 0; who < members_.size(); ++who) {
    if (members_[who]->role == Role::Follower && scenario_.late_follower) {
      late = who;
      continue;
    }
    // Machines are not switched on at the same moment.
    scheduler_.after(random_.between(Duration(0), milliseconds(300)), [this, who] {
      if (!members_[who]->running()) start_process(who);
    });
  }
  if (late) {
    scheduler_.after(plan_.fault_time / 2, [this, who = *late] {
      if (!members_[who]->running()) start_process(who);
    });
  }
  scheduler_.after(milliseconds(310), [this] { load(); });
  const MonoTime end = MonoTime(plan_.fault_time);
  nemesis_->start(end);
  run_until(end);
  if (!checker_.violation()) heal();
  if (!checker_.violation()) recover();
  if (!checker_.violation()) check_end();

  for (std::size_t who = 0; who < members_.size(); ++who) {
    const bool up = members_[who]->running();
    if (tracing()) trace(who, up ? members_[who]->process->describe() : "is down");
  }
  for (const auto& member : members_) {
    if (member->running()) highest_view_ = std::max(highest_view_, member->process->view());
  }
  outcome_.violation = checker_.violation();
  outcome_.trace_hash = trace_hash_.value();
  outcome_.steps = scheduler_.steps();
  outcome_.simulated = scheduler_.now().time_since_epoch();
  outcome_.views = highest_view_;
  outcome_.final_blocks = checker_.highest();
  outcome_.acknowledged = checker_.acknowledged();
  outcome_.messages = network_.delivered();
  return outcome_;
}

}  // namespace hm::simulator
