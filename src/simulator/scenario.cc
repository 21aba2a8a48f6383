// SPDX-License-Identifier: Apache-2.0
#include "simulator/scenario.h"

#include <algorithm>

namespace hm::simulator {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, kFaultCount> kFaultNames = {
    "partition", "one-way",   "isolate",     "flap",         "kill", "mid-send",  "power-loss",
    "blackout",  "slow-disk", "failed-disk", "damaged-tail", "wipe", "clock-step"};
constexpr std::array<std::string_view, kTreasonCount> kTreasonNames = {
    "twins", "silent", "selective", "equivocating", "wrong-roots", "mutating", "replaying"};
constexpr std::array<std::string_view, 19> kScenarioNames = {
    "calm",         "raw",   "storm",    "partition", "crash", "blackout", "disk",
    "wipe",         "late",  "clock",    "wan",       "twins", "silent",   "selective",
    "equivocating", "roots", "mutating", "replaying", "mix"};

Scenario with(std::initializer_list<std::pair<Fault, std::uint32_t>> weights) {
  Scenario scenario;
  for (const auto& [fault, weight] : weights) {
    scenario.weights[static_cast<std::size_t>(fault)] = weight;
  }
  return scenario;
}

LinkQuality raw_quality(SimRandom& random) {
  LinkQuality quality;
  quality.raw = true;
  quality.loss_permille = static_cast<std::uint32_t>(random.below(120));
  quality.duplicate_permille = static_cast<std::uint32_t>(random.below(100));
  quality.reorder_permille = static_cast<std::uint32_t>(random.below(300));
  return quality;
}

// Most messages are lost or come seconds late, so that views overlap and certificates of both kinds
// come into being for one view.
LinkQuality storm_quality(SimRandom& random) {
  LinkQuality quality;
  quality.raw = true;
  quality.delay_high = milliseconds(60);
  quality.loss_permille = static_cast<std::uint32_t>(random.between(200, 550));
  quality.duplicate_permille = static_cast<std::uint32_t>(random.below(200));
  quality.reorder_permille = static_cast<std::uint32_t>(random.between(200, 700));
  quality.reorder = std::chrono::seconds(3);
  return quality;
}

LinkQuality wan_quality() {
  LinkQuality quality;
  quality.delay_low = milliseconds(5);
  quality.delay_high = milliseconds(90);
  quality.retransmit_permille = 20;
  quality.retransmit = milliseconds(250);
  return quality;
}

Scenario mix(SimRandom& random) {
  Scenario scenario;
  for (std::uint32_t& weight : scenario.weights) {
    weight = static_cast<std::uint32_t>(random.chance(500) ? random.below(10) : 0);
  }
  if (random.chance(300)) scenario.quality = wan_quality();
  if (random.chance(300)) scenario.quality = raw_quality(random);
  if (random.chance(600)) {
    scenario.treasons.push_back(static_cast<Treason>(random.below(kTreasonCount)));
    scenario.treasons.push_back(static_cast<Treason>(random.below(kTreasonCount)));
  }
  scenario.late_follower = random.chance(300);
  scenario.skewed_clocks = random.chance(500);
  return scenario;
}

std::optional<Scenario> honest_scenario(std::string_view name, SimRandom& random) {
  if (name == "calm") return with({});
  if (name == "partition") {
    return with({{Fault::Partition, 4}, {Fault::OneWay, 4}, {Fault::Isolate, 2}, {Fault::Flap, 2}});
  }
  if (name == "crash") return with({{Fault::Kill, 4}, {Fault::MidSend, 6}, {Fault::PowerLoss, 3}});
  if (name == "blackout") {
    return with({{Fault::Blackout, 5}, {Fault::MidSend, 3}, {Fault::Partition, 2}});
  }
  if (name == "disk") {
    return with({{Fault::SlowDisk, 4},
                 {Fault::FailedDisk, 2},
                 {Fault::PowerLoss, 3},
                 {Fault::DamagedTail, 3}});
  }
  if (name == "wipe") return with({{Fault::Wipe, 5}, {Fault::Kill, 2}, {Fault::Partition, 2}});
  if (name == "late") {
    Scenario scenario = with({{Fault::Kill, 2}, {Fault::Isolate, 4}});
    scenario.late_follower = true;
    return scenario;
  }
  if (name == "clock") {
    Scenario scenario = with({{Fault::ClockStep, 5}, {Fault::Kill, 1}});
    scenario.skewed_clocks = true;
    return scenario;
  }
  if (name == "storm") {
    Scenario scenario = with({{Fault::OneWay, 2}, {Fault::MidSend, 1}});
    scenario.quality = storm_quality(random);
    return scenario;
  }
  if (name == "raw" || name == "wan") {
    Scenario scenario = with({{Fault::Partition, 1}, {Fault::Kill, 1}});
    scenario.quality = name == "raw" ? raw_quality(random) : wan_quality();
    return scenario;
  }
  return std::nullopt;
}

std::optional<Treason> treason_of(std::string_view name) {
  if (name == "roots") return Treason::WrongRoots;
  const auto found = std::ranges::find(kTreasonNames, name);
  if (found == kTreasonNames.end()) return std::nullopt;
  return static_cast<Treason>(found - kTreasonNames.begin());
}

}  // namespace

std::string_view name_of(Fault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }

std::string_view name_of(Treason treason) {
  return kTreasonNames[static_cast<std::size_t>(treason)];
}

std::span<const std::string_view> scenario_names() { return kScenarioNames; }

std::optional<Scenario> make_scenario(std::string_view name, SimRandom& random) {
  std::optional<Scenario> scenario;
  if (name == "mix") {
    scenario = mix(random);
  } else if (const auto treason = treason_of(name)) {
    scenario = with({{Fault::Partition, 2}, {Fault::OneWay, 2}, {Fault::Kill, 1}});
    scenario->treasons = {*treason};
  } else {
    scenario = honest_scenario(name, random);
  }
  if (scenario) scenario->name = name;
  return scenario;
}

}  // namespace hm::simulator
