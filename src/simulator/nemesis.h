// SPDX-License-Identifier: Apache-2.0
// Injects the faults of a scenario while they last. It never exceeds what the protocol claims to
// stand: members that are Byzantine or have forgotten votes stay within f of n; anything that loses
// nothing durable may strike everyone at once.
#pragma once

#include "simulator/world.h"

namespace hm::simulator {

class Nemesis {
 public:
  Nemesis(World& world, SimRandom random);
  // Strikes again and again until `end`, but lets the mesh start first. Only a blackout may also
  // strike while it starts: machines that never voted must not be taken for ones that forgot.
  void start(MonoTime end);
  // From now on no process dies; what is broken stays for the world to repair.
  void stop() { stopped_ = true; }

 private:
  void schedule();
  void strike();
  Fault draw();
  void apply(Fault fault);
  void partition(Duration lasting);
  void cut_one_way(Duration lasting);
  void isolate(std::size_t who, Duration lasting);
  void flap();
  void kill(std::size_t who, Network::End end, PowerLoss loss, Duration down);
  void die_while_sending(std::size_t who, Duration down);
  void blackout(Duration down);
  void slow_disk(std::size_t who, Duration lasting);
  void fail_disk(std::size_t who, Duration lasting);
  bool may_forget(std::size_t who) const;
  void forget(std::size_t who, bool wipe, Duration down);
  void step_clock(std::size_t who, Duration lasting);
  void block_for(const std::vector<std::pair<Place, Place>>& links, Duration lasting);
  void restart_after(std::size_t who, Duration down);
  Duration lasting();
  std::optional<std::size_t> victim();

  World& world_;
  SimRandom random_;
  MonoTime end_{};
  std::uint32_t total_weight_ = 0;
  bool stopped_ = false;
};

}  // namespace hm::simulator
