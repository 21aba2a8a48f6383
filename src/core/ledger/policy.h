// SPDX-License-Identifier: Apache-2.0
// The presets: one table of minima that a chain chooses at genesis.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/caesar/amount.h"
#include "core/caesar/economy.h"
#include "foundation/codec/reader.h"

namespace hm::ledger {

enum class Preset : std::uint8_t { Localhost, Default, Production };

// "localhost", "default", "production".
std::string_view name_of(Preset preset);
std::optional<Preset> parse_preset(std::string_view name);

struct Policy {
  // Bond that the acting owner must hold.
  caesar::Amount bond_register_owner;
  caesar::Amount bond_register_node;
  caesar::Amount bond_register_asset;
  caesar::Amount bond_update_asset;
  caesar::Amount bond_transfer_asset;
  caesar::Amount bond_retire_asset;
  caesar::Amount bond_transfer_caes;
  caesar::Amount bond_lend;  // grants, groups, certificates, federation
  // Bond that every record an owner ever created (owner, node, asset) ties up: state has a price.
  caesar::Amount bond_per_record;
  // Stake of a genesis validator.
  caesar::Amount stake_validator;

  std::uint64_t anchor_max_age;    // blocks between the anchor and the including block
  std::uint64_t expiry_max_ahead;  // blocks between the anchor and the expiry height

  // Leases, in milliseconds of block time.
  std::uint64_t accept_window_ms;      // from the request to the provider's word
  std::uint64_t meter_interval_ms;     // one reading each; it may be signed for one more
  std::uint64_t dark_after_intervals;  // so many without a reading: the provider counts as dark
  std::uint64_t longest_lease_ms;      // renewals included
  std::uint64_t lease_retention_ms;    // for which an ended lease is kept
  std::uint64_t evidence_window_ms;    // within it, for which its result can be disputed
};

const Policy& policy_of(Preset preset);

// The economy that a new chain of this preset gets unless its genesis says otherwise.
caesar::Economy economy_of(Preset preset);

}  // namespace hm::ledger

template <>
inline constexpr auto hm::codec::kMaxEnum<hm::ledger::Preset> = hm::ledger::Preset::Production;
