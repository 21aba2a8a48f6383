// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/policy.h"

#include <array>

namespace hm::ledger {
namespace {

using caesar::Amount;
using caesar::caes;

constexpr std::array<std::string_view, 3> kNames = {"localhost", "default", "production"};

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
     .bond_per_record = Amount{1'000'000},
     .stake_validator = caes(1),
     .anchor_max_age = 4096,
     .expiry_max_ahead = 8192},
    {.bond_register_owner = caes(100),
     .bond_register_node = caes(10),
     .bond_register_asset = caes(10),
     .bond_update_asset = caes(10),
     .bond_transfer_asset = caes(10),
     .bond_retire_asset = caes(0),
     .bond_transfer_caes = caes(0),
     .bond_per_record = Amount{100'000'000},
     .stake_validator = caes(100),
     .anchor_max_age = 2048,
     .expiry_max_ahead = 4096},
    {.bond_register_owner = caes(1'000),
     .bond_register_node = caes(100),
     .bond_register_asset = caes(100),
     .bond_update_asset = caes(100),
     .bond_transfer_asset = caes(100),
     .bond_retire_asset = caes(0),
     .bond_transfer_caes = caes(0),
     .bond_per_record = caes(1),
     .stake_validator = caes(10'000),
     .anchor_max_age = 1024,
     .expiry_max_ahead = 2048},
}};

}  // namespace

std::string_view name_of(Preset preset) { return kNames.at(static_cast<std::size_t>(preset)); }

std::optional<Preset> parse_preset(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Preset>(i);
  }
  return std::nullopt;
}

const Policy& policy_of(Preset preset) { return kPolicies.at(static_cast<std::size_t>(preset)); }

}  // namespace hm::ledger
