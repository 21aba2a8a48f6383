// SPDX-License-Identifier: Apache-2.0
// What can go wrong in a run, and how often. A scenario is a row of a table; the seed draws the
// rest. The names are those of `hypermesh-sim --scenario`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/base/time.h"
#include "simulator/network.h"
#include "simulator/random.h"

namespace hm::simulator {

enum class Fault : std::uint8_t {
  Partition,    // the nodes fall into two groups that cannot hear each other
  OneWay,       // some directed links go silent
  Isolate,      // one node hears and reaches nobody
  Flap,         // connections are reset, over and over
  Kill,         // one process dies between two events
  MidSend,      // one process dies in the middle of what it is sending
  PowerLoss,    // one machine stops, silently
  Blackout,     // every machine stops at the same moment
  SlowDisk,     // every flush of one disk takes long
  FailedDisk,   // one disk refuses writes until the machine is repaired and restarted
  DamagedTail,  // one node's journal loses durable records, and says so
  Wipe,         // one node loses journal and store and comes back empty
  ClockStep,    // one node's wall clock jumps
  Last = ClockStep,
};
inline constexpr std::size_t kFaultCount = static_cast<std::size_t>(Fault::Last) + 1;
std::string_view name_of(Fault fault);

// What the Byzantine members of a run do.
enum class Treason : std::uint8_t {
  Twins,         // two processes with one key, each honest to whom it can reach
  Silent,        // proposes nothing
  Selective,     // sends its proposals and votes to some only
  Equivocating,  // sends different proposals for one view to different nodes
  WrongRoots,    // claims execution roots that are not so and approves of everything
  Mutating,      // changes view, hash, certificate or signers of what it sends, signing anew
  Replaying,     // sends old messages again, and bytes flipped
  Last = Replaying,
};
inline constexpr std::size_t kTreasonCount = static_cast<std::size_t>(Treason::Last) + 1;
std::string_view name_of(Treason treason);

using FaultWeights = std::array<std::uint32_t, kFaultCount>;

struct Scenario {
  std::string name;
  FaultWeights weights{};
  LinkQuality quality;
  std::vector<Treason> treasons;  // what the Byzantine members may do; empty: there are none
  bool late_follower = false;     // a follower starts when the others are well ahead
  bool skewed_clocks = false;
};

std::span<const std::string_view> scenario_names();
// The scenario of that name; what it leaves open ("mix") is drawn from `random`.
std::optional<Scenario> make_scenario(std::string_view name, SimRandom& random);

}  // namespace hm::simulator
