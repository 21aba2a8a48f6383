// SPDX-License-Identifier: Apache-2.0
#include "simulator/nemesis.h"

#include <fmt/format.h>

#include <numeric>

namespace hm::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr DiskSpeed kSlowDisk{.flush_low = milliseconds(20),
                              .flush_high = milliseconds(300),
                              .stall = seconds(2),
                              .stall_permille = 50};

constexpr Duration kMeshStarts = milliseconds(500);

// A wall clock an hour off is what a machine without a time service shows.
constexpr std::int64_t kClockJumpMillis = 3'600'000;

}  // namespace

Nemesis::Nemesis(World& world, SimRandom random) : world_(world), random_(random) {
  const FaultWeights& weights = world.scenario_.weights;
  total_weight_ = std::accumulate(weights.begin(), weights.end(), 0U);
}

void Nemesis::start(MonoTime end) {
  end_ = end;
  if (total_weight_ == 0) return;
  if (world_.scenario_.weights[static_cast<std::size_t>(Fault::Blackout)] > 0 &&
      random_.chance(400)) {
    world_.scheduler_.after(random_.between(Duration(0), kMeshStarts),
                            [this] { blackout(milliseconds(100)); });
  }
  world_.scheduler_.after(kMeshStarts, [this] { schedule(); });
}

void Nemesis::schedule() {
  world_.scheduler_.after(random_.between(milliseconds(20), milliseconds(900)), [this] {
    if (stopped_ || world_.scheduler_.now() >= end_) return;
    strike();
    schedule();
  });
}

Fault Nemesis::draw() {
  std::uint64_t ticket = random_.below(total_weight_);
  const FaultWeights& weights = world_.scenario_.weights;
  std::size_t index = 0;
  while (ticket >= weights[index]) ticket -= weights[index++];
  return static_cast<Fault>(index);
}

Duration Nemesis::lasting() {
  if (random_.chance(700)) return random_.between(milliseconds(5), milliseconds(600));
  return random_.between(milliseconds(600), seconds(5));
}

std::optional<std::size_t> Nemesis::victim() {
  const std::size_t who = random_.below(world_.members_.size());
  const Member& member = *world_.members_[who];
  if (!member.running() || member.role == Role::Byzantine) return std::nullopt;
  return who;
}

void Nemesis::strike() { apply(draw()); }

void Nemesis::apply(Fault fault) {
  const Duration time = lasting();
  if (fault == Fault::Partition) return partition(time);
  if (fault == Fault::OneWay) return cut_one_way(time);
  if (fault == Fault::Flap) return flap();
  if (fault == Fault::Blackout) return blackout(time);
  const auto who = victim();
  if (!who) return;
  switch (fault) {
    case Fault::Isolate: return isolate(*who, time);
    case Fault::Kill: {
      world_.count_fault(name_of(fault));
      return kill(*who, Network::End::Closed, PowerLoss::TornTail, time);
    }
    case Fault::PowerLoss: {
      world_.count_fault(name_of(fault));
      return kill(*who, Network::End::Silent, PowerLoss::TornTail, time);
    }
    case Fault::MidSend: return die_while_sending(*who, time);
    case Fault::SlowDisk: return slow_disk(*who, time);
    case Fault::FailedDisk: return fail_disk(*who, time);
    case Fault::DamagedTail: return forget(*who, false, time);
    case Fault::Wipe: return forget(*who, true, time);
    case Fault::ClockStep: return step_clock(*who, time);
    default: return;
  }
}

void Nemesis::block_for(const std::vector<std::pair<Place, Place>>& links, Duration lasting) {
  for (const auto& [from, to] : links) world_.network_.set_blocked(from, to, true);
  world_.scheduler_.after(lasting, [this, links] {
    for (const auto& [from, to] : links) world_.network_.set_blocked(from, to, false);
  });
}

void Nemesis::partition(Duration lasting) {
  world_.count_fault(name_of(Fault::Partition));
  std::vector<bool> side;
  for (Place place = 0; place < world_.network_.places(); ++place)
    side.push_back(random_.chance(500));
  std::vector<std::pair<Place, Place>> links;
  for (Place a = 0; a < side.size(); ++a) {
    for (Place b = 0; b < side.size(); ++b) {
      if (side[a] != side[b]) links.emplace_back(a, b);
    }
  }
  block_for(links, lasting);
}

void Nemesis::cut_one_way(Duration lasting) {
  world_.count_fault(name_of(Fault::OneWay));
  std::vector<std::pair<Place, Place>> links;
  const auto share = static_cast<std::uint32_t>(random_.between(50, 500));
  for (Place a = 0; a < world_.network_.places(); ++a) {
    for (Place b = 0; b < world_.network_.places(); ++b) {
      if (a != b && random_.chance(share)) links.emplace_back(a, b);
    }
  }
  block_for(links, lasting);
}

void Nemesis::isolate(std::size_t who, Duration lasting) {
  world_.count_fault(name_of(Fault::Isolate));
  std::vector<std::pair<Place, Place>> links;
  const Place place = world_.members_[who]->place;
  for (Place other = 0; other < world_.network_.places(); ++other) {
    if (other == place) continue;
    links.emplace_back(place, other);
    links.emplace_back(other, place);
  }
  block_for(links, lasting);
}

void Nemesis::flap() {
  world_.count_fault(name_of(Fault::Flap));
  for (Place a = 0; a < world_.network_.places(); ++a) {
    for (Place b = a + 1; b < world_.network_.places(); ++b) {
      if (random_.chance(400)) world_.network_.reset_connection(a, b);
    }
  }
}

void Nemesis::restart_after(std::size_t who, Duration down) {
  world_.scheduler_.after(down, [this, who] {
    Member& member = *world_.members_[who];
    if (!member.running() && !member.disk.failed()) world_.start_process(who);
  });
}

void Nemesis::kill(std::size_t who, Network::End end, PowerLoss loss, Duration down) {
  world_.crash(who, end, loss);
  restart_after(who, down);
}

void Nemesis::die_while_sending(std::size_t who, Duration down) {
  world_.count_fault(name_of(Fault::MidSend));
  const Place place = world_.members_[who]->place;
  const std::uint64_t life = world_.members_[who]->starts;
  world_.network_.limit_sends(place, random_.below(40), [this, who, life, down] {
    const Member& member = *world_.members_[who];
    if (stopped_ || !member.running() || member.starts != life) return;
    kill(who, Network::End::Closed, PowerLoss::TornTail, down);
  });
}

void Nemesis::blackout(Duration down) {
  world_.count_fault(name_of(Fault::Blackout));
  for (std::size_t who = 0; who < world_.members_.size(); ++who) {
    if (!world_.members_[who]->running()) continue;
    kill(who, Network::End::Silent, PowerLoss::TornTail,
         down + random_.between(Duration(0), milliseconds(800)));
  }
}

void Nemesis::slow_disk(std::size_t who, Duration lasting) {
  world_.count_fault(name_of(Fault::SlowDisk));
  world_.members_[who]->disk.set_speed(kSlowDisk);
  world_.scheduler_.after(lasting * 2,
                          [this, who] { world_.members_[who]->disk.set_speed(DiskSpeed{}); });
}

void Nemesis::fail_disk(std::size_t who, Duration lasting) {
  world_.count_fault(name_of(Fault::FailedDisk));
  world_.members_[who]->disk.set_failed(true);
  world_.scheduler_.after(lasting, [this, who] {
    if (stopped_) return;
    Member& member = *world_.members_[who];
    member.disk.set_failed(false);
    if (member.running()) world_.crash(who, Network::End::Closed, PowerLoss::TornTail);
    restart_after(who, milliseconds(50));
  });
}

bool Nemesis::may_forget(std::size_t who) const {
  if (world_.members_[who]->role == Role::Follower || world_.members_[who]->forgot) return true;
  std::size_t impaired = world_.byzantine_validators_;
  for (const auto& member : world_.members_) {
    if (member->forgot && member->role == Role::Honest) ++impaired;
  }
  return impaired < world_.faulty_limit();
}

void Nemesis::forget(std::size_t who, bool wipe, Duration down) {
  if (!may_forget(who)) return;
  world_.count_fault(name_of(wipe ? Fault::Wipe : Fault::DamagedTail));
  Member& member = *world_.members_[who];
  member.forgot = true;
  world_.crash(who, Network::End::Silent, PowerLoss::DamagedTail);
  if (wipe) member.disk.wipe();
  restart_after(who, down);
}

void Nemesis::step_clock(std::size_t who, Duration lasting) {
  // A validator with a wrong clock refuses honest blocks and proposes refused ones: it counts as
  // faulty while that lasts. More of them than f could even agree on a wrong time.
  std::size_t impaired = world_.byzantine_validators_;
  for (const auto& other : world_.members_) {
    if (other->clock_wrong && other->role == Role::Honest) ++impaired;
  }
  Member& member = *world_.members_[who];
  if (member.clock_wrong || impaired >= world_.faulty_limit()) return;
  world_.count_fault(name_of(Fault::ClockStep));
  const std::int64_t before = member.clock.skew_ms;
  member.clock_wrong = true;
  member.clock.skew_ms += random_.chance(500) ? kClockJumpMillis : -kClockJumpMillis;
  world_.scheduler_.after(lasting, [this, who, before] {
    if (stopped_) return;
    world_.members_[who]->clock.skew_ms = before;
    world_.members_[who]->clock_wrong = false;
  });
}

}  // namespace hm::simulator
