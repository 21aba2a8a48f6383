// SPDX-License-Identifier: Apache-2.0
// Many seeds: what each seed runs, the figures over all of them, and how to repeat one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulator/world.h"

namespace hm::simulator {

// Builds one kind of world; the kinds that exist are the program's choice (main.cc), so that one
// can be linked without the other.
struct WorldKind {
  std::string name;  // "consensus", "node"
  std::unique_ptr<World> (*make)(const Plan& plan);
  std::uint32_t share = 1;  // of the seeds, relative to the other kinds
};

struct Campaign {
  std::uint64_t first = 1;
  std::uint64_t last = 200;  // inclusive
  std::optional<std::size_t> nodes;
  std::optional<std::string> world;
  std::optional<std::string> scenario;
  Duration fault_time = std::chrono::seconds(8);
  std::vector<std::string> allowed;
  bool trace = false;
};

struct Trial {
  const WorldKind* kind = nullptr;
  Plan plan;
};

// What `seed` means in this campaign: options that are given hold, the rest follows from the seed.
Trial choose(std::uint64_t seed, const Campaign& campaign, const std::vector<WorldKind>& kinds);
Outcome run_world(const Trial& run);
// The command line that repeats exactly this run, with its trace.
std::string repeat_command(const std::string& program, const Trial& run);

inline constexpr std::size_t kMostListed = 50;

struct Figures {
  std::uint64_t seeds = 0;
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  std::uint64_t views = 0;
  std::uint64_t final_blocks = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t failures = 0;
  Duration simulated{};
  Duration longest_recovery{};
  std::uint64_t longest_recovery_seed = 0;
  Duration longest_convergence{};
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> worlds;
  std::map<std::string, std::uint64_t> scenarios;
  std::vector<std::string> violations;  // "seed: check", the first kMostListed of them

  void add(const Trial& run, const Outcome& outcome);
  // For people, several lines.
  std::string text() const;
  std::string json() const;
};

}  // namespace hm::simulator
