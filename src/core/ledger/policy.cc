// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/policy.h"

#include <array>

namespace hm::ledger {
namespace {

using caesar::Amount;
using caesar::caes;

constexpr std::array<std::string_view, 3> kNames = {"localhost", "default", "production"};

constexpr std::uint64_t kDay = 86'400'000;
constexpr std::uint64_t kMonth = 30 * kDay;

// The windows are in blocks: a loaded mesh on one machine makes hundreds a second, one over a wide
// area a few. Retiring and paying need no bond, so that whoever lost it can still leave.
constexpr std::array<Policy, 3> kPolicies = {{
    {.bond_register_owner = caes(1),
     .bond_register_node = caes(1),
     .bond_register_asset = caes(1),
     .bond_update_asset = caes(1),
     .bond_transfer_asset = caes(1),
     .bond_retire_asset = caes(0),
     .bond_transfer_caes = caes(0),
     .bond_lend = caes(1),
     .bond_per_record = Amount{1'000'000},
     .stake_validator = caes(1),
     .anchor_max_age = 4096,
     .expiry_max_ahead = 8192,
     .accept_window_ms = 10'000,
     .meter_interval_ms = 5'000,
     .dark_after_intervals = 3,
     .longest_lease_ms = kMonth,
     .lease_retention_ms = kDay / 24,
     .evidence_window_ms = kDay / 48},
    {.bond_register_owner = caes(100),
     .bond_register_node = caes(10),
     .bond_register_asset = caes(10),
     .bond_update_asset = caes(10),
     .bond_transfer_asset = caes(10),
     .bond_retire_asset = caes(0),
     .bond_transfer_caes = caes(0),
     .bond_lend = caes(10),
     .bond_per_record = Amount{100'000'000},
     .stake_validator = caes(100),
     .anchor_max_age = 2048,
     .expiry_max_ahead = 4096,
     .accept_window_ms = 60'000,
     .meter_interval_ms = 60'000,
     .dark_after_intervals = 3,
     .longest_lease_ms = kMonth,
     .lease_retention_ms = kDay,
     .evidence_window_ms = kDay / 2},
    {.bond_register_owner = caes(1'000),
     .bond_register_node = caes(100),
     .bond_register_asset = caes(100),
     .bond_update_asset = caes(100),
     .bond_transfer_asset = caes(100),
     .bond_retire_asset = caes(0),
     .bond_transfer_caes = caes(0),
     .bond_lend = caes(100),
     .bond_per_record = caes(1),
     .stake_validator = caes(10'000),
     .anchor_max_age = 1024,
     .expiry_max_ahead = 2048,
     .accept_window_ms = 60'000,
     .meter_interval_ms = 60'000,
     .dark_after_intervals = 5,
     .longest_lease_ms = kMonth,
     .lease_retention_ms = kDay,
     .evidence_window_ms = kDay / 2},
}};

}  // namespace

std::string_view name_of(Preset preset) { return kNames.at(static_cast<std::size_t>(preset)); }

std::optional<Preset> parse_preset(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Preset>(i);
  }
  return std::nullopt;
}

caesar::Economy economy_of(Preset preset) {
  // A 1 % fee, of which a provider at the most open level gets half back; no demurrage. Emission
  // halves over the epochs, so that all of it stays below twice halving_epochs · epoch_emission.
  caesar::Economy economy{.epoch_blocks = 1024,
                          .epoch_emission = caes(1),
                          .halving_epochs = 1'000'000,
                          .provider_ppm = 500'000,
                          .fee_ppm = 10'000,
                          .reward_ppm = 5'000,
                          .commission_ppm = 100'000,
                          .demurrage_ppm_per_day = 0,
                          .starter_credit = {},
                          .starter_pool = {},
                          .unbonding_ms = 21 * kDay};
  if (preset == Preset::Localhost) economy.unbonding_ms = 60'000;
  if (preset == Preset::Default) economy.unbonding_ms = 7 * kDay;
  return economy;
}

const Policy& policy_of(Preset preset) { return kPolicies.at(static_cast<std::size_t>(preset)); }

}  // namespace hm::ledger
